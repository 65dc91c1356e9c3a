/**
 * A run goes to the landing pad of a call just where the function that was called left by unwind_exit, with that function's r0; whatever it
 * does, the facts of the verifier hold at every insn, and both tiers do the same.
 */
import { expect, it } from 'vitest';
import { verify } from '../../../src/verifier/verify.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { type RunResult, Vm } from '../../../src/vm/vm.js';
import { padProgram, WITH_PADS } from '../../support/pads/pads.js';

/** `work` leaves with a number in r0: by unwind_exit where it is above 7. The program answers with that number, and 100 more from the pad. */
const ANSWERS = padProgram(`main:
    r6 = 100
    *(u64 *)(r10 - 8) = 1
    call work
    unwind_goto pad
    exit
pad:
    r0 += r6
    r1 = *(u64 *)(r10 - 8)
    r0 += r1
    exit
work:
    r6 = 5
    *(u64 *)(r10 - 8) = 9
    call bpf_get_prandom_u32
    r0 &= 15
    if r0 > 7 goto away
    exit
away:
    unwind_exit
`);

/** The pad of an inner call leaves its own frame by unwind_exit, so that the outer pad is next. */
const TWICE = padProgram(`main:
    call outer
    unwind_goto pad
    r0 += 1000
    exit
pad:
    r0 += 100
    exit
outer:
    call work
    unwind_goto on
    exit
on:
    r0 += 10
    unwind_exit
work:
    call bpf_get_prandom_u32
    r0 &= 1
    if r0 != 0 goto away
    exit
away:
    unwind_exit
`);

/** A global function, and a callback that calls a function which unwinds. */
const OTHERS = padProgram(`.global work
main:
    call work
    unwind_goto pad
    r1 = 4
    r2 = func round
    r3 = 0
    r4 = 0
    call bpf_loop
    exit
pad:
    r0 = 77
    exit
round:
    call deep
    unwind_goto end
    r0 = 0
    exit
end:
    r0 = 1
    exit
deep:
    call bpf_get_prandom_u32
    r0 &= 1
    if r0 != 0 goto down
    exit
down:
    unwind_exit
work:
    call bpf_get_prandom_u32
    r0 &= 1
    if r0 != 0 goto away
    exit
away:
    r0 = 0
    unwind_exit
`);

const RUNS = Array.from({ length: 60 }, (_, seed) => seed);

function run(program: typeof ANSWERS, seed: number): RunResult {
  const verified = verify(program, { kernel: WITH_PADS });
  expect(verified).toMatchObject({ ok: true });
  if (!verified.ok) throw new Error(verified.message);
  const how = { facts: verified.facts, checkFacts: true, chooser: seededChooser(seed) } as const;
  const results = (['fast', 'definitional'] as const).map((tier) => new Vm(program, { ...how, tier }).run());
  const [one, other] = results.map(({ disagreement, end, r0, steps, violations }) => {
    expect(disagreement).toBeUndefined();
    expect([end, violations]).toEqual(['exit', []]);
    return { r0, steps };
  });
  expect(one).toEqual(other);
  return results[0]!;
}

it('the pad is run with what the function left in r0, and with the frame of the caller', () => {
  const answers = new Set(RUNS.map((seed) => Number(run(ANSWERS, seed).r0)));
  const expected = new Set([
    ...[0, 1, 2, 3, 4, 5, 6, 7],
    ...[8, 9, 10, 11, 12, 13, 14, 15].map((n) => n + 101),
  ]);
  expect([...answers].filter((answer) => !expected.has(answer))).toEqual([]);
  expect(answers.size).toBeGreaterThan(6);
  expect([...answers].some((answer) => answer > 100) && [...answers].some((answer) => answer < 8)).toBe(true);
});

it('a pad may leave its frame as the function that it was reached from left its own', () => {
  expect(new Set(RUNS.map((seed) => Number(run(TWICE, seed).r0)))).toEqual(new Set([1000, 111]));
});

it('global functions unwind, and functions that callbacks call', () => {
  const answers = new Set(RUNS.map((seed) => Number(run(OTHERS, seed).r0)));
  expect(answers.has(77)).toBe(true);
  expect(answers.size).toBeGreaterThan(2);
});

it('a fork behind an unwind_exit goes to the pad too', () => {
  for (const seed of RUNS) {
    const vm = new Vm(ANSWERS, { chooser: seededChooser(seed) });
    while (vm.running && !vm.machine.unwound) vm.step();
    if (!vm.running) continue;
    const fork = vm.fork();
    expect(fork.run().r0).toBe(vm.run().r0);
    expect(Number(vm.result().r0)).toBeGreaterThan(100);
    return;
  }
  expect.unreachable('no run unwound');
});
