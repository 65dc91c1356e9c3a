/**
 * What runs of a program are like, for a simulation that makes millions of them: how long a run takes in each of its worlds, and what a kill does to it at any
 * time. Worked out with the VM: the run is forked at some of its steps, killed there and run to its exit.
 */

import { TimedRun } from '../../cost/actual.js';
import { type CostOptions, killSpan, ZERO } from '../../cost/span.js';
import { InputError } from '../../isa/errors.js';
import type { Program } from '../../object/program.js';
import type { FastPath } from '../../patch/rule.js';
import type { Accepted } from '../../verifier/result.js';
import { type Chooser, defaultChooser, seededChooser } from '../../vm/chooser.js';
import type { Environment } from '../../vm/environment.js';
import { Vm } from '../../vm/vm.js';

/** What a kill does that comes at some time of a run. Times are nanoseconds. */
export interface KillPoint {
  /** Since the start of the run. */
  readonly at: number;
  /** What the run still takes to its exit when it is killed there. */
  readonly toExit: number;
  /** Resources that it holds there, which stay behind if it is abandoned. */
  readonly held: number;
}

/** One run of a program in one world. */
export interface RunProfile {
  /** Nanoseconds from the start to the exit, where nobody kills it. */
  readonly time: number;
  /** Jumps back and callbacks: where a budget is checked. */
  readonly rounds: number;
  /** In the order of time; the first is at the start. Worked out when it is asked for. */
  readonly kills: readonly KillPoint[];
}

/** Kill points of one run. */
const POINTS = 24;
/** Steps of a run at the most. */
const MOST_STEPS = 20_000_000;

/** Runs of a program, one in each world. */
export interface ProfileSubject {
  readonly program: Program;
  readonly verified: Accepted;
  readonly path: FastPath;
  readonly costs: CostOptions;
  readonly env: Environment;
  /** Seeds of random worlds; none: the one in which everything goes well. */
  readonly seeds: readonly number[];
}

/** Profiles of all worlds. Throws InputError for a program that the VM cannot run, or that does not end. */
export function profilesOf(subject: ProfileSubject): readonly RunProfile[] {
  const { seeds } = subject;
  return seeds.length === 0
    ? [profileOf(subject, defaultChooser)]
    : seeds.map((seed) => profileOf(subject, seededChooser(seed)));
}

function profileOf(subject: ProfileSubject, chooser: Chooser): RunProfile {
  const { time, rounds, steps } = lengthOf(subject, chooser);
  let kills: readonly KillPoint[] | undefined;
  return {
    time,
    rounds,
    get kills() {
      kills ??= killsOf(subject, chooser, steps);
      return kills;
    },
  };
}

function killsOf(subject: ProfileSubject, chooser: Chooser, steps: number): readonly KillPoint[] {
  const clocked = started(subject, chooser);
  const { run } = clocked;
  const every = Math.max(1, Math.floor(steps / POINTS));
  const kills: KillPoint[] = [];
  while (run.vm.running && run.vm.machine.steps < steps) {
    if (run.vm.machine.steps % every === 0) {
      kills.push({
        at: run.elapsed.usual,
        toExit: toExit(run, clocked),
        held: run.vm.machine.ledger.holds.length,
      });
    }
    clocked.now = run;
    run.step();
  }
  return kills;
}

interface Clocked {
  readonly run: TimedRun;
  /** The run whose time is told to the program. */
  now: TimedRun;
}

/** A run whose program is told the time that it took so far. */
function started({ program, verified, path, costs, env }: ProfileSubject, chooser: Chooser): Clocked {
  const clock: { now: TimedRun | undefined } = { now: undefined };
  const timed: Chooser = {
    ...chooser,
    number: (key, min, max) => {
      const tellsTime = /^bpf_ktime_get_(?!coarse)\w*ns#/.test(key);
      return tellsTime && clock.now !== undefined
        ? START + BigInt(Math.round(clock.now.elapsed.usual))
        : chooser.number(key, min, max);
    },
  };
  const vm = new Vm(program, { env, chooser: timed, facts: verified.facts, fastPath: path });
  const run = new TimedRun(vm, costs);
  clock.now = run;
  return {
    run,
    get now() {
      return clock.now ?? run;
    },
    set now(other) {
      clock.now = other;
    },
  };
}

/** The time since boot at which runs start: a second. */
const START = 1_000_000_000n;

function lengthOf(
  subject: ProfileSubject,
  chooser: Chooser,
): { readonly time: number; readonly rounds: number; readonly steps: number } {
  const { run } = started(subject, chooser);
  const { machine } = run.vm;
  let rounds = 0;
  while (run.vm.running) {
    if (machine.steps > MOST_STEPS)
      throw new InputError(`${subject.program.name} does not end within ${MOST_STEPS} insns in the VM`);
    const before = machine.pc;
    const { frames } = machine;
    run.step();
    const jumpedBack = machine.frames === frames && machine.pc < before;
    const calledBack =
      machine.frames !== frames &&
      machine.frames.at(-1)?.helper !== undefined &&
      machine.frames.length >= frames.length;
    if (run.vm.running && (jumpedBack || calledBack)) rounds++;
  }
  return { time: run.elapsed.usual, rounds, steps: machine.steps };
}

function toExit(run: TimedRun, clocked: Clocked): number {
  const dying = run.fork();
  dying.elapsed = ZERO;
  dying.vm.kill();
  clocked.now = run;
  const limit = dying.vm.machine.steps + MOST_STEPS;
  while (dying.vm.running && dying.vm.machine.steps < limit) dying.step();
  return dying.elapsed.usual;
}

/** What a kill at a time of the run does: as at the last kill point before it. */
export function killAt({ kills }: RunProfile, at: number): KillPoint {
  let low = 0;
  let high = kills.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (kills[middle]!.at <= at) low = middle;
    else high = middle - 1;
  }
  const point = kills[low];
  if (point === undefined) throw new Error('a run without a first step');
  return { ...point, at };
}

/** Nanoseconds from the decision to kill until the first patched insn, unless the load says so itself. */
export const usualKill = (costs: CostOptions): number => killSpan(costs).usual;
