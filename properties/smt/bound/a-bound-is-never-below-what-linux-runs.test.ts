/**
 * The bound of a loop is what Linux promises of it, and no more: rounds where they are counted, a time where the clock ends it, nothing where nothing
 * does. Where the kernel runs the program, as often as it may be made to go round, the insns are within the bound.
 */
import { expect, it } from 'vitest';
import { BUILT_IN, type KernelProfile } from '../../../src/kernel/profile.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { testRun } from '../../../src/oracle/testrun.js';
import { rule, ruleSet } from '../../../src/patch/define.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import type { ProgramProof } from '../../../src/smt/proof.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';

const KEEPS = ruleSet('keeps', [rule('everything runs').keep()]);
const prove = (text: string, kernel: KernelProfile = BUILT_IN): Promise<ProgramProof> =>
  proveProgram(parseCase(`.type syscall\n.license GPL\n${text}`, 'loop.bpf').program, KEEPS, { kernel });

/** Passes that the clock does not see, as mark of how often a loop goes round outside of its time. */
const UNTIMED = 2 * 65_535 + 1;

const MAY_GOTO = `main:
 w0 = 0
again:
 may_goto over
 w0 += 1
 goto again
over:
 exit
`;
const NESTED = `main:
 w0 = 0
outer:
 may_goto over
inner:
 may_goto outer
 w0 += 1
 goto inner
over:
 exit
`;
const CALLED = `main:
again:
 may_goto over
 call inside
 goto again
over:
 r0 = 0
 exit
inside:
 w0 = 0
once:
 may_goto back
 goto once
back:
 exit
`;
const loopOf = (count: string): string => `main:
 call bpf_get_prandom_u32#7
${count} r2 = func each
 r3 = 0
 r4 = 0
 call bpf_loop#181
 exit
each:
 w0 = 0
 exit
`;
const timedCallback = `main:
 w1 = 9
 r2 = func each
 r3 = 0
 r4 = 0
 call bpf_loop#181
 exit
each:
 w0 = 0
again:
 may_goto over
 goto again
over:
 exit
`;
/** Counts what the callback does in the first word of map c, and returns it. */
const overMap = (map: string, work = '', first = ''): string => `.map h ${map}
.map c array key=4 value=16 entries=1
main:
${first} r1 = map h
 r2 = func each
 r3 = 0
 r4 = 0
 call bpf_for_each_map_elem#164
 r6 = mapvalue c
 r0 = *(u64 *)(r6 +0)
 exit
each:
 r6 = mapvalue c
 r7 = *(u64 *)(r6 +0)
 r7 += 1
 *(u64 *)(r6 +0) = r7
${work} r0 = 0
 exit
`;
/** Deletes the element that the walk has come to and adds another one, until that was done often enough. */
const REFILL = ` if r7 > 1000 goto enough
 r1 = *(u32 *)(r2 +0)
 *(u32 *)(r10 -4) = r1
 r2 = r10
 r2 += -4
 r1 = map h
 call bpf_map_delete_elem#3
 *(u32 *)(r10 -4) = r7
 *(u64 *)(r10 -16) = r7
 r2 = r10
 r2 += -4
 r3 = r10
 r3 += -16
 r1 = map h
 r4 = 0
 call bpf_map_update_elem#2
 goto next
enough:
 r0 = 1
 exit
next:
`;
/** Fills map h with its 8 entries. */
const FULL = [...Array(8).keys()]
  .map(
    (key) => ` *(u32 *)(r10 -4) = ${5000 + key}
 *(u64 *)(r10 -16) = 0
 r2 = r10
 r2 += -4
 r3 = r10
 r3 += -16
 r1 = map h
 r4 = 0
 call bpf_map_update_elem#2
`,
  )
  .join('');
const iterate = (name: string, make: string): string => `main:
${make} r1 = r10
 r1 += -64
 call ${name}_new
next:
 r1 = r10
 r1 += -64
 call ${name}_next
 if r0 != 0x0 goto next
 r1 = r10
 r1 += -64
 call ${name}_destroy
 r0 = 0
 exit
`;
const DRAIN = `.map u user_ringbuf entries=4096
main:
 r1 = map u
 r2 = func each
 r3 = 0
 r4 = 0
 call bpf_user_ringbuf_drain#209
 r0 = 0
 exit
each:
 r0 = 0
 exit
`;

it('a loop that the clock ends has a time, and the insns beside it', async () => {
  const alone = await prove(MAY_GOTO);
  expect(alone).toMatchObject({ verdict: 'proven', boundKind: 'time-limited', bound: undefined });
  // Three insns a round, and the two outside of it.
  expect(alone.timeLimit).toEqual({ ms: 250, insns: 3 * UNTIMED + 2 });
  expect(alone.loops).toEqual([{ slot: 1, by: 'may_goto', ms: 250 }]);
  // Behind the loop the bound is exact again.
  expect(alone.bounds.get(4)).toBe(1);
});

it('loops in one frame share its time, and a frame that is entered again has its time again', async () => {
  const nested = (await prove(NESTED)).timeLimit!;
  expect(nested.ms).toBe(250);
  // Of the order of one loop, not of their product.
  expect(nested.insns).toBeLessThan(10 * UNTIMED);
  expect(
    (await prove(MAY_GOTO.replace(' exit', 'next:\n may_goto end\n w0 += 1\n goto next\nend:\n exit')))
      .timeLimit?.ms,
  ).toBe(250);
  expect((await prove(CALLED)).timeLimit?.ms).toBe(250 + 250 * UNTIMED);
  // Walked round by round, the function is entered three times, from one place.
  const thrice = `main:\n r6 = 3\nturn:\n call inside\n r6 += -1\n if r6 != 0x0 goto turn\n r0 = 0\n exit\n`;
  expect((await prove(thrice + CALLED.slice(CALLED.indexOf('inside:')))).timeLimit?.ms).toBe(750);
  // The call of bpf_loop counts as one more pass than it has rounds.
  expect((await prove(timedCallback)).timeLimit?.ms).toBe(250 * 10);
});

it('where a kernel counts may_goto, the frame shares the count', async () => {
  const counting = { ...BUILT_IN, behaviour: { ...BUILT_IN.behaviour, timedMayGoto: false } };
  for (const text of [MAY_GOTO, NESTED]) {
    const proof = await prove(text, counting);
    expect(proof.boundKind).toBe('exact');
    expect(proof.bound).toBeGreaterThan(3 * 2 ** 23);
    expect(proof.bound).toBeLessThan(10 * 2 ** 23);
  }
});

const ENDLESS: readonly (readonly [what: string, text: string, why: string])[] = [
  ['a hash', overMap('hash key=4 value=8 entries=8'), "map 'h' (hash)"],
  ['a hash that is refilled', overMap('hash key=4 value=8 entries=8', REFILL), "map 'h' (hash)"],
  ['a hash that forgets', overMap('lru_hash key=4 value=8 entries=8'), "map 'h' (lru_hash)"],
  ['a hash of each CPU', overMap('percpu_hash key=4 value=8 entries=8'), "map 'h' (percpu_hash)"],
  ['tasks', `${iterate('bpf_iter_task', ' r2 = 0\n r3 = 0\n')}`, 'list of the kernel'],
];
it.each(ENDLESS)('%s: nothing bounds the walk, and the answer says so', async (_, text, why) => {
  const guarded = text.includes('bpf_iter_task')
    ? text
        .replace('main:\n', 'main:\n call bpf_rcu_read_lock\n')
        .replace(' r0 = 0\n exit', ' call bpf_rcu_read_unlock\n r0 = 0\n exit')
    : text;
  const proof = await prove(guarded);
  expect(proof).toMatchObject({ verdict: 'unknown', boundKind: 'unbounded', bound: undefined });
  expect(proof.reason).toContain(why);
  expect(proof.advice).toContain('stub');
});

const COUNTED: readonly (readonly [what: string, text: string, rounds: number])[] = [
  ['an array', overMap('array key=4 value=8 entries=8'), 8],
  ['an array of each CPU', overMap('percpu_array key=4 value=8 entries=8'), 8],
  ['a loop of 1000', loopOf(' r1 = 1000\n'), 1000],
  ['a loop of any number', loopOf(' r1 = r0\n'), 2 ** 23],
  ['numbers', iterate('bpf_iter_num', ' r2 = 0\n r3 = 100\n'), 2 ** 23],
  ['samples of user space', DRAIN, 131_072],
];
it.each(COUNTED)('%s: the rounds are counted', async (_, text, rounds) => {
  const proof = await prove(text);
  expect([proof.reason, proof.boundKind]).toEqual(['', 'exact']);
  // A round takes between 2 and 20 insns.
  expect(proof.bound! / rounds).toBeGreaterThanOrEqual(2);
  expect(proof.bound!).toBeLessThan(20 * (rounds + 2));
});

describeKnownKernel('Linux runs no more', () => {
  const counting: readonly (readonly [string, string, insnsOfARound: number])[] = [
    ['may_goto', MAY_GOTO, 3],
    ['nested may_gotos', NESTED, 3],
    ['an array', overMap('array key=4 value=8 entries=8'), 6],
    ['a hash that is refilled', overMap('hash key=4 value=8 entries=8', REFILL, FULL), 6],
    ['a loop', loopOf(' r1 = 1000\n'), 2],
  ];
  it.each(counting)('%s', { timeout: 20_000 }, async (_, text, insns) => {
    const { program } = parseCase(`.type syscall\n.license GPL\n${text}`);
    const { bound = Number.POSITIVE_INFINITY } = await prove(text);
    const loaded = loadProgram(program);
    if (!loaded.ok) throw new Error(loaded.message);
    try {
      const result = testRun(program, loaded);
      if (!result.ok) throw new Error(result.message);
      expect(Number(result.retval) * insns).toBeLessThanOrEqual(bound);
      // The map has 8 entries, and Linux meets each of them, beside those that are put in meanwhile.
      if (text.includes(FULL)) expect(Number(result.retval)).toBeGreaterThanOrEqual(8);
    } finally {
      loaded.close();
    }
  });
});
