/**
 * Properties that need bpf(2) are skipped where it is refused, and those that hold what is known of Linux against the running kernel also where
 * that is another one. Each says why, and `skips.ts` counts them by what they say.
 */
import { describe, it } from 'vitest';
import { kernelAvailable } from '../../../src/oracle/available.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { insnsWalked } from '../../../src/oracle/log.js';
import { HEAVY, WALKED } from './heavy.js';
import { KNOWN_CASES } from './known-cases.js';

declare module 'vitest' {
  interface TaskMeta {
    /** Why this test is skipped, if it is. */
    unless?: string;
  }
}

/** `describe`, or where there is no kernel to ask a skipped one. Tests in it that are skipped where `!messagesKnown()` say why, too. */
export function describeKernel(name: string, body: () => void): void {
  const kernel = kernelAvailable();
  const unless = kernel.ok ? notAsKnown() : kernel.reason;
  describe.skipIf(!kernel.ok)(name, unless === undefined ? {} : { meta: { unless } }, body);
}

/** `it` where there is a kernel to ask. */
export function itKernel(name: string, body: () => void | Promise<void>): void {
  const kernel = kernelAvailable();
  it.skipIf(!kernel.ok)(name, kernel.ok ? {} : { meta: { unless: kernel.reason } }, body);
}

/** The same for what is known of Linux: skipped, too, where the running kernel is not as known. */
export function describeKnownKernel(name: string, body: () => void): void {
  const kernel = kernelAvailable();
  const unless = kernel.ok ? notAsKnown() : kernel.reason;
  describe.skipIf(unless !== undefined)(name, unless === undefined ? {} : { meta: { unless } }, body);
}

/** The running kernel is as known: verdicts are compared everywhere, messages and the insns walked only there. */
export function messagesKnown(): boolean {
  return kernelAvailable().ok && notAsKnown() === undefined;
}

/**
 * Programs that a kernel is told by: one for each thing that it has to know, none of those in which kernels of one release differ. What they say
 * of a kernel is said of it as a whole; the properties ask for everything else.
 */
const TELLING: readonly string[] = [
  'sock: leak after NULL check',
  'tail: with a reference',
  'across: bpf_loop under a lock',
  'across: two modes, reserve stubbed',
  'kptr: old one leaked',
  'links: one that may change something is none',
  'acquire: from a context',
  'untyped: written',
  'trap: reached',
];
/** And a program of which it must walk as many insns. */
const TELLING_WALK = 'a choice of many';

let answer: { readonly why: string | undefined } | undefined;

/** In what the running kernel is another one than that of which things are known; undefined where it is not. Asked once. */
export function notAsKnown(): string | undefined {
  answer ??= { why: whyNot() };
  return answer.why;
}

function whyNot(): string | undefined {
  for (const title of TELLING) {
    const known = KNOWN_CASES.find(({ family, name }) => `${family}: ${name}` === title);
    if (known === undefined) throw new Error(`there is no known case '${title}'`);
    const result = loadProgram(known.program);
    if (result.ok) result.close();
    const said = result.ok ? 'LOADS' : known.message === undefined ? result.errno : result.message;
    if (said !== (known.message ?? known.verdict))
      return `this is another kernel: of '${title}' it says ${said}`;
  }
  const walk = loadProgram(HEAVY.get(TELLING_WALK)!, { logLevel: 4 });
  if (walk.ok) walk.close();
  const walked = insnsWalked(walk.log);
  if (walked === WALKED[TELLING_WALK]) return undefined;
  return `this is another kernel: of '${TELLING_WALK}' it walks ${walked ?? 'no'} insns`;
}
