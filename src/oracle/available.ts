/** Finds out whether bpf(2) can be used here, by loading the smallest program once. */
import { release } from 'node:os';
import { Attr, BpfCmd, bindingRefusal, bpf, closeFd, errnoName } from './syscall.js';

/** Whether bpf(2) can be used here, and if not, why not. */
export type Availability =
  | { readonly ok: true /** As uname tells it: `6.18.44`. */; readonly release: string }
  | { readonly ok: false /** One line for a person. */; readonly reason: string };

let answer: Availability | undefined;

/** Whether bpf(2) may load programs here, and if not, why. Never throws; the answer is kept. */
export function kernelAvailable(): Availability {
  answer ??= probe();
  return answer;
}

function probe(): Availability {
  const refusal = bindingRefusal();
  if (refusal !== undefined) return { ok: false, reason: refusal };
  // r0 = 0; exit, as a socket filter: the type that needs the fewest capabilities.
  const insns = Buffer.from('b7000000000000009500000000000000', 'hex');
  const license = Buffer.from('GPL\0');
  const attr = new Attr(152).u32(0, 1).u32(4, 2).pointer(8, insns).pointer(16, license);
  const fd = bpf(BpfCmd.progLoad, attr);
  if (fd < 0) return { ok: false, reason: `bpf(2) is refused: ${errnoName(fd)}${hint(errnoName(fd))}` };
  closeFd(fd);
  return { ok: true, release: release() };
}

function hint(errno: string): string {
  if (errno === 'EPERM') return ' (needs root or CAP_BPF, and a container that lets it through)';
  if (errno === 'ENOSYS') return ' (this kernel has no bpf(2))';
  return '';
}
