/** How long a program takes in the running kernel: test runs in rounds. */
import { median } from 'simple-statistics';
import type { Program } from '../../object/program.js';
import { loadProgram } from '../../oracle/load.js';
import { refuseToRun, type TestInput, testRun } from '../../oracle/testrun.js';
import { withoutInterrupted } from './rounds.js';

/** Nanoseconds of runs in the kernel. */
export interface KernelTime {
  readonly median: number;
  /** Of the rounds that nothing interrupted. */
  readonly least: number;
  readonly most: number;
  /** Nanoseconds that interrupted rounds gave. */
  readonly outliers: readonly number[];
}

const ROUNDS = 21;
const ROUND_NS = 200_000;
const MOST_RUNS = 1000;

/** The time of a program on this input, or why the kernel does not tell. */
export function kernelTime(program: Program, input: TestInput): KernelTime | string {
  const refusal = refuseToRun(program);
  if (refusal !== undefined) return refusal;
  const loaded = loadProgram(program);
  if (!loaded.ok) return loaded.message;
  try {
    const run = (repeat: number): number | string => {
      const ran = testRun(program, loaded, { ...input, repeat });
      return ran.ok ? ran.durationNs : ran.message;
    };
    const once = run(1);
    if (typeof once === 'string') return once;
    if (once === 0) return `the kernel does not time ${program.type} programs`;
    const repeat = Math.min(MOST_RUNS, Math.max(1, Math.round(ROUND_NS / once)));
    const rounds = Array.from({ length: ROUNDS }, () => run(repeat)).filter(
      (ns): ns is number => typeof ns === 'number',
    );
    const { kept, outliers } = withoutInterrupted(rounds);
    return { median: median(kept), least: Math.min(...kept), most: Math.max(...kept), outliers };
  } finally {
    loaded.close();
  }
}
