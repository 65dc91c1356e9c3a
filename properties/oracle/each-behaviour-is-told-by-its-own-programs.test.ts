/**
 * How a kernel behaves is told by what it loads: a kernel that lacks one thing is told from a whole one by that thing alone. The kernels here are made up:
 * each takes every program but those that use what it lacks.
 */
import { expect, it, vi } from 'vitest';
import { decodeAll } from '../../src/isa/decode.js';
import type { Op } from '../../src/isa/insn.js';
import { BUILT_IN } from '../../src/kernel/profile.js';
import type { Program } from '../../src/object/program.js';
import { runningBehaviour } from '../../src/oracle/profile/behaviour.js';

/** What the kernel at hand refuses, the functions that its BTF names, and what its test run of a long loop gives. */
const kernel = vi.hoisted(() => ({
  refuses: (_: unknown): boolean => false,
  functions: [] as readonly string[],
  members: true,
  rounds: 1 as number | undefined,
  open: 0,
}));

vi.mock('../../src/oracle/load.js', () => ({
  loadProgram: (program: unknown) => {
    if (kernel.refuses(program)) return { ok: false };
    kernel.open++;
    return { ok: true, close: () => kernel.open-- };
  },
}));
vi.mock('../../src/oracle/testrun.js', () => ({
  testRun: () => (kernel.rounds === undefined ? { ok: false } : { ok: true, retval: kernel.rounds }),
}));
vi.mock('../../src/oracle/btf.js', () => ({
  kernelShowsBtf: () => kernel.functions.length > 0,
  kernelFunctionId: (name: string) => (kernel.functions.includes(name) ? 1 : undefined),
  runningKernelTypes: () => ({ member: () => (kernel.members ? { offset: 0, size: 8 } : undefined) }),
}));

const uses =
  (test: (op: Op) => boolean, times = 1) =>
  (program: unknown): boolean =>
    decodeAll((program as Program).insns).filter((op) => op !== undefined && test(op)).length >= times;
const callsKfunc = (name: string, times = 1): ((program: unknown) => boolean) => {
  return (program) =>
    uses(
      (op) => op.kind === 'call' && op.target === 'kfunc' && (program as Program).kfuncs[op.imm] === name,
      times,
    )(program);
};
const frames = (program: unknown): number => (program as Program).subprogs.length;

const ALL = ['bpf_rcu_read_lock', 'css_rstat_updated', 'bpf_xdp_ct_lookup', 'bpf_xdp_get_xfrm_state'];
const WHOLE = {
  nullKfuncMemory: true,
  lesserKfuncPointers: true,
  nestedRcu: true,
  frames: 16,
  mayGoto: true,
  timedMayGoto: true,
  landingPads: true,
  orderedAccess: true,
  signedInsns: true,
  compiled: true,
  privateStack: true,
};
type Answers = Partial<Record<keyof typeof WHOLE, boolean | number>>;
interface Made {
  readonly refuses?: (program: unknown) => boolean;
  readonly functions?: readonly string[];
  readonly members?: boolean;
  readonly rounds?: number;
  readonly noRuns?: true;
}
const { nullKfuncMemory, lesserKfuncPointers, timedMayGoto } = BUILT_IN.behaviour;

const KERNELS: readonly (readonly [string, Made, Answers])[] = [
  ['lacks nothing', {}, {}],
  ['takes no memory that is NULL', { refuses: callsKfunc('bpf_xdp_ct_lookup') }, { nullKfuncMemory: false }],
  [
    'takes none, and has no connections',
    {
      refuses: callsKfunc('bpf_xdp_get_xfrm_state'),
      functions: ALL.filter((name) => name !== 'bpf_xdp_ct_lookup'),
    },
    { nullKfuncMemory: false },
  ],
  ['has nothing to ask for such memory', { functions: ALL.slice(0, 2) }, { nullKfuncMemory }],
  ['trusts arguments', { refuses: callsKfunc('css_rstat_updated') }, { lesserKfuncPointers: false }],
  [
    'has no such function',
    { functions: ALL.filter((name) => name !== 'css_rstat_updated') },
    { lesserKfuncPointers },
  ],
  ['has no such members', { members: false }, { lesserKfuncPointers }],
  ['nests no RCU sections', { refuses: callsKfunc('bpf_rcu_read_lock', 2) }, { nestedRcu: false }],
  ['has no kfuncs for RCU', { functions: ALL.slice(1) }, { nestedRcu: false }],
  ['shows no BTF', { functions: [] }, { nestedRcu: false, nullKfuncMemory, lesserKfuncPointers }],
  ['has eight frames', { refuses: (one) => frames(one) > 8 }, { frames: 8 }],
  ['has twelve', { refuses: (one) => frames(one) > 12 }, { frames: 8 }],
  ['has no frames but one', { refuses: (one) => frames(one) > 2 }, { frames: 1 }],
  ['has no may_goto', { refuses: uses(({ kind }) => kind === 'may_goto') }, { mayGoto: false, timedMayGoto }],
  ['counts rounds', { rounds: 0 }, { timedMayGoto: false }],
  ['runs no tests', { noRuns: true }, { timedMayGoto }],
  ['has no landing pads', { refuses: uses(({ kind }) => kind === 'unwind_goto') }, { landingPads: false }],
  ['cannot be left', { refuses: uses(({ kind }) => kind === 'unwind_exit') }, { landingPads: false }],
  [
    'has no ordered loads',
    { refuses: uses(({ kind }) => kind === 'load_acquire') },
    { orderedAccess: false },
  ],
  ['moves without sign', { refuses: uses(({ kind }) => kind === 'movsx') }, { signedInsns: false }],
  [
    'divides without sign',
    { refuses: uses((op) => op.kind === 'alu' && op.op === 'sdiv') },
    { signedInsns: false },
  ],
  ['swaps no bytes', { refuses: uses(({ kind }) => kind === 'end') }, { signedInsns: false }],
  [
    'interprets',
    { refuses: uses((op) => op.kind === 'call' && op.target === 'helper' && op.imm === 181) },
    { compiled: false },
  ],
  [
    'has one stack',
    { refuses: (one) => uses((op) => op.kind === 'st' && op.off < -256, 2)(one) },
    { privateStack: false },
  ],
];

it.each(KERNELS)('a kernel that %s', (_, made, lacks) => {
  kernel.refuses = made.refuses ?? (() => false);
  kernel.functions = made.functions ?? ALL;
  kernel.members = made.members ?? true;
  kernel.rounds = made.noRuns ? undefined : (made.rounds ?? 1);
  expect(runningBehaviour()).toEqual({ ...WHOLE, ...lacks });
  expect(kernel.open).toBe(0);
});
