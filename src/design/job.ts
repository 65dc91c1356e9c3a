/** The pieces of work of a comparison of strategies: some of its programs, killed under all of them. Any thread may do any piece. */
import { sample } from '../../generators/sample.js';
import { runEnvironment } from '../campaign/kill/environments.js';
import { prepareProgram } from '../campaign/kill/prepared-program.js';
import { loadStrategies } from '../campaign/naming/strategies.js';
import { type JobRunner, openPool, type Pool } from '../campaign/threads/pool.js';
import type { KernelProfile } from '../kernel/profile.js';
import type { DeclaredFunction } from '../object/program.js';
import type { Strategy } from '../strategies/strategy.js';
import type { Profile } from '../verifier/state/profile.js';
import { type Case, parseCase } from '../vm/case/case.js';
import { defaultChooser } from '../vm/state/chooser.js';
import { EMPTY } from '../vm/state/environment.js';
import { cannotRun } from '../vm/state/runnable.js';
import { type Measured, measure } from './measure.js';
import { addTally, emptyTally, type Tally } from './tally.js';

/** Settings that all pieces share. Plain data, so that it can be sent to threads. */
export interface DesignSetting {
  /** Programs from files, as cases. */
  readonly given: readonly { readonly from: string; readonly text: string }[];
  /** Programs that are generated besides; they come behind those from files. */
  readonly generated: number;
  readonly seed: number;
  /** Worlds that each program is run in, at least 1. */
  readonly worlds: number;
  /** Kill only where programs name termination points themselves. */
  readonly named?: true;
  /** Names of strategies and rule files, in the order of the table; all that come with swansong unless told. */
  readonly strategies?: readonly string[];
  /** Who loads the programs, in place of whom each case says. */
  readonly loader?: Profile | undefined;
  /** The kernel that they are for, in place of the one that each case says. */
  readonly kernelProfile?: KernelProfile | undefined;
  readonly declared?: readonly DeclaredFunction[];
}

/** Programs `from` (inclusive) to `to` (exclusive), counted over those from files and then the generated ones. */
export interface DesignJob {
  readonly from: number;
  readonly to: number;
}

/** A program of which nothing is known, or whose run without a kill breaks a check. */
export interface LeftOutProgram {
  readonly from: string;
  readonly message: string;
}

/** What some programs came to. */
export interface DesignPart {
  /** Programs that were killed. */
  programs: number;
  runs: number;
  points: number;
  holdingPoints: number;
  /** By strategy, in order. */
  tallies: Tally[];
  /** Programs that our verifier refuses, or the VM cannot run. */
  leftOut: LeftOutProgram[];
  /** Runs without a kill that break a check. */
  disagreements: LeftOutProgram[];
}

/** What no program at all came to, under so many strategies: where sums begin. */
export function emptyPart(strategies: number): DesignPart {
  return {
    programs: 0,
    runs: 0,
    points: 0,
    holdingPoints: 0,
    tallies: Array.from({ length: strategies }, emptyTally),
    leftOut: [],
    disagreements: [],
  };
}

/** Adds what other programs came to, which stay as they are. Strategies are in the same order in both. */
export function addPart(part: DesignPart, more: DesignPart): void {
  part.programs += more.programs;
  part.runs += more.runs;
  part.points += more.points;
  part.holdingPoints += more.holdingPoints;
  for (const [i, tally] of part.tallies.entries()) addTally(tally, more.tallies[i]!);
  part.leftOut.push(...more.leftOut);
  part.disagreements.push(...more.disagreements);
}

/** Opens `workers` threads (at least 1). Throws InputError for strategies that cannot be had. */
export function openDesignPool(
  setting: DesignSetting,
  workers: number,
): Promise<Pool<DesignJob, DesignPart>> {
  const entry = new URL('./thread.js', import.meta.url);
  return openPool({ open: () => DesignWorker.open(setting), entry, data: setting, workers });
}

/** Does pieces, one after the other. */
export class DesignWorker implements JobRunner<DesignJob, DesignPart> {
  private constructor(
    private readonly setting: DesignSetting,
    private readonly strategies: readonly Strategy[],
  ) {}

  /** Throws InputError for strategies that cannot be had. */
  static async open(setting: DesignSetting): Promise<DesignWorker> {
    const loaded = await loadStrategies(setting.strategies);
    return new DesignWorker(
      setting,
      loaded.map(({ strategy }) => strategy),
    );
  }

  do({ from, to }: DesignJob): DesignPart {
    const part = emptyPart(this.strategies.length);
    for (let number = from; number < to; number++) this.add(part, number);
    return part;
  }

  close(): void {
    // There is nothing to give back.
  }

  private add(part: DesignPart, number: number): void {
    const { loader, kernelProfile, worlds, seed } = this.setting;
    const { one, from } = this.program(number);
    const { program } = one;
    const kernel = kernelProfile ?? one.kernel;
    const prepared = cannotRun(program) ?? prepareProgram(program, loader ?? one.profile, { kernel });
    if (typeof prepared === 'string') {
      part.leftOut.push({ from, message: prepared });
      return;
    }
    const own = one.env === EMPTY ? [] : [{ env: one.env, chooser: defaultChooser }];
    const drawn = Array.from({ length: worlds - own.length }, (_, k) =>
      runEnvironment(program, seed, number, k),
    );
    const measured: Measured = measure(
      { prepared, number, from, worlds: [...own, ...drawn], named: this.setting.named === true },
      this.strategies,
    );
    part.programs++;
    part.runs += measured.worlds;
    part.points += measured.points;
    part.holdingPoints += measured.holdingPoints;
    for (const [i, tally] of part.tallies.entries()) addTally(tally, measured.tallies[i]!);
    for (const message of measured.disagreements) part.disagreements.push({ from, message });
  }

  private program(number: number): {
    readonly one: Pick<Case, 'program' | 'profile' | 'kernel' | 'env'>;
    readonly from: string;
  } {
    const { given, seed, declared = [], kernelProfile } = this.setting;
    const file = given[number];
    if (file !== undefined)
      return { one: parseCase(file.text, file.from, { first: declared, last: [] }), from: file.from };
    const index = number - given.length;
    const landingPads = kernelProfile?.behaviour.landingPads === true ? { landingPads: true } : {};
    const { program } = sample(seed, index, landingPads);
    return { one: { program, profile: 'privileged', env: EMPTY }, from: `program ${index} of seed ${seed}` };
  }
}
