/**
 * What runs of a program are like, for a simulation that makes millions of them: how long a run takes in each of its worlds, and what a kill does to it at any
 * time under a strategy. Worked out with the VM: the run is forked at some of its steps, and killed there as the strategy does it.
 */

import { TimedRun } from '../../cost/actual.js';
import { type CostOptions, insnSpan, killSpan, ZERO } from '../../cost/span.js';
import { InputError } from '../../isa/errors.js';
import type { Program } from '../../object/program.js';
import { optionsUnder, standsAtStop } from '../../strategies/killed-run.js';
import type { Prepared } from '../../strategies/strategy.js';
import { usageOf } from '../../strategies/usage.js';
import type { Accepted } from '../../verifier/result.js';
import { type Chooser, defaultChooser, seededChooser } from '../../vm/state/chooser.js';
import { prepare } from '../../vm/state/code.js';
import type { Environment } from '../../vm/state/environment.js';
import { Vm } from '../../vm/vm.js';

/** What a kill does that comes at some time of a run. Times are nanoseconds. */
export interface KillPoint {
  /** Since the start of the run. */
  readonly at: number;
  /** What the run still takes to its end when it is killed there. */
  readonly toExit: number;
  /** Resources that it leaves behind. */
  readonly left: number;
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
  /** How runs are killed; undefined: nobody kills them. */
  readonly prepared: Prepared | undefined;
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
  const { prepared } = subject;
  const all = time + added(subject, chooser);
  let kills: readonly KillPoint[] | undefined;
  return {
    time: all,
    rounds,
    get kills() {
      kills ??= prepared === undefined ? [] : killsOf(subject, prepared, chooser, steps, all / time);
      return kills;
    },
  };
}

/** A load from memory: what a strategy adds to a run is counted in insns like it. */
const LOAD = { kind: 'ldx', size: 8, dst: 0, src: 1, off: 0, signed: false } as const;

/** Nanoseconds that the strategy adds to a run which nobody kills. */
function added({ program, verified, prepared, costs, env }: ProfileSubject, chooser: Chooser): number {
  if (prepared?.extra === undefined) return 0;
  const options = { env, chooser, facts: verified.facts, maxSteps: MOST_STEPS };
  return prepared.extra(usageOf(prepare(program), options)) * insnSpan(LOAD, costs).usual;
}

/** `slower`: by what the strategy makes the run slower. */
function killsOf(
  subject: ProfileSubject,
  prepared: Prepared,
  chooser: Chooser,
  steps: number,
  slower: number,
): readonly KillPoint[] {
  const clocked = started(subject, chooser);
  const { run } = clocked;
  const every = Math.max(1, Math.floor(steps / POINTS));
  const kills: KillPoint[] = [];
  while (run.vm.running && run.vm.machine.steps < steps) {
    if (run.vm.machine.steps % every === 0) {
      kills.push({
        at: run.elapsed.usual * slower,
        ...killed(run, prepared, clocked),
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
function started({ program, verified, prepared, costs, env }: ProfileSubject, chooser: Chooser): Clocked {
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
  const options = { env, chooser: timed, facts: verified.facts };
  const vm = new Vm(program, prepared === undefined ? options : optionsUnder(prepared, options));
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

/** A kill of the run where it is: as `killedUnder`, with the time that it takes. */
function killed(run: TimedRun, prepared: Prepared, clocked: Clocked): Pick<KillPoint, 'toExit' | 'left'> {
  const dying = run.fork();
  const { vm } = dying;
  dying.elapsed = ZERO;
  clocked.now = run;
  let ended = prepared.kind === 'runs out';
  if (ended) vm.kill();
  const limit = vm.machine.steps + MOST_STEPS;
  while (vm.running && vm.machine.steps < limit) {
    if (!ended && prepared.kind === 'ends the run' && standsAtStop(vm, prepared)) {
      ended = true;
      prepared.stop(vm.machine);
    } else dying.step();
  }
  return { toExit: dying.elapsed.usual, left: vm.machine.ledger.holds.length };
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
