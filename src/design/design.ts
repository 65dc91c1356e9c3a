/** Compares strategies over programs: runs the pieces, adds them up, and makes sure that each witness replays. */

import { replayText } from '../campaign/check/replay.js';
import { loadStrategies } from '../campaign/naming/strategies.js';
import type { Strategy } from '../strategies/strategy.js';
import { addPart, type DesignPart, type DesignSetting, emptyPart, openDesignPool } from './job.js';
import type { DesignWitness } from './tally.js';

/** Generated programs that a thread takes at once. */
const BATCH = 8;

/** The sums, the strategies that they are of, and the witnesses that do not replay. */
export interface Comparison {
  readonly strategies: readonly Strategy[];
  readonly part: DesignPart;
  /** Bugs of swansong's own. */
  readonly lost: readonly {
    readonly strategy: string;
    readonly witness: DesignWitness;
    readonly got: string;
  }[];
  /** The work was stopped before its end. */
  readonly interrupted: boolean;
}

/** How the work is done. */
export interface CompareOptions {
  readonly workers: number;
  readonly stop?: AbortSignal;
  /** Told of programs that are done. */
  readonly progress?: (done: number) => void;
}

/** Kills all programs of a setting under all its strategies. Throws InputError for what cannot be used. */
export async function compareStrategies(
  setting: DesignSetting,
  { workers, stop, progress }: CompareOptions,
): Promise<Comparison> {
  const strategies = (await loadStrategies(setting.strategies)).map(({ strategy }) => strategy);
  const part = emptyPart(strategies.length);
  const pool = await openDesignPool(setting, workers);
  try {
    const jobs = jobsOf(setting);
    const parts: (DesignPart | undefined)[] = [];
    let [next, done] = [0, 0];
    const lane = async (): Promise<void> => {
      while (next < jobs.length && stop?.aborted !== true) {
        const index = next++;
        const job = jobs[index]!;
        parts[index] = await pool.run(job);
        done += job.to - job.from;
        progress?.(done);
      }
    };
    await Promise.all(Array.from({ length: pool.width }, lane));
    // In the order of the programs, so that the answer does not depend on which thread is quicker.
    for (const one of parts) if (one !== undefined) addPart(part, one);
    return {
      strategies,
      part,
      lost: await lostWitnesses(strategies, part),
      interrupted: stop?.aborted === true,
    };
  } finally {
    await pool.close();
  }
}

function jobsOf({
  given,
  generated,
}: DesignSetting): readonly { readonly from: number; readonly to: number }[] {
  const files = given.map((_, number) => ({ from: number, to: number + 1 }));
  const total = given.length + generated;
  const others = Array.from({ length: Math.ceil(generated / BATCH) }, (_, i) => {
    const from = given.length + i * BATCH;
    return { from, to: Math.min(total, from + BATCH) };
  });
  return [...files, ...others];
}

async function lostWitnesses(
  strategies: readonly Strategy[],
  { tallies }: DesignPart,
): Promise<Comparison['lost']> {
  const lost: { strategy: string; witness: DesignWitness; got: string }[] = [];
  for (const [i, { witnesses }] of tallies.entries()) {
    for (const witness of witnesses.values()) {
      const { ok, got } = await replayText(witness.text, 'the witness');
      if (!ok) lost.push({ strategy: strategies[i]!.name, witness, got });
    }
  }
  return lost;
}
