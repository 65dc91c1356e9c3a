/**
 * What `prove` promises of a program is kept by its exported form. Killed at any of its polls, a run walks no more of the program's insns to its exit than
 * the proven bound, and as many as the killed original; and no run comes further than was said before it polls. In Linux the time is held too, with a
 * generous factor: ten nanoseconds an insn, and what an interrupt takes.
 */
import { quantile } from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import { decodeAll } from '../../src/isa/decode.js';
import { InputError } from '../../src/isa/errors.js';
import { KillableRun } from '../../src/live/run/killed-runs.js';
import type { Program } from '../../src/object/program.js';
import sound from '../../src/patch/sets/sound.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import {
  isPoll,
  killedVm,
  LIMIT,
  type Pair,
  pairOf,
  programOf,
  runOf,
  setWord,
} from '../support/live/killable.js';
import { LONG_LOOPS } from '../support/live/long-loops.js';
import { LOOPS } from '../support/live/loops.js';
import { SAMPLES } from '../support/vm/sample-cases.js';

/** Insns of the program that a run of its exported form walks from here on: all that is written for one insn, such as a stub, counts once. */
function walked({ flat }: Pair, from: ReturnType<typeof runOf>): number | undefined {
  const vm = from.fork();
  setWord(vm, 1);
  let count = 0;
  let before = -1;
  while (vm.running) {
    if (vm.machine.steps > 20 * LIMIT) return undefined;
    const { mode, slot } = flat.origins[vm.machine.pc]!;
    if (mode !== 'switch') {
      if (slot !== before) count++;
      before = slot;
    }
    vm.step();
  }
  return count;
}

interface Compared {
  readonly kills: number;
  readonly longest: number;
  readonly bound: number;
}

/** Kills at each poll of some runs; undefined for a program without export or exact bound. */
async function compare(
  name: string,
  program: Program,
  distance: number,
  seeds: readonly number[],
): Promise<Compared | undefined> {
  const made = pair(program, distance);
  const proof = await proveProgram(program, sound);
  if (made === undefined || proof.boundKind !== 'exact' || proof.bound === undefined) return undefined;
  const ops = decodeAll(made.flat.program.insns);
  const hasBudget = decodeAll(program.insns).some((op) => op?.kind === 'may_goto');
  const written = new Set(made.flat.origins.flatMap(({ mode, slot }) => (mode === 'stub' ? [slot] : [])));
  let [kills, longest] = [0, 0];
  for (const seed of seeds) {
    const vm = runOf(made.flat.program, seed);
    let steps = 0;
    while (vm.running && vm.machine.steps < LIMIT && kills < 60) {
      const { pc } = vm.machine;
      if (isPoll(made.flat, ops, pc)) {
        const insns = walked(made, vm);
        const original = killedVm(made, seed, steps);
        // A stub that has nothing to do is no insn at all.
        let same = 0;
        while (original.running && original.machine.steps < steps + LIMIT) {
          const { pc: at } = original.machine;
          if (!made.path.stubs.has(at) || written.has(at)) same++;
          original.step();
        }
        const own = original.machine.steps - steps;
        // A killed run finds the budget of may_goto spent; that of the VM is the world's.
        if (!hasBudget) expect([name, steps, insns]).toEqual([name, steps, same]);
        expect([name, steps, insns !== undefined && insns <= proof.bound]).toEqual([name, steps, true]);
        expect([name, steps, own <= proof.bound]).toEqual([name, steps, true]);
        longest = Math.max(longest, own);
        kills++;
      }
      const { mode } = made.flat.origins[pc]!;
      vm.step();
      if (mode === 'normal') steps++;
    }
  }
  return { kills, longest, bound: proof.bound };
}

function pair(program: Program, distance: number): Pair | undefined {
  try {
    return pairOf(program, { distance, entry: true });
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

describe('killed at a poll', () => {
  it('a run walks no more insns than are proven', async () => {
    const programs: (readonly [string, Program])[] = [
      ...Object.entries(LOOPS).map(([name, text]) => [name, programOf(text)] as const),
      ...[...SAMPLES].map(([name, { program }]) => [name, program] as const),
      ...Array.from({ length: 12 }, (_, i) => [`program ${i}`, sample(14, i).program] as const),
    ];
    const all: Compared[] = [];
    for (const [name, program] of programs) {
      const found = await compare(name, program, 5, [1, 2]);
      if (found !== undefined) all.push(found);
    }
    expect(all.reduce((sum, { kills }) => sum + kills, 0)).toBeGreaterThan(200);
    // The bound is no idle one: many runs come up to half of it, and some to all of it.
    const far = all.filter(({ kills }) => kills > 0);
    expect(far.filter(({ longest, bound }) => 2 * longest >= bound).length).toBeGreaterThan(far.length / 2);
    expect(far.some(({ longest, bound }) => longest === bound)).toBe(true);
  });
});

describeKnownKernel('in Linux', () => {
  it('a killed run is gone within the time of its insns', async () => {
    const program = programOf(LONG_LOOPS);
    const proof = await proveProgram(program, sound);
    const { flat, polls } = pairOf(program, { distance: 64 });
    expect(proof.boundKind).toBe('exact');
    const open = KillableRun.open(flat.program, 0);
    try {
      const times: number[] = [];
      for (let i = 0; i < 24; i++) {
        const { killed, toExit } = await open.run(50_000 + 7_000 * i);
        if (killed) times.push(toExit!);
      }
      expect(times.length).toBeGreaterThan(12);
      const most = 10 * (proof.bound! + polls.longest) + 50_000;
      // Another task may have the CPU meanwhile; not in half of all runs.
      expect([most, quantile(times, 0.5) <= most, quantile(times, 0.5)]).toEqual([
        most,
        true,
        quantile(times, 0.5),
      ]);
    } finally {
      open.close();
    }
  });
});
