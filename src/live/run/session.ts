/** A series of killed test runs of one program, what they show, and what was promised of them. */
import { quantileSorted } from 'simple-statistics';
import type { Program } from '../../object/program.js';
import { loadProgram } from '../../oracle/load.js';
import type { KernelMap } from '../../oracle/maps.js';
import type { TestInput } from '../../oracle/testrun.js';
import { seededChooser } from '../../vm/state/chooser.js';
import { KillableRun, type KilledRun } from './killed-runs.js';

/** How a program is run and killed. Times in nanoseconds. */
export interface SessionOptions {
  readonly runs: number;
  /** Killed this long after it began; undefined: at random within `within`. */
  readonly after?: number;
  readonly within: number;
  readonly seed: number;
  readonly input?: TestInput;
  /** Told after each run. */
  readonly progress?: (done: number, killed: number) => void;
  /** Asked before each run: true ends the series. */
  readonly ended?: () => boolean;
}

/** Nanoseconds from the writing of the word to the end of the run. */
export interface ToExit {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

/** What a map held before the first run and after the last. */
export interface MapChange {
  readonly name: string;
  readonly type: string;
  /** Entries; null for a map that cannot be counted. */
  readonly before: number | null;
  readonly after: number | null;
}

/** What the runs show. */
export interface Session {
  readonly runs: number;
  readonly killed: number;
  /** Null where no run was killed. */
  readonly toExit: ToExit | null;
  /** Runs behind which a ring buffer held bytes that no consumer can take. */
  readonly leaked: number;
  /** Ring-buffer records that were consumed. */
  readonly records: number;
  readonly maps: readonly MapChange[];
  /** The program could be loaded and run again afterwards. */
  readonly runsAgain: boolean;
}

/** Runs and kills. Throws InputError for a program that must not or cannot be run. */
export async function runSession(program: Program, word: number, options: SessionOptions): Promise<Session> {
  const { runs, after, within, seed, input, progress, ended } = options;
  const open = KillableRun.open(program, word);
  try {
    const before = open.maps.map(entriesOf);
    const chooser = seededChooser(seed);
    const done: KilledRun[] = [];
    for (let i = 0; i < runs && ended?.() !== true; i++) {
      const delay = after ?? within * share(chooser.bytes(`kill#${i}`, 4));
      done.push(await open.run(delay, input));
      progress?.(done.length, done.filter(({ killed }) => killed).length);
    }
    const times = done.flatMap(({ toExit }) => (toExit === undefined ? [] : [toExit]));
    const maps = open.maps.map((map, i) => ({
      name: map.def.name,
      type: map.def.type,
      before: before[i]!,
      after: entriesOf(map),
    }));
    return {
      runs: done.length,
      killed: times.length,
      toExit: toExitOf(times),
      leaked: done.filter(({ stuck }) => stuck > 0).length,
      records: done.reduce((sum, { records }) => sum + records, 0),
      maps,
      runsAgain: (await open.runDead(input)) && loadsAgain(program),
    };
  } finally {
    open.close();
  }
}

/** Median, the time that 99 in 100 are within (between two runs where it falls between them), and the longest. Null for none. */
export function toExitOf(times: readonly number[]): ToExit | null {
  if (times.length === 0) return null;
  const sorted = [...times].sort((a, b) => a - b);
  return { median: quantileSorted(sorted, 0.5), p99: quantileSorted(sorted, 0.99), max: sorted.at(-1)! };
}

function loadsAgain(program: Program): boolean {
  const again = loadProgram(program);
  if (again.ok) again.close();
  return again.ok;
}

/** A number in [0, 1) of four bytes. */
function share(bytes: Uint8Array): number {
  return Buffer.from(bytes).readUInt32LE() / 2 ** 32;
}

/** Arrays always have all their entries, and other kinds cannot be gone through. */
const COUNTED = /hash|trie/;

function entriesOf(map: KernelMap): number | null {
  const { type } = map.def;
  return COUNTED.test(type) ? map.keys().length : null;
}
