/**
 * What a campaign's folder remembers over the nights: its runs, and when each finding was first and last seen, and since when it is gone. Dates
 * come from the clock; they are only told, and nothing depends on them.
 */
import { join } from 'node:path';
import { InputError } from '../../isa/errors.js';
import { type Cause, causeKey } from '../kill/cause.js';
import type { Identity } from '../shards/identity.js';
import { readJsonFile, writeJsonFile } from './json-file.js';
import { aCount, aText, having, listOf, such } from './shape.js';

export const HISTORY_FILE = 'history.json';

/** How a run ended. */
export type Ending = 'finished' | 'time over' | 'interrupted' | 'failed';

/** From a start of a campaign to its end; one that was killed goes on in the next start. */
export interface Run {
  readonly begun: string;
  ended?: string;
  how?: Ending;
  readonly version: string;
  readonly code: string;
  readonly rules: readonly { readonly set: string; readonly digest: string }[];
  readonly seed: number;
  /** Programs of the campaign that were done at its end. */
  programs: number;
}

/** When something was seen, and in which of the runs. */
export interface Seen {
  readonly at: string;
  readonly run: number;
}

/** What is remembered of one cause. */
export interface Remembered {
  readonly cause: Cause;
  /** Its case, once it has one. */
  file?: string;
  /** `before`: it was saved before there was a history. */
  readonly first: Seen & { readonly program?: number; readonly before?: true };
  last: Seen;
  /** Its saved case did not show it any more; undefined while it does. */
  gone?: Seen;
  /** It was gone, and was seen again then. */
  back?: Seen;
}

/** Plain data, kept as `history.json`: starts of campaigns, oldest first, and every cause that one of them ever met. */
export interface History {
  readonly runs: Run[];
  readonly findings: Remembered[];
}

const SEEN = having({ at: aText, run: aCount });
const HISTORY = having({
  runs: listOf(
    having({
      begun: aText,
      version: aText,
      code: aText,
      rules: listOf(having({ set: aText, digest: aText })),
      seed: aCount,
      programs: aCount,
    }),
  ),
  findings: listOf(
    having({
      cause: having({ rules: aText, check: aText, rule: aText, function: aText, kind: aText }),
      first: SEEN,
      last: SEEN,
      'gone?': SEEN,
      'back?': SEEN,
      'file?': aText,
    }),
  ),
});

/** The history that a folder holds, if it holds one. Throws InputError for one that is damaged. */
export function readHistory(folder: string): History | undefined {
  const file = join(folder, HISTORY_FILE);
  const isOne = such('', (value) => typeof value === 'object' && value !== null);
  const history = readJsonFile(
    file,
    'a history',
    (value): value is History => isOne(value, '') === undefined,
  );
  const wrong = history && (HISTORY(history, '') ?? outside(history));
  if (wrong !== undefined) throw new InputError(`this history of a campaign is damaged: ${wrong}`, { file });
  return history;
}

function outside({ runs, findings }: History): string | undefined {
  const at = findings.findIndex(({ first, last, gone }) =>
    [first, last, gone].some((seen) => seen !== undefined && seen.run >= runs.length),
  );
  return at < 0 ? undefined : `findings[${at}] tells of a run that is not there`;
}

/** What a finding is to the run that tells of it. */
export type Status = 'new' | 'back' | 'still there';

/** What a history says of findings, as one of its runs sees it. */
export class HistoryView {
  protected readonly byKey: Map<string, Remembered>;

  /** `run`: index of the run that tells, which is there. */
  constructor(
    readonly history: History,
    protected readonly run: number,
  ) {
    this.byKey = new Map(history.findings.map((one) => [causeKey(one.cause), one]));
  }

  /** What is remembered of a cause. */
  remembered(cause: Cause): Remembered | undefined {
    return this.byKey.get(causeKey(cause));
  }

  /** Findings whose saved case does not show them any more. */
  get gone(): readonly Remembered[] {
    return this.history.findings.filter(({ gone }) => gone !== undefined);
  }

  /** What a finding is to this run; undefined for one that was never seen. */
  statusOf(cause: Cause): Status | undefined {
    const known = this.byKey.get(causeKey(cause));
    if (known === undefined) return undefined;
    if (known.back?.run === this.run) return 'back';
    return known.first.run === this.run && known.first.before !== true ? 'new' : 'still there';
  }
}

/** A history while a campaign runs. */
export class HistoryKeeper extends HistoryView {
  /** Begins a run, or goes on with the last one, if that was killed and was of the same campaign. `now`: the time, in ISO 8601. */
  constructor(
    private readonly folder: string | undefined,
    history: History,
    identity: Identity,
    seed: number,
    private readonly now: () => string = () => new Date().toISOString(),
  ) {
    beginRun(history, identity, seed, now());
    super(history, history.runs.length - 1);
  }

  /** A finding was seen. `before`: it was saved before this run. Answers whether that is news. */
  see(cause: Cause, about: { program?: number; file?: string; before?: true }): boolean {
    const seen: Seen = { at: this.now(), run: this.run };
    const known = this.byKey.get(causeKey(cause));
    const { file, ...first } = about;
    if (known === undefined) {
      const one: Remembered = { cause, first: { ...seen, ...first }, last: seen };
      if (file !== undefined) one.file = file;
      this.history.findings.push(one);
      this.byKey.set(causeKey(cause), one);
      return about.before !== true;
    }
    const wasGone = known.gone !== undefined;
    if (wasGone) {
      known.back = seen;
      delete known.gone;
    }
    known.last = seen;
    if (file !== undefined) known.file = file;
    return wasGone;
  }

  /** A cause that this run met turned out to be another one. */
  forget(cause: Cause): void {
    const key = causeKey(cause);
    const known = this.byKey.get(key);
    if (known === undefined || known.first.run !== this.run || known.first.before === true) return;
    this.byKey.delete(key);
    this.history.findings.splice(this.history.findings.indexOf(known), 1);
  }

  /** Findings of this run that were not there before it. */
  get news(): number {
    return this.history.findings.filter(({ cause, gone }) => {
      const status = this.statusOf(cause);
      return gone === undefined && (status === 'new' || status === 'back');
    }).length;
  }

  /** The saved case in this file does not show what it did. Answers whether that is news. */
  miss(file: string): boolean {
    let isNews = false;
    for (const one of this.history.findings) {
      if (one.file !== file || one.gone !== undefined) continue;
      one.gone = { at: this.now(), run: this.run };
      isNews = true;
    }
    return isNews;
  }

  /** Writes it into the folder, if there is one. Throws InputError. */
  save(programs: number, how?: Ending): void {
    const run = this.history.runs[this.run]!;
    run.programs = programs;
    if (how !== undefined) Object.assign(run, { ended: this.now(), how });
    if (this.folder !== undefined) writeJsonFile(join(this.folder, HISTORY_FILE), this.history);
  }
}

function beginRun({ runs }: History, identity: Identity, seed: number, begun: string): void {
  const { version, code } = identity;
  const rules = identity.rules.map(({ set, digest }) => ({ set, digest }));
  const run: Run = { begun, version, code, rules, seed, programs: 0 };
  const last = runs.at(-1);
  if (last === undefined || last.ended !== undefined || !isSameRun(last, run)) runs.push(run);
}

function isSameRun(a: Run, b: Run): boolean {
  return a.code === b.code && a.seed === b.seed && JSON.stringify(a.rules) === JSON.stringify(b.rules);
}
