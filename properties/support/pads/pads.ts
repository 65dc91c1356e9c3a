/** Programs with landing pads, for a kernel that has them. */
import { BUILT_IN, type KernelProfile } from '../../../src/kernel/profile.js';
import type { Program } from '../../../src/object/program.js';
import { parseCase } from '../../../src/vm/case/case.js';

/** The built-in kernel with landing pads. */
export const WITH_PADS: KernelProfile = {
  ...BUILT_IN,
  release: 'with-pads',
  digest: 'with-pads',
  behaviour: { ...BUILT_IN.behaviour, landingPads: true },
};

/** A program in text, its functions after the first one `static`. */
export const padProgram = (text: string): Program => parseCase(`.type tc\n${text}`).program;

/** Looks a socket up; NULL leads to `out`, the socket is in the register. */
export const lookUp = (into: string, out: string): string => `
    r1 = r10
    r1 += -16
    *(u64 *)(r10 - 16) = 0
    *(u64 *)(r10 - 8) = 0
    r2 = r1
    r1 = r9
    r3 = 12
    r4 = 0
    r5 = 0
    call bpf_sk_lookup_tcp
    if r0 == 0 goto ${out}
    ${into} = r0
`;

/** A function that leaves by unwind_exit in some runs and by exit in others, each time with 0. */
export const BOTH_WAYS = `work:
    call bpf_get_prandom_u32
    if r0 > 7 goto away
    r0 = 0
    exit
away:
    r0 = 0
    unwind_exit
`;

/** A function that never leaves by unwind_exit. */
export const ONE_WAY = `work:
    r0 = 0
    exit
`;

/** A main program that calls `work` and does this in the landing pad. */
export const withPad = (pad: string, work = BOTH_WAYS): string => `main:
    r6 = 0
    *(u64 *)(r10 - 32) = 0
    call work
    unwind_goto pad
    r0 = 0
    exit
pad:
${pad}
    r0 = 0
    exit
${work}`;

/** The caller holds a socket across the call; `pad` is the landing pad. */
export const holding = (pad: string): string => `main:
    r9 = r1${lookUp('r6', 'out')}
    call work
    unwind_goto pad
    r1 = r6
    call bpf_sk_release
out:
    r0 = 0
    exit
pad:
${pad}
    r0 = 0
    exit
${BOTH_WAYS}`;
