/** Killing a run: before each of its insns, or before some, and letting each killed copy run out patched. */
import type { Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import { type KilledAlike, KillPoints, killInClasses } from './kill-classes.js';
import { seededChooser } from './state/chooser.js';
import type { Code } from './state/code.js';
import { EMPTY, type Environment } from './state/environment.js';
import { gravity, type Violation, worstFirst } from './state/trap.js';
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
  /**
   * The gravest that broke, of the earliest kill that breaks it, and the environment of that run with its own choices: what a case needs.
   * Undefined where nothing broke.
   */
  readonly worst: { readonly violation: KillViolation; readonly env: Environment } | undefined;
  /** The run that was not killed. */
  readonly run: RunResult;
}

/** How the copies run; environment and fast path are given apart. */
export type KillOptions = Omit<VmOptions, 'env' | 'fastPath'>;

class Tally {
  private points = 0;
  private worstSteps = 0;
  private readonly violations: KillViolation[] = [];
  private worst: KillReport['worst'];

  /** `from`: slot of the insn before which the kill at a step comes. */
  constructor(private readonly from: (step: number) => number) {}

  /** Kills a copy of the run where it stands. */
  killHere(vm: Vm): void {
    const killed = vm.fork();
    killed.kill();
    const at = vm.machine.steps;
    this.add({ first: at, last: at, result: killed.run() });
  }

  add({ first, last, result }: KilledAlike): void {
    this.points += last - first + 1;
    this.worstSteps = Math.max(this.worstSteps, result.steps - first);
    const [gravest] = worstFirst(result.violations);
    if (gravest === undefined) return;
    const from = this.from(first);
    const known = this.worst?.violation.check;
    if (known === undefined || gravity(gravest.check) < gravity(known))
      this.worst = { violation: { ...gravest, at: first, from }, env: result.env };
    for (let at = first; at <= last; at++) {
      for (const violation of result.violations)
        this.violations.push({ ...violation, at, from: at === first ? from : this.from(at) });
    }
  }

  report(run: RunResult): KillReport {
    const { points, violations, worst, worstSteps } = this;
    return { points, violations, worstSteps, worst, run };
  }
}

/** Tells at which insn a run stands before a step; asked for ascending steps. */
function slotsOf(vm: Vm): (step: number) => number {
  return (step) => {
    vm.advance(step);
    return vm.machine.pc;
  };
}

/**
 * Runs the program once and kills it before every insn, at any frame depth and inside callbacks (kill-classes.ts). A run longer than
 * `maxSteps` is killed up to there.
 */
export function killEverywhere(
  program: Program | Code,
  fastPath: FastPath,
  env: Environment = EMPTY,
  options: KillOptions = {},
): KillReport {
  const run = { ...options, env, fastPath };
  const vm = new Vm(program, run);
  // Slots are asked for only where a check breaks: a second run tells them.
  const tally = new Tally(slotsOf(new Vm(vm.code, run)));
  const { maxSteps = DEFAULT_LIMIT } = options;
  killInClasses(vm, { points: new KillPoints(), end: maxSteps }, (killed) => tally.add(killed));
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
  const tally = new Tally(() => vm.machine.pc);
  for (const step of [...at].sort((x, y) => x - y)) {
    vm.advance(step);
    if (vm.running) tally.killHere(vm);
  }
  return tally.report(whole);
}
