/**
 * A campaign: programs are checked in shards, several at once, and their reports merged in order, so that what comes out does not depend
 * on how many threads there are. What is found is shrunk as it comes. It can be stopped at any time and taken up again.
 */

import type { ProgramReport } from './check.js';
import { type CampaignSetting, type Job, openWorkers, type Workers } from './job.js';
import { add, type CampaignState, type Found, newState } from './state.js';
import { digestsOf, mustMatch, readState, writeState } from './storage/campaign-file.js';
import { version } from './version.js';

/** Programs in a shard. */
const SHARD = 4;
/** Milliseconds between two writes of the state. */
const SAVE_EVERY = 5000;

/** What a campaign checks, how long it goes on, and where it keeps its state. */
export interface CampaignOptions {
  readonly setting: CampaignSetting;
  /** Programs to check in all; without it the campaign goes on until its time is over. */
  readonly programs?: number;
  /** Milliseconds after which no new work is begun. */
  readonly time?: number;
  readonly workers: number;
  /** Folder that keeps the state; a campaign that is there is continued. */
  readonly folder?: string;
  /** Ends the campaign in order, as when its time is over. */
  readonly stop?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
}

/** How far a campaign has come, for a person who waits. */
export interface Progress {
  readonly done: number;
  readonly programs: number | undefined;
  /** Causes found, and how many of them are still to be shrunk. */
  readonly found: number;
  readonly shrinking: number;
  readonly disagreements: number;
}

/** The state at the end of a campaign, and whether the end was the planned one. */
export interface CampaignResult {
  readonly state: CampaignState;
  /** All programs that were asked for are checked, and all that was found is shrunk. False for a campaign that ends by its time. */
  readonly finished: boolean;
  /** It ended early: it was stopped, or its time was over before all programs were done. */
  readonly interrupted: boolean;
}

/** Runs a campaign. Throws InputError for an impossible setting, and for a folder that keeps another campaign. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { setting, folder } = options;
  const digests = digestsOf(setting.rules);
  const kept = folder === undefined ? undefined : readState(folder);
  if (kept !== undefined) mustMatch(folder!, kept, version(), setting, digests);
  const state = kept ?? newState(version(), setting, digests);
  const pool = await openWorkers(setting, options.workers);
  try {
    return await new Campaign(state, pool, options).run();
  } finally {
    await pool.close();
  }
}

/** The clock is only for what a person sees and for when to stop; no result depends on it. */
const now = (): number => performance.now();

class Campaign {
  private readonly begun = now();
  private readonly msBefore: number;
  private savedAt = now();
  /** First program that no shard has been made of yet. */
  private nextProgram: number;
  private readonly checkedShards = new Map<number, readonly ProgramReport[]>();
  private readonly unshrunk: Found[];
  private checking = 0;
  private shrinking = 0;
  private failure: Error | undefined;

  constructor(
    private readonly state: CampaignState,
    private readonly pool: Workers,
    private readonly options: CampaignOptions,
  ) {
    this.msBefore = state.ms;
    this.nextProgram = state.done;
    this.unshrunk = state.found.filter((one) => one.small === undefined);
  }

  run(): Promise<CampaignResult> {
    return new Promise((resolve, reject) => {
      let ended = false;
      const end = (): void => {
        if (ended) return;
        ended = true;
        this.save();
        if (this.failure !== undefined) reject(this.failure);
        else resolve({ state: this.state, finished: this.finished, interrupted: this.interrupted });
      };
      const pump = (): void => {
        while (this.checking + this.shrinking < this.pool.width && this.failure === undefined) {
          const work = this.startNext();
          if (work === undefined) break;
          work.then(pump, (error: Error) => {
            this.failure ??= error;
            pump();
          });
        }
        // At the end, shards under way are waited for. Shrinking is not: it can be continued later.
        const abandoned = this.stopped && this.checking === 0;
        if (this.checking + this.shrinking === 0 || abandoned || this.failure !== undefined) end();
      };
      this.options.stop?.addEventListener('abort', pump);
      this.showProgress();
      pump();
    });
  }

  private get stopped(): boolean {
    return this.options.stop?.aborted === true;
  }

  private get finished(): boolean {
    const { programs } = this.options;
    const all = programs !== undefined && this.state.done >= programs;
    return all && this.state.found.every((one) => one.small !== undefined);
  }

  private get interrupted(): boolean {
    return !this.finished && (this.options.programs !== undefined || this.stopped);
  }

  /** Begins the next piece of work, if there is any and it may still be begun. */
  private startNext(): Promise<void> | undefined {
    if (this.stopped) return undefined;
    const found = this.unshrunk.shift();
    if (found !== undefined) return this.shrink(found);
    const { programs = Number.POSITIVE_INFINITY, time = Number.POSITIVE_INFINITY } = this.options;
    const from = this.nextProgram;
    if (from >= programs || now() - this.begun >= time) return undefined;
    const to = Math.min(from + SHARD, programs);
    this.nextProgram = to;
    return this.check({ kind: 'check', from, to });
  }

  private async check(job: Extract<Job, { kind: 'check' }>): Promise<void> {
    this.checking++;
    try {
      this.checkedShards.set(job.from, await this.pool.run(job));
    } finally {
      this.checking--;
    }
    for (let reports = this.nextReports(); reports !== undefined; reports = this.nextReports()) {
      for (const report of reports) this.unshrunk.push(...add(this.state, report));
    }
    this.showProgress();
    if (now() - this.savedAt > SAVE_EVERY) this.save();
  }

  /** The reports that come next in order, if they are there. */
  private nextReports(): readonly ProgramReport[] | undefined {
    const { done } = this.state;
    const reports = this.checkedShards.get(done);
    this.checkedShards.delete(done);
    return reports;
  }

  private async shrink(found: Found): Promise<void> {
    const { text, cause, index, world } = found;
    this.shrinking++;
    try {
      found.small = await this.pool.run({ kind: 'shrink', text, cause, index, world });
    } finally {
      this.shrinking--;
    }
    this.showProgress();
  }

  private save(): void {
    this.savedAt = now();
    this.state.ms = Math.round(this.msBefore + now() - this.begun);
    if (this.options.folder !== undefined) writeState(this.options.folder, this.state);
  }

  private showProgress(): void {
    const { done, found, disagreementCount } = this.state;
    this.options.progress?.({
      done,
      programs: this.options.programs,
      found: found.length,
      shrinking: this.unshrunk.length + this.shrinking,
      disagreements: disagreementCount,
    });
  }
}
