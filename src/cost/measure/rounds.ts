/** Measures one probe in rounds of test runs: with what is measured and without it, turn and turn about. */
import { max, median, min } from 'simple-statistics';
import type { Program } from '../../object/program.js';
import { type Loaded, loadProgram } from '../../oracle/load.js';
import { testRun } from '../../oracle/testrun.js';
import { parseCase } from '../../vm/case/case.js';
import { type Probe, probeText } from './probes.js';

/** What rounds measured, in nanoseconds for one time. */
export interface Measured {
  readonly probe: Probe;
  /** Of the rounds that nothing interrupted. */
  readonly best: number;
  readonly usual: number;
  readonly worst: number;
  /** What the rounds that were interrupted would have made it: they are left out. */
  readonly outliers: readonly number[];
}

/** A probe that the kernel does not run, and why. */
export interface NotMeasured {
  readonly probe: Probe;
  readonly reason: string;
}

/** How much is measured. */
export interface Effort {
  /** Rounds of each probe; 10 unless told. */
  readonly rounds: number;
  /** Nanoseconds that a round is to take; 300,000 unless told. */
  readonly roundNs: number;
}

export const EFFORT: Effort = { rounds: 10, roundNs: 300_000 };

/** A round that takes this many times as long as the median was interrupted. */
const INTERRUPTED = 5;
/** Runs with cold caches. */
const COLD_RUNS = 9;
/** Bytes that are gone through to empty the caches: more than the second-level cache of one CPU. */
const FLUSH = 16 << 20;
/** Bytes in a line of the cache. */
const LINE = 64;
/** Runs before the first round, so that all is in the caches. */
const WARM_UP = 3;

/** Measures a probe on the running kernel, which must be there (`kernelAvailable`). */
export function measureProbe(probe: Probe, effort: Effort = EFFORT): Measured | NotMeasured {
  const withIt = open(probe, true);
  if (typeof withIt === 'string') return { probe, reason: withIt };
  try {
    const without = open(probe, false);
    if (typeof without === 'string') return { probe, reason: without };
    try {
      return { probe, ...inRounds(probe, withIt, without, effort) };
    } finally {
      without.loaded.close();
    }
  } finally {
    withIt.loaded.close();
  }
}

/** Nanoseconds of the shortest program, warm and with cold caches: what entering and leaving takes. */
export function measureEmpty(effort: Effort = EFFORT): Omit<Measured, 'probe'> {
  const probe: Probe = { ...EMPTY_PROBE };
  const empty = open(probe, false);
  if (typeof empty === 'string') throw new Error(`the empty program was refused: ${empty}`);
  try {
    const runs = runsOf(empty, probe, effort);
    const warm = times(effort.rounds, () => run(empty, runs));
    const cold = times(COLD_RUNS, () => {
      flush();
      return run(empty, 1);
    });
    const { kept, outliers } = withoutInterrupted(warm);
    return { best: min(kept), usual: median(kept), worst: Math.max(max(kept), median(cold)), outliers };
  } finally {
    empty.loaded.close();
  }
}

const EMPTY_PROBE: Probe = {
  kind: 'event',
  name: 'run',
  head: [],
  before: [],
  around: [],
  what: [],
  after: [],
  copies: 0,
  times: 1,
  per: 'call',
  cold: true,
  mostRuns: 10_000,
};

interface Opened {
  readonly program: Program;
  readonly loaded: Loaded;
}

function open(probe: Probe, measured: boolean): Opened | string {
  const { program } = parseCase(probeText(probe, measured), `${probe.name}.bpf`);
  const loaded = loadProgram(program);
  if (!loaded.ok) return loaded.message;
  const once = testRun(program, loaded, { data: PACKET });
  if (once.ok) return { program, loaded };
  loaded.close();
  return once.message;
}

/** Long enough for every probe that reads it. */
const PACKET = new Uint8Array(256);

/** The mean nanoseconds of a run. */
function run({ program, loaded }: Opened, repeat: number): number {
  const ran = testRun(program, loaded, { data: PACKET, repeat });
  if (!ran.ok) throw new Error(ran.message);
  return ran.durationNs;
}

const times = <T>(count: number, what: () => T): T[] => Array.from({ length: count }, what);

/** Runs in one round, so that it takes about as long as it is to. */
function runsOf(opened: Opened, { mostRuns }: Probe, { roundNs }: Effort): number {
  const once = Math.max(1, run(opened, WARM_UP));
  return Math.min(mostRuns, Math.max(1, Math.round(roundNs / once)));
}

function inRounds(probe: Probe, withIt: Opened, without: Opened, effort: Effort): Omit<Measured, 'probe'> {
  const count = probe.copies * probe.times;
  const runs = runsOf(withIt, probe, effort);
  run(without, WARM_UP);
  const one = (a: number, b: number): number => Math.max(0, (a - b) / count);
  const rounds = times(effort.rounds, () => {
    const base = run(without, runs);
    return one(run(withIt, runs), base);
  });
  const { kept, outliers } = withoutInterrupted(rounds);
  const cold = probe.cold
    ? median(
        times(COLD_RUNS, () => {
          flush();
          const base = run(without, 1);
          flush();
          return one(run(withIt, 1), base);
        }),
      )
    : 0;
  const usual = median(kept);
  return { best: min(kept), usual, worst: Math.max(max(kept), cold), outliers };
}

/** Rounds that were interrupted take many times as long. They say nothing about the function. */
export function withoutInterrupted(rounds: readonly number[]): {
  readonly kept: number[];
  readonly outliers: number[];
} {
  // Below a tenth of a nanosecond the median is noise.
  const limit = INTERRUPTED * Math.max(0.1, median([...rounds]));
  return {
    kept: rounds.filter((ns) => ns <= limit),
    outliers: rounds.filter((ns) => ns > limit),
  };
}

const flushed = new Uint8Array(FLUSH);

/** Goes through more memory than the caches hold. */
function flush(): void {
  for (let at = 0; at < FLUSH; at += LINE) flushed[at] = (flushed[at]! + 1) & 0xff;
}
