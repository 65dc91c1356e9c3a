/**
 * What differs between kernels is decided by the profile that a verification is given, and by nothing else: each behaviour has a program that
 * is judged by it, in the way that the profile says, and every other program gets the same verdict under every profile. The kernels here
 * are made up; none is asked.
 */
import { describe, expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import { killBeforeEveryInsn } from '../../src/campaign/kill/kill-everywhere.js';
import { pathOf, prepareProgram, runOptions } from '../../src/campaign/kill/prepared-program.js';
import { type Behaviour, BUILT_IN, type KernelProfile, LAXEST } from '../../src/kernel/profile.js';
import { PROG_TYPES, type Program, type ProgType } from '../../src/object/program.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import type { Profile } from '../../src/verifier/state/profile.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { Vm } from '../../src/vm/vm.js';
import { KNOWN_CASES } from '../support/kernel/known-cases.js';
import { FAMILIES } from '../support/verifier/families.js';

/** Of the families every so many rows are judged twice; and so many generated programs. */
const ONE_IN = 7;
const GENERATED = 60;
/** Types that say where they attach, or are not loaded everywhere. */
const NEEDS_MORE: ReadonlySet<ProgType> = new Set([
  'tp_btf',
  'iter',
  'fentry',
  'lsm',
  'cgroup_sockopt',
  'sk_lookup',
]);

const program = (text: string): Program => parseCase(text).program;
const behaving = (behaviour: Partial<Behaviour>): KernelProfile => ({
  ...BUILT_IN,
  release: 'made up',
  digest: 'made up',
  behaviour: { ...BUILT_IN.behaviour, ...behaviour },
});

const chain = (frames: number): string => {
  const names = ['main', ...Array.from({ length: frames - 1 }, (_, i) => `f${i + 1}`)];
  return `.type xdp\n${names
    .map((name, i) => `${name}:\n${i + 1 < frames ? `    call f${i + 1}\n` : ''}    r0 = 0\n    exit\n`)
    .join('')}`;
};

const nested = (unlocks: number): string =>
  `.type tc\nmain:\n${'    call bpf_rcu_read_lock\n'.repeat(2)}${'    call bpf_rcu_read_unlock\n'.repeat(unlocks)}    r0 = 0\n    exit\n`;

const lookup = (name: string, size: string): string => `.type xdp
main:
    r6 = r1
    *(u64 *)(r10 - 16) = 0
    *(u64 *)(r10 - 8) = 0
    r1 = r6
    r2 = 0
    r3 = ${size}
    r4 = r10
    r4 += -16
    r5 = 12
    call ${name}
    if r0 == 0 goto out
    r1 = r0
    call bpf_ct_release
out:
    r0 = 0
    exit
`;

/** An object out of a map, which is protected by RCU and no more than that. */
const lesser = (struct: string, name: string): string => `.type tracepoint
.map m array key=4 value=8 entries=1 kptr:${struct}@0
main:
    *(u32 *)(r10 - 4) = 0
    r1 = map m
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    if r0 == 0 goto out
    r1 = *(u64 *)(r0 + 0)
    if r1 == 0 goto out
    r2 = 0
    r3 = 0
    r4 = 0
    call ${name}
out:
    r0 = 0
    exit
`;

interface Difference {
  readonly text: string;
  /** The profile under which the program is accepted, and the one under which it is refused. */
  readonly accepts: Partial<Behaviour>;
  readonly refuses: Partial<Behaviour>;
  readonly message: RegExp;
}

const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'NULL for the memory of a kfunc': {
    text: lookup('bpf_xdp_ct_lookup', '0'),
    accepts: { nullKfuncMemory: true },
    refuses: { nullKfuncMemory: false },
    message: /^Possibly NULL pointer passed to trusted arg1$/,
  },
  'a pointer that is less than trusted': {
    text: lesser('cgroup', 'css_rstat_updated'),
    accepts: { lesserKfuncPointers: true },
    refuses: { lesserKfuncPointers: false },
    message: /^R1 must be referenced or trusted$/,
  },
  'nested RCU sections': {
    text: nested(2),
    accepts: { nestedRcu: true },
    refuses: { nestedRcu: false },
    message: /^nested rcu read lock/,
  },
  'nine frames': {
    text: chain(9),
    accepts: { frames: 16 },
    refuses: { frames: 8 },
    message: /call stack of 9 frames is too deep/,
  },
  'sixteen frames': {
    text: chain(16),
    accepts: { frames: 16 },
    refuses: { frames: 15 },
    message: /call stack of 16 frames is too deep/,
  },
  may_goto: {
    text: '.type xdp\nmain:\n    r0 = 0\n    may_goto out\n    r0 = 1\nout:\n    exit\n',
    accepts: { mayGoto: true },
    refuses: { mayGoto: false },
    message: /^this kernel does not know may_goto$/,
  },
  'a call with a landing pad': {
    text: '.type xdp\nmain:\n    call work\n    unwind_goto pad\n    r0 = 1\n    exit\npad:\n    r0 = 2\n    exit\nwork:\n    r0 = 0\n    exit\n',
    accepts: { landingPads: true },
    refuses: { landingPads: false },
    message: /^invalid may_goto imm 0$/,
  },
  'the main program left by unwind_exit': {
    text: '.type xdp\nmain:\n    r0 = 0\n    unwind_exit\n',
    accepts: { landingPads: true },
    refuses: { landingPads: false },
    message: /^BPF_EXIT uses reserved fields$/,
  },
  'ordered loads': {
    text: '.type xdp\nmain:\n    *(u64 *)(r10 - 8) = 0\n    r0 = load_acquire((u64 *)(r10 - 8))\n    exit\n',
    accepts: { orderedAccess: true },
    refuses: { orderedAccess: false },
    message: /^this kernel does not know load_acquire$/,
  },
  'ordered stores': {
    text: '.type xdp\nmain:\n    r0 = 0\n    store_release((u64 *)(r10 - 8), r0)\n    exit\n',
    accepts: { orderedAccess: true },
    refuses: { orderedAccess: false },
    message: /^this kernel does not know store_release$/,
  },
  ...Object.fromEntries(
    [
      ['r0 = (s8)r0', 'a move that extends the sign'],
      ['r0 = *(s8 *)(r10 - 8)', 'a load that extends the sign'],
      ['r0 s/= 2', 'a signed division'],
      ['r0 s%= 2', 'a signed division'],
      ['r0 = bswap64 r0', 'bswap'],
      ['gotol next\nnext:', 'a jump of 32 bits'],
    ].map(([insn, what]): [string, Difference] => [
      insn!,
      {
        text: `.type xdp\nmain:\n    r0 = 0\n    *(u64 *)(r10 - 8) = 0\n    ${insn}\n    r0 &= 1\n    exit\n`,
        accepts: { signedInsns: true },
        refuses: { signedInsns: false },
        message: new RegExp(`^this kernel does not know ${what}$`),
      },
    ]),
  ),
  callbacks: {
    text: '.type xdp\nmain:\n    r1 = 1\n    r2 = func round\n    r3 = 0\n    r4 = 0\n    call bpf_loop\n    r0 = 0\n    exit\nround:\n    r0 = 0\n    exit\n',
    accepts: { compiled: true },
    refuses: { compiled: false },
    message: /^callbacks are not allowed in non-JITed programs$/,
  },
  'tail calls of programs with functions': {
    text: '.type xdp\n.map progs prog_array key=4 value=4 entries=1\nmain:\n    r6 = r1\n    call f\n    r1 = r6\n    r2 = map progs\n    r3 = 0\n    call bpf_tail_call\n    r0 = 0\n    exit\nf:\n    r0 = 0\n    exit\n',
    accepts: { compiled: true },
    refuses: { compiled: false },
    message: /^tail_calls are not allowed in non-JITed programs/,
  },
  'frames off the stack of the kernel': {
    text: '.type tracepoint\nmain:\n    *(u64 *)(r10 - 400) = 0\n    call f\n    exit\nf:\n    *(u64 *)(r10 - 400) = 0\n    r0 = 0\n    exit\n',
    accepts: { privateStack: true },
    refuses: { privateStack: false },
    message: /^combined stack size of 2 calls is \d+\. Too large$/,
  },
};

describe('each behaviour', () => {
  it.each(Object.entries(DIFFERENCES))('%s', (_, { text, accepts, refuses, message }) => {
    const one = program(text);
    expect(verify(one, { kernel: behaving(accepts) })).toMatchObject({ ok: true });
    const refused = verify(one, { kernel: behaving(refuses) });
    expect(refused).toMatchObject({ ok: false, message: expect.stringMatching(message) });
  });

  it('has a program', () => {
    const told = new Set(Object.values(DIFFERENCES).flatMap(({ accepts }) => Object.keys(accepts)));
    // How may_goto ends a loop is nothing to a verdict, only to a bound.
    expect([...told, 'timedMayGoto'].sort()).toEqual(Object.keys(BUILT_IN.behaviour).sort());
  });

  it('lets no more pass than it says', () => {
    const laxest = { kernel: LAXEST };
    // A size that may be anything, one that is not 0, and memory that may be NULL.
    for (const size of ['*(u32 *)(r6 + 12)', '8'])
      expect(verify(program(lookup('bpf_xdp_ct_lookup', size)), laxest)).toMatchObject({ ok: false });
    expect(verify(program(lesser('task_struct', 'bpf_send_signal_task')), laxest)).toMatchObject({
      ok: false,
      message: 'R1 must be referenced or trusted',
    });
    expect(verify(program(nested(1)), laxest)).toMatchObject({ ok: false });
    expect(verify(program(nested(3)), laxest)).toMatchObject({ ok: false });
    expect(verify(program(chain(17)), laxest)).toMatchObject({ ok: false });
  });

  it('leaves a section open until the last of those that are nested is left', () => {
    const inside = nested(2).replace(
      '    call bpf_rcu_read_unlock\n',
      '    call bpf_rcu_read_unlock\n    r1 = 0\n    call bpf_throw\n',
    );
    expect(verify(program(inside), { kernel: LAXEST })).toMatchObject({
      ok: false,
      message: expect.stringContaining('inside bpf_rcu_read_lock-ed region'),
    });
  });
});

describe('under the laxest profile', () => {
  it.each([
    ['sixteen frames', chain(16)],
    ['nested sections', nested(2)],
    ['no memory', lookup('bpf_xdp_ct_lookup', '0')],
  ])('%s: proven, run and killed everywhere', async (_, text) => {
    const sound = shippedRuleSet('sound')!;
    const one = program(text);
    expect(await proveProgram(one, sound)).toMatchObject({ verdict: 'unknown' });
    expect(await proveProgram(one, sound, { kernel: LAXEST })).toMatchObject({ verdict: 'proven' });
    const made = prepareProgram(one, 'privileged', { kernel: LAXEST });
    if (typeof made === 'string') throw new Error(made);
    const path = pathOf(made, sound);
    const options = { ...runOptions(made, path), checkFacts: true };
    expect(new Vm(made.code, options).run()).toMatchObject({
      end: 'exit',
      violations: [],
      disagreement: undefined,
    });
    const { broken, ordinary } = killBeforeEveryInsn(made.code, options);
    expect(ordinary.disagreement).toBeUndefined();
    expect(broken).toEqual([]);
  });
});

/** What is refused for a reason in which kernels differ. */
const DEPENDS = Object.values(DIFFERENCES).map(({ message }) => message);

describe('every other program is judged alike', () => {
  /** Whether the verdicts of the two profiles differ. */
  const differs = (one: Program, profile: Profile): boolean => {
    const strictest = verify(one, { profile, facts: false });
    const laxest = verify(one, { profile, facts: false, kernel: LAXEST });
    if (!strictest.ok && DEPENDS.some((words) => words.test(strictest.message))) return laxest.ok;
    expect(laxest.ok ? '' : laxest.message).toBe(strictest.ok ? '' : strictest.message);
    return false;
  };

  it.each(FAMILIES.map((family) => [family.name, family] as const))('%s', (_, { rows, columns }) => {
    for (const [i, row] of rows.entries()) {
      if (i % ONE_IN !== 0) continue;
      for (const column of columns) {
        const one = row.program(column);
        if (one !== undefined) differs(one, 'privileged');
      }
    }
  });

  it('what Linux is known to say, and what generators make', () => {
    for (const { program: one } of KNOWN_CASES) differs(one, 'privileged');
    for (let index = 0; index < GENERATED; index++)
      expect(differs(sample(1, index).program, 'privileged')).toBe(false);
  });
});

/** Functions that a kernel has not, or gives to others, or declares otherwise. */
describe('functions', () => {
  const calls = (type: string): Program =>
    program(
      `.type ${type}\nmain:\n    call bpf_ktime_get_ns\n    call bpf_get_smp_processor_id\n    r0 = 0\n    exit\n`,
    );
  const kfunc = (type: string): Program =>
    program(
      `.type ${type}\nmain:\n    call bpf_preempt_disable\n    call bpf_preempt_enable\n    r0 = 0\n    exit\n`,
    );
  const having = (more: Partial<KernelProfile>): KernelProfile => ({ ...BUILT_IN, ...more });

  it('are refused in types that the kernel does not give them to', () => {
    const without = having({ types: { bpf_ktime_get_ns: ['xdp'], bpf_preempt_disable: [] } });
    expect(verify(calls('xdp'), { kernel: without })).toMatchObject({ ok: true });
    expect(verify(calls('tc'), { kernel: without })).toMatchObject({
      ok: false,
      message: 'program of this type cannot use helper bpf_ktime_get_ns#5',
    });
    expect(verify(kfunc('xdp'), { kernel: without })).toMatchObject({
      ok: false,
      message: 'calling kernel function bpf_preempt_disable is not allowed',
    });
  });

  it('are taken in further types where they are the same for all', () => {
    const text = (type: string): string =>
      `.type ${type}\nmain:\n    call bpf_ktime_get_coarse_ns\n    r0 = 0\n    exit\n`;
    const refused = (type: string): boolean => !verify(program(text(type))).ok;
    const type = PROG_TYPES.find((one) => !NEEDS_MORE.has(one) && refused(one))!;
    const more = having({ types: { bpf_ktime_get_coarse_ns: [type] } });
    expect(verify(program(text(type)), { kernel: more })).toMatchObject({ ok: true });
    // What takes the context of its program may be something else there.
    const cookie = `.type ${type}\nmain:\n    call bpf_get_socket_cookie\n    r0 = 0\n    exit\n`;
    const given = having({ types: { bpf_get_socket_cookie: [type] } });
    expect(verify(program(cookie), { kernel: given })).toMatchObject({ ok: false, reason: 'unsupported' });
  });

  it('that are declared otherwise are not modelled', () => {
    const declared = 'void bpf_preempt_disable(int why)';
    const other = having({ prototypes: { bpf_preempt_disable: declared } });
    expect(verify(kfunc('xdp'), { kernel: other })).toMatchObject({
      ok: false,
      reason: 'unsupported',
      message: expect.stringContaining(declared),
    });
  });

  it('sleep as the kernel says', () => {
    const user = program(
      '.type syscall\nmain:\n    call bpf_preempt_disable\n    call bpf_ktime_get_ns\n    call bpf_preempt_enable\n    r0 = 0\n    exit\n',
    );
    expect(verify(user)).toMatchObject({ ok: true });
    expect(verify(user, { kernel: having({ sleeps: { bpf_ktime_get_ns: true } }) })).toMatchObject({
      ok: false,
      message: 'sleepable helper bpf_ktime_get_ns#5 in non-preemptible region',
    });
  });
});
