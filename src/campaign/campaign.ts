/**
 * A campaign: programs are checked in shards, several at once; what they report adds up to the same in whatever order they end, so that what
 * comes out does not depend on how many threads there are. What is found is shrunk as it comes. It can be stopped at any time, in order or by a
 * kill, and taken up again.
 */

import { existsSync } from 'node:fs';
import { type Invariants, loadInvariants } from '../patch/invariants.js';
import { type KnownCase, replayKnown, toTell } from './check/known.js';
import { loadRuleSets, type NamedRules } from './naming/rules.js';
import { identityOf } from './shards/identity.js';
import type { Range } from './shards/ranges.js';
import { type Part, Schedule } from './shards/schedule.js';
import { type CampaignState, type Found, isShrunk } from './shards/state.js';
import { casesIn, originalsOf } from './storage/corpus.js';
import type { SavedFinding } from './storage/findings.js';
import type { Ending, HistoryKeeper } from './storage/history.js';
import { type CampaignStore, openStore } from './storage/store.js';
import { type CampaignSetting, openWorkers, type Workers } from './threads/job.js';

/** Milliseconds that shards under way are waited for when a campaign is stopped. */
const GRACE = 10_000;

/** What a campaign checks, how long it goes on, and where it keeps its state. */
export interface CampaignOptions {
  readonly setting: CampaignSetting;
  /** Programs to check in all; without it the campaign goes on until its time is over. */
  readonly programs?: number;
  /** Milliseconds after which no new work is begun. */
  readonly time?: number;
  readonly workers: number;
  /** Opens who does the work; threads of this process unless told. */
  readonly open?: () => Promise<Workers>;
  /** Folder that keeps the state; a campaign that is there is continued. */
  readonly folder?: string;
  /** Folder of the findings; each has its file there as soon as it is confirmed. Without it they are in the state only. */
  readonly findings?: string;
  /** Begins anew in a folder that holds a campaign already; its findings stay. */
  readonly restart?: boolean;
  /** Checks this part of the programs only. */
  readonly part?: Part;
  /** Ends the campaign in order, as when its time is over. */
  readonly stop?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
  /** Is told in one line, with its time, of what is found and of what is gone, the moment that it is known. */
  readonly tell?: (line: string) => void;
}

/** How far a campaign has come, for a person who waits. */
export interface Progress {
  readonly done: number;
  readonly programs: number | undefined;
  /** Causes found, and how many of them are still to be shrunk. */
  readonly found: number;
  readonly shrinking: number;
  readonly disagreements: number;
  /** Causes that were not there before this run, and milliseconds since the last one came; undefined where none did. */
  readonly news: number;
  readonly sinceNews: number | undefined;
  /** Functions that runs called. */
  readonly called: number;
}

/** The state at the end of a campaign, and whether the end was the planned one. */
export interface CampaignResult {
  readonly state: CampaignState;
  /** The files of the findings, in the order of `findings`; none where they have no folder, or could not be written. */
  readonly saved: readonly SavedFinding[];
  /** Findings that were saved before, and what they show today. */
  readonly known: readonly KnownCase[];
  readonly history: HistoryKeeper;
  /** All programs that were asked for are checked, and all that was found is shrunk. False for a campaign that ends by its time. */
  readonly finished: boolean;
  /** It ended early: it was stopped, or its time was over before all programs were done. */
  readonly interrupted: boolean;
  /** Why it could not go on: a worker failed, or a file cannot be written. What was found before is in the state. */
  readonly failure?: Error;
}

/**
 * Runs a campaign. Throws InputError, before it begins, for an impossible setting, for folders that cannot be written, and for a folder that
 * keeps another campaign or has one running in it.
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignResult> {
  const { setting, folder, findings, restart, tell } = options;
  const rules = await loadRuleSets(setting.rules, setting.declared, true);
  const invariants = setting.invariants && (await loadInvariants(setting.invariants.file));
  const identity = await identityOf(rules, setting.declared);
  const store = await openStore({ identity, setting, folder, findings, restart, tell });
  try {
    const pool = await (options.open?.() ?? openWorkers(setting, options.workers));
    try {
      return await new Campaign(store, pool, { rules, invariants }, options).run();
    } finally {
      await pool.close();
    }
  } finally {
    store.close();
  }
}

/** The clock is only for what a person sees and for when to stop; no result depends on it. */
const now = (): number => performance.now();

class Campaign {
  private readonly begun = now();
  private readonly msBefore: number;
  private readonly schedule: Schedule;
  /** Shards under way, and findings that are being shrunk. */
  private readonly checking = new Set<Range>();
  private readonly shrinking = new Set<Found>();
  /** Work on files that was begun; one piece after the other. */
  private filing: Promise<void> = Promise.resolve();
  /** Stopped so long ago that nothing is waited for any more. */
  private overdue = false;
  private failure: Error | undefined;
  private atTheEnd: NodeJS.Timeout | undefined;
  private newsBefore: number;
  private newsAt: number | undefined;

  constructor(
    private readonly store: CampaignStore,
    private readonly pool: Workers,
    private readonly loaded: {
      readonly rules: readonly NamedRules[];
      readonly invariants: Invariants | undefined;
    },
    private readonly options: CampaignOptions,
  ) {
    this.msBefore = store.state.ms;
    this.newsBefore = store.history.news;
    this.schedule = new Schedule(store.state.ranges, options.programs, options.part);
  }

  async run(): Promise<CampaignResult> {
    const known = await this.replayKnown();
    await this.work();
    const saved = await this.end();
    const { finished, interrupted, failure } = this;
    const { history } = this.store;
    // A finding that was shrunk to a part of its cause has given up its file.
    const result = {
      state: this.state,
      saved,
      known: toTell(known.filter(({ file }) => existsSync(file))),
      history,
      finished,
      interrupted,
    };
    return failure === undefined ? result : { ...result, failure };
  }

  /** What was saved before comes first: is it still there? */
  private async replayKnown(): Promise<readonly KnownCase[]> {
    const folder = this.store.findingsFolder;
    if (folder === undefined) return [];
    const known: KnownCase[] = [];
    await this.orFail(async () => {
      for (const [of, original] of [[folder, false] as const, [originalsOf(folder), true] as const]) {
        for (const file of casesIn(of)) {
          // Here, and not by the workers: they may be on other machines. Signals are let through.
          await new Promise((done) => setImmediate(done));
          if (this.stopped) return;
          known.push(...this.replayOne(file, original));
        }
      }
      this.store.replayed(known);
    });
    return known;
  }

  private replayOne(file: string, original: boolean): readonly KnownCase[] {
    const { rules, invariants } = this.loaded;
    const one = replayKnown(file, original, rules, this.options.setting.kernelProfile, invariants);
    return one === undefined ? [] : [one];
  }

  private get state(): CampaignState {
    return this.store.state;
  }

  /** Resolves when there is nothing left to do, or nothing more may be done. */
  private work(): Promise<void> {
    return new Promise((resolve) => {
      const pump = (): void => {
        while (this.busy < this.pool.width && this.failure === undefined) {
          const work = this.startNext();
          if (work === undefined) break;
          work.then(pump, (error: Error) => {
            this.failure ??= error;
            pump();
          });
        }
        // At the end, shards under way are waited for, unless they go on elsewhere. Shrinking is not: it can be continued later.
        const leaves = this.pool.leaves === true;
        const abandoned =
          (this.stopped && (leaves || this.checking.size === 0 || this.overdue)) || (leaves && this.late);
        if (this.busy === 0 || abandoned || this.failure !== undefined) {
          clearTimeout(this.atTheEnd);
          resolve();
        }
      };
      this.options.stop?.addEventListener('abort', () => {
        setTimeout(() => {
          this.overdue = true;
          pump();
        }, GRACE).unref();
        pump();
      });
      const { time } = this.options;
      if (this.pool.leaves === true && time !== undefined) this.atTheEnd = setTimeout(pump, time + 1);
      this.showProgress();
      pump();
    });
  }

  /** Writes down what is not written yet. Where that fails, the failure is kept and nothing is thrown: what was found can still be told. */
  private async end(): Promise<readonly SavedFinding[]> {
    let saved: readonly SavedFinding[] = [];
    await this.filing;
    await this.orFail(async () => {
      saved = await this.store.fileAll();
    });
    this.keepTime();
    await this.orFail(() => this.store.end(this.ending));
    return saved;
  }

  /** Does work on files; when it fails the campaign ends. */
  private async orFail(work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.failure ??= error;
    }
  }

  private get busy(): number {
    return this.checking.size + this.shrinking.size;
  }

  /** The time is over. */
  private get late(): boolean {
    return now() - this.begun >= (this.options.time ?? Number.POSITIVE_INFINITY);
  }

  private get stopped(): boolean {
    return this.options.stop?.aborted === true;
  }

  private get finished(): boolean {
    const { programs } = this.options;
    const all = programs !== undefined && this.failure === undefined && this.schedule.peek() === undefined;
    return all && this.checking.size === 0 && isShrunk(this.state);
  }

  private get ending(): Ending {
    if (this.failure !== undefined) return 'failed';
    if (this.finished) return 'finished';
    return this.stopped ? 'interrupted' : 'time over';
  }

  private get interrupted(): boolean {
    return !this.finished && (this.options.programs !== undefined || this.stopped);
  }

  /** Begins the next piece of work, if there is any and it may still be begun. */
  private startNext(): Promise<void> | undefined {
    if (this.stopped) return undefined;
    const found = this.nextToShrink();
    if (found !== undefined) return this.shrink(found);
    if (this.late) return undefined;
    const shard = this.schedule.take();
    return shard && this.check(shard);
  }

  /** A finding that no program before it can show any more: what it is shrunk to is the same on every machine. */
  private nextToShrink(): Found | undefined {
    const next = this.schedule.peek()?.[0] ?? Number.POSITIVE_INFINITY;
    const open = Math.min(next, ...[...this.checking].map(([from]) => from));
    return this.state.found.find(
      (one) => one.small === undefined && one.index < open && !this.shrinking.has(one),
    );
  }

  private async check(shard: Range): Promise<void> {
    const [from, to] = shard;
    this.checking.add(shard);
    try {
      const reports = await this.pool.run({ kind: 'check', from, to });
      this.keepTime();
      for (const found of this.store.add(reports)) this.file(found);
    } finally {
      this.checking.delete(shard);
    }
    this.showProgress();
  }

  private async shrink(found: Found): Promise<void> {
    const { text, cause, index, world } = found;
    this.shrinking.add(found);
    try {
      const small = await this.pool.run({ kind: 'shrink', text, cause, index, world });
      if (this.store.keepSmall(found, small)) this.file(found);
    } finally {
      this.shrinking.delete(found);
    }
    this.showProgress();
  }

  /** Gives a finding its file. */
  private file(found: Found): void {
    this.filing = this.filing.then(() =>
      this.orFail(async () => {
        await this.store.file(found);
      }),
    );
  }

  private keepTime(): void {
    this.state.ms = Math.round(this.msBefore + now() - this.begun);
  }

  private showProgress(): void {
    const { done, found, disagreementCount, coverage } = this.state;
    const { news } = this.store.history;
    if (news > this.newsBefore) this.newsAt = now();
    this.newsBefore = news;
    this.options.progress?.({
      done,
      programs: this.options.programs,
      found: found.length,
      shrinking: found.filter((one) => one.small === undefined).length,
      disagreements: disagreementCount,
      news,
      sinceNews: this.newsAt === undefined ? undefined : now() - this.newsAt,
      called: Object.keys(coverage.functions).length,
    });
  }
}
