/** Properties that need bpf(2) are skipped where it is refused, and say why. */
import { describe } from 'vitest';
import { kernelAvailable } from '../../../src/oracle/available.js';

/** `describe`, or where there is no kernel to ask a skipped one, with a line on the console that says so. */
export function describeKernel(name: string, body: () => void): void {
  const kernel = kernelAvailable();
  if (!kernel.ok) console.warn(`skipped: ${name}: ${kernel.reason}`);
  describe.skipIf(!kernel.ok)(name, body);
}

/** Whether the running kernel words its messages as Linux 6.18 does; verdicts are compared everywhere, messages only there. */
export function messagesKnown(): boolean {
  const kernel = kernelAvailable();
  return kernel.ok && kernel.release.startsWith('6.18.');
}
