/** What polling costs: test runs of the original and of the exported program, in turns, so that both meet the same machine. */
import { median, quantile } from 'simple-statistics';
import type { Program } from '../../object/program.js';
import type { Loaded } from '../../oracle/load.js';
import { loadProgram } from '../../oracle/load.js';
import { SharedMemory } from '../../oracle/syscall.js';
import { measuresRuns, type TestInput, testRun } from '../../oracle/testrun.js';
import { stamped, TIME, TIMES } from './stamps.js';

/** Nanoseconds of one run of each, and the share by which the exported one takes longer. Medians over `turns` turns. */
export interface PollingCost {
  readonly original: number;
  readonly exported: number;
  /** Of the turns, each with both programs: 0.02 is two in a hundred. */
  readonly share: number;
  /** The middle half of the turns lies between these. */
  readonly quartiles: readonly [number, number];
  readonly turns: number;
}

const TURNS = 31;
/** Nanoseconds that a measurement of several runs is to take. */
const TARGET = 4_000_000;
const MOST_REPEATS = 200_000;
const PAGE = 4096;

/** Measures both; undefined where the kernel does not take or run one of them. The programs must not be among those that may not be run. */
export function pollingCost(
  original: Program,
  exported: Program,
  input: TestInput = {},
): PollingCost | undefined {
  const byKernel = measuresRuns(original.type);
  const first = timed(original, input, byKernel);
  const second = first && timed(exported, input, byKernel);
  try {
    if (first === undefined || second === undefined) return undefined;
    const [before, after, shares]: [number[], number[], number[]] = [[], [], []];
    for (let turn = 0; turn < TURNS; turn++) {
      // Who runs second finds warmer caches: they change places.
      const both = turn % 2 === 0 ? [first(), second()] : [second(), first()].reverse();
      const [a, b] = both;
      if (a === undefined || b === undefined) return undefined;
      before.push(a);
      after.push(b);
      shares.push(b / Math.max(a, 1) - 1);
    }
    return {
      original: median(before),
      exported: median(after),
      share: median(shares),
      quartiles: [quantile(shares, 0.25), quantile(shares, 0.75)],
      turns: TURNS,
    };
  } finally {
    first?.close();
    second?.close();
  }
}

interface Timed {
  (): number | undefined;
  close(): void;
}

/** Answers with the nanoseconds of a run. */
function timed(program: Program, input: TestInput, byKernel: boolean): Timed | undefined {
  const measured = byKernel ? program : stamped(program);
  const loaded = loadProgram(measured);
  if (!loaded.ok) return undefined;
  const once = byKernel ? repeated(program, loaded, input) : stampedRuns(measured, loaded, input);
  return Object.assign(once, { close: () => loaded.close() });
}

function repeated(program: Program, loaded: Loaded, input: TestInput): () => number | undefined {
  let repeat = 1;
  for (let i = 0; i < 6; i++) {
    const result = testRun(program, loaded, { ...input, repeat });
    if (!result.ok) return () => undefined;
    const wanted = Math.ceil(TARGET / Math.max(1, result.durationNs));
    repeat = Math.min(MOST_REPEATS, Math.max(1, Math.min(wanted, repeat * 50)));
  }
  return () => {
    const result = testRun(program, loaded, { ...input, repeat });
    return result.ok ? result.durationNs : undefined;
  };
}

/** For types whose test runs the kernel does not time: the run notes its times itself. */
function stampedRuns(program: Program, loaded: Loaded, input: TestInput): () => number | undefined {
  const times = loaded.maps.find(({ def }) => def.name === TIMES.name)!;
  return () => {
    const memory = new SharedMemory(times.fd, 0, PAGE, false);
    try {
      const all: number[] = [];
      for (let i = 0; i < 64; i++) {
        if (!testRun(program, loaded, input).ok) return undefined;
        const at = (offset: number): bigint => memory.read(offset, 8).readBigUInt64LE();
        all.push(Number(at(TIME.ended) - at(TIME.began)));
      }
      return median(all);
    } finally {
      memory.close();
    }
  };
}
