/** Has all programs of the files judged, one after the other: shows how far it is, goes on after a program that took too much, and stops in order. */
import { InputError } from '../../isa/errors.js';
import type { UnreadableFile } from '../../report/programs/verdicts.js';
import { since } from '../command.js';
import { type BrokenFile, readBytes } from '../input/files.js';
import { unread } from '../input/judging.js';
import type { JudgedProfile } from '../input/kernel-profile.js';
import { foundFiles, PROGRAM_FILES, STANDARD_INPUT } from '../input/paths.js';
import { onInterrupt } from '../output/interrupt.js';
import type { Common } from '../output/outcome.js';
import { workBar } from '../output/progress.js';
import type { Judged, JudgeSetting, LeftOutProgram } from './judge.js';
import { type Loss, supervise } from './supervisor.js';

/** What is judged, and how much one program may take. */
export interface Work {
  readonly command: JudgeSetting['command'];
  readonly paths: readonly string[];
  readonly options: {
    readonly prog?: string;
    /** Seconds. */
    readonly timeout?: number;
    /** MiB. */
    readonly memory?: number;
  };
  /** The file that threads are started from, where it is not the one beside the supervisor. */
  readonly entry?: URL;
}

/** A program that there is no answer for. */
export interface LostProgram {
  readonly file: string;
  /** '' for a file that was not read. */
  readonly name: string;
  readonly insns: number;
  readonly loss: Loss;
  /** How long it was waited for. */
  readonly ms: number;
}

/** How rows are made and shown. */
export interface Rows<R> {
  /** The row of a program without an answer. */
  lost(program: LostProgram): R;
  /** A program of a file, or the file itself, cannot be judged; it comes behind the programs of the file. */
  leftOut(program: LeftOutProgram): Promise<void>;
  /** A row is there. Of programs that an interrupt kept from being judged nothing is shown. */
  show(judged: Judged<R>): Promise<void>;
}

/** What came of all programs. */
export interface Done<R> {
  readonly rows: readonly R[];
  /** Programs that nobody can judge here. */
  readonly skipped: readonly LeftOutProgram[];
  readonly broken: readonly BrokenFile[];
  /** Programs, and files, that were not judged because a person asked to stop. Undefined: nobody did. */
  readonly interrupted: readonly Pick<LostProgram, 'file' | 'name'>[] | undefined;
  /** For whom programs were judged; undefined where the interrupt came before that was known. */
  readonly profile: JudgedProfile['json'] | undefined;
}

/** Throws InputError for options that cannot be used, where no file can be used, and where no program has the name that was asked for. */
export async function judgeAll<R>(work: Work, rows: Rows<R>, common: Common): Promise<Done<R>> {
  const { command, paths, options, entry } = work;
  const files = foundFiles(paths, PROGRAM_FILES);
  const stop = new AbortController();
  const giveBack = onInterrupt(() => stop.abort());
  const bar = workBar(common, command, files.length);
  const done = new Collected<R>();
  try {
    const input = files.some(({ path }) => path === STANDARD_INPUT)
      ? { input: readBytes(STANDARD_INPUT) }
      : {};
    const { timeout, memory } = options;
    const limits = {
      ...(timeout !== undefined && { timeout: timeout * 1000 }),
      ...(memory !== undefined && { memory }),
      signal: stop.signal,
    };
    const started = await supervise<R>({ command, files, options, ...input }, limits, entry);
    if ('lost' in started) {
      done.interrupted = files.map(({ path }) => ({ file: path, name: '' }));
      return done;
    }
    const judge = started.value;
    done.profile = judge.profile;
    for (const [at, { path }] of files.entries()) {
      const opened = await judge.open(at);
      if ('lost' in opened) {
        done.addLost(
          rows.lost({ file: path, name: '', insns: 0, loss: opened.lost, ms: 0 }),
          path,
          '',
          opened.lost,
        );
        continue;
      }
      done.addFile(opened.value);
      for (const [nth, { name, insns }] of opened.value.programs.entries()) {
        bar.begin({ file: at, path, name, nth, of: opened.value.programs.length });
        const begun = performance.now();
        const answer = await judge.judge(at, nth);
        bar.hide();
        if ('value' in answer) {
          done.rows.push(answer.value.row);
          await rows.show(answer.value);
          continue;
        }
        const row = rows.lost({ file: path, name, insns, loss: answer.lost, ms: since(begun) });
        done.addLost(row, path, name, answer.lost);
        if (answer.lost !== 'interrupted') await rows.show({ row, below: '' });
      }
      for (const one of opened.value.unjudged) await rows.leftOut(one);
      if (opened.value.broken !== undefined) await rows.leftOut(unread(opened.value.broken));
    }
    await judge.close();
  } finally {
    bar.close();
    giveBack();
  }
  const { broken, others, rows: made, skipped, unjudged } = done;
  if (made.length === 0 && unjudged.length === 0) throw nothingFound(options.prog, broken, others, skipped);
  return done;
}

class Collected<R> implements Done<R> {
  readonly rows: R[] = [];
  readonly skipped: LeftOutProgram[] = [];
  readonly unjudged: LeftOutProgram[] = [];
  readonly broken: BrokenFile[] = [];
  readonly others: string[] = [];
  interrupted: { readonly file: string; readonly name: string }[] | undefined;
  profile: JudgedProfile['json'] | undefined;

  addFile({
    others,
    skipped,
    unjudged,
    broken,
  }: {
    readonly others: readonly string[];
    readonly skipped: readonly LeftOutProgram[];
    readonly unjudged: readonly LeftOutProgram[];
    readonly broken?: BrokenFile;
  }): void {
    this.others.push(...others);
    this.skipped.push(...skipped);
    this.unjudged.push(...unjudged);
    if (broken !== undefined) this.broken.push(broken);
  }

  addLost(row: R, file: string, name: string, loss: Loss): void {
    this.rows.push(row);
    if (loss !== 'interrupted') return;
    this.interrupted ??= [];
    this.interrupted.push({ file, name });
  }
}

function nothingFound(
  prog: string | undefined,
  [first]: readonly UnreadableFile[],
  others: readonly string[],
  skipped: readonly LeftOutProgram[],
): InputError {
  if (first !== undefined) return new InputError(first.reason, { file: first.file });
  if (prog === undefined) return new InputError('there is no program');
  const there = [...new Set([...others, ...skipped.map(({ name }) => name)])];
  const shown = there.slice(0, MOST_NAMES).join(', ');
  const more = there.length > MOST_NAMES ? `, and ${there.length - MOST_NAMES} more` : '';
  return new InputError(`no program is called '${prog}'; there are ${shown}${more}`);
}

/** Names that a message lists at the most. */
const MOST_NAMES = 20;

/** `interrupted: 3 programs were not judged: a, b, c`. Empty where nobody asked to stop. */
export function interruptedInWords(interrupted: Done<unknown>['interrupted']): string {
  if (interrupted === undefined) return '';
  const names = interrupted.map(({ file, name }) => (name === '' ? file : name));
  const shown = names.slice(0, MOST_NAMES).join(', ');
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : '';
  return `interrupted; not judged: ${shown}${more}\n`;
}
