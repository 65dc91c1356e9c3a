/** Killing a run: before each of its insns, or before some, and letting each killed copy run out patched. */
import type { Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import { seededChooser } from './chooser.js';
import type { Code } from './code.js';
import { EMPTY, type Environment } from './environment.js';
import type { Violation } from './trap.js';
import { DEFAULT_LIMIT, type RunResult, Vm, type VmOptions } from './vm.js';

/** A check that broke in a killed run. */
export interface KillViolation extends Violation {
  /** Steps executed before the kill: `.kill step=N` replays it. */
  readonly at: number;
  /** Slot of the insn before which the kill came. */
  readonly from: number;
}

/** What the killed copies of one run did, taken together. */
export interface KillReport {
  /** Termination points tried. */
  readonly points: number;
  readonly violations: readonly KillViolation[];
  /** The most insns that a killed run took to its exit. */
  readonly worstSteps: number;
  /** Environment of the first killed run that broke a check, with its own choices: what a case needs. */
  readonly env: Environment | undefined;
  /** The run that was not killed. */
  readonly run: RunResult;
}

/** How the copies run; environment and fast path are given apart. */
export type KillOptions = Omit<VmOptions, 'env' | 'fastPath'>;

class Tally {
  private points = 0;
  private worst = 0;
  private readonly violations: KillViolation[] = [];
  private env: Environment | undefined;

  /** Kills a copy of the run where it stands. */
  killHere(vm: Vm): void {
    const killed = vm.fork();
    const { pc, steps } = killed.machine;
    killed.kill();
    const result = killed.run();
    this.points++;
    this.worst = Math.max(this.worst, result.steps - steps);
    if (result.violations.length === 0) return;
    this.env ??= result.env;
    for (const violation of result.violations) this.violations.push({ ...violation, at: steps, from: pc });
  }

  report(run: RunResult): KillReport {
    const { points, violations, worst, env } = this;
    return { points, violations, worstSteps: worst, env, run };
  }
}

/**
 * Runs the program once and kills a copy of the run before every insn, at any frame depth and inside callbacks. Time grows with the
 * square of the run's length; a run longer than `maxSteps` is killed up to there.
 */
export function killEverywhere(
  program: Program | Code,
  fastPath: FastPath,
  env: Environment = EMPTY,
  options: KillOptions = {},
): KillReport {
  const vm = new Vm(program, { ...options, env, fastPath });
  const tally = new Tally();
  const { maxSteps = DEFAULT_LIMIT } = options;
  while (vm.running && vm.machine.steps < maxSteps) {
    tally.killHere(vm);
    vm.step();
  }
  return tally.report(vm.run());
}

/** The same at `kills` points at most, spread at random (by `seed`) over a run of any length. */
export function killRandomly(
  program: Program | Code,
  fastPath: FastPath,
  env: Environment = EMPTY,
  options: KillOptions & { readonly kills?: number; readonly seed?: number } = {},
): KillReport {
  const { kills = 16, seed = 0 } = options;
  const whole = new Vm(program, { ...options, env, fastPath }).run();
  const chooser = seededChooser(seed);
  const last = BigInt(Math.max(0, whole.steps - 1));
  const at = new Set<number>();
  for (let i = 0; i < kills; i++) {
    // Uniform over the run: `number` prefers the ends, so build from bytes.
    const [a, b, c, d] = chooser.bytes(`kill#${i}`, 4);
    const random = ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
    at.add(Number(BigInt(random) % (last + 1n)));
  }
  const vm = new Vm(program, { ...options, env, fastPath });
  const tally = new Tally();
  for (const step of [...at].sort((x, y) => x - y)) {
    vm.advance(step);
    if (vm.running) tally.killHere(vm);
  }
  return tally.report(whole);
}
