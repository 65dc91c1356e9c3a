/**
 * How far a campaign was at which moment: `progress.jsonl` in its folder, one line a moment, so that people see whether going on is worth it. Times
 * come from the clock; they are only told, and nothing depends on them.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sizeOfDiversity } from '../kill/diversity.js';
import type { CampaignState } from '../shards/state.js';
import { findings } from '../shards/state.js';
import { aCount, having, such } from './shape.js';
import { writing } from './writable.js';

export const SAMPLES_FILE = 'progress.jsonl';

/** A moment of a campaign. */
export interface Sample {
  /** Index into the runs of the history. */
  readonly run: number;
  /** Seconds since that run began. */
  readonly at: number;
  /** Of the campaign, at that moment: programs done, termination points, different things exercised, causes found. */
  readonly programs: number;
  readonly points: number;
  readonly features: number;
  readonly causes: number;
}

/** Seconds between two samples at the least, and by how much of the time so far they are apart later on: some 500 in a night. */
const LEAST = 1;
const GROWTH = 1.02;

/** Takes samples of a campaign that runs, not more than are of use. */
export class Samples {
  private next = 0;

  /** `begun`: of the run, ISO 8601. Without a folder nothing is kept. */
  constructor(
    private readonly folder: string | undefined,
    private readonly run: number,
    private readonly begun: string,
    private readonly now: () => number = () => Date.now(),
  ) {}

  /** Takes one, if it is time for it, or `always`. Throws InputError where it cannot be written. */
  take(state: CampaignState, always = false): void {
    if (this.folder === undefined) return;
    const at = Math.max(0, (this.now() - Date.parse(this.begun)) / 1000);
    if (!always && at < this.next) return;
    this.next = Math.max(at + LEAST, at * GROWTH);
    const sample: Sample = {
      run: this.run,
      at: Math.round(at * 1000) / 1000,
      programs: state.done,
      points: state.points,
      features: sizeOfDiversity(state.coverage).features,
      causes: findings(state).length,
    };
    const file = join(this.folder, SAMPLES_FILE);
    writing(file, () => appendFileSync(file, `${JSON.stringify(sample)}\n`));
  }
}

const SAMPLE = having({
  run: aCount,
  at: such('a number', (value) => typeof value === 'number'),
  programs: aCount,
  points: aCount,
  features: aCount,
  causes: aCount,
});

/** The samples that a folder has, in the order in which they were taken. A line that a kill cut off is left out. */
export function readSamples(folder: string): readonly Sample[] {
  let text: string;
  try {
    text = readFileSync(join(folder, SAMPLES_FILE), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line): readonly Sample[] => {
    const value = parsed(line);
    return SAMPLE(value, '') === undefined ? [value as Sample] : [];
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
