/**
 * What commands that judge have in common: things, each of which holds, fails, is unknown or was left out. Formats for CI and baselines
 * are made of these, and these of the JSON document, so that a document of an earlier run tells the same.
 */
import { createHash } from 'node:crypto';
import type { ExitCode } from '../exit.js';
import { worst } from '../exit.js';
import type { Change } from './change.js';

/** How a thing stands. `warned`: it is probably a mistake, but fails nothing. `left out`: nobody can judge it here, and it fails nothing. */
export type Standing = 'holds' | 'failed' | 'unknown' | 'warned' | 'left out';

/** Where to look. */
export interface JudgedPlace {
  /** As it was named, or as an object's line information has it. */
  readonly file: string;
  /** Counts from 1. */
  readonly line?: number;
  /** Counts from 1. */
  readonly column?: number;
  /** The object that `file` is a source of: it is looked for beside it. */
  readonly object?: string;
}

/** One thing that was judged. */
export interface Judged {
  /** What it belongs to: a file, a rule set. */
  readonly of: string;
  /** What it is called in there: a program, a function, a case. */
  readonly name: string;
  readonly standing: Standing;
  /** What is wrong, in a word or two: the check that broke, or the verdict. For what holds the verdict. */
  readonly what: string;
  /** For people; may have several lines. */
  readonly message: string;
  readonly place?: JudgedPlace;
  /** Milliseconds that it took. */
  readonly ms?: number;
}

/** A thing and what is wrong with it. */
export interface ComparedThing {
  /** What it belongs to: a file, a rule set. */
  readonly of: string;
  readonly name: string;
  /** The check that broke, or the verdict. */
  readonly what: string;
  readonly message: string;
}

/** How the things of a document stand beside those of an earlier one. */
export interface ComparedWithBaseline {
  /** Of `prove` and `verify`: figures that got worse, and all other changes of figures. */
  readonly worse?: readonly Change[];
  readonly changed?: readonly Change[];
  /** The earlier document. */
  readonly file: string;
  /** What fails or is unknown now, and was not so then. */
  readonly new: readonly ComparedThing[];
  /** What fails or is unknown now as it was then. */
  readonly known: readonly ComparedThing[];
  /** What failed or was unknown then, and holds now. */
  readonly mended: readonly ComparedThing[];
  /** What failed or was unknown then, and was not judged now: it may have been taken out. */
  readonly missing: readonly ComparedThing[];
}

/** The same for the same trouble with the same thing, in another run or another checkout. */
export const judgedKey = ({ of, name, what }: Judged): string => `${of}\n${name}\n${what}`;

/** A short name for a key, which tools keep. */
export const judgedDigest = (one: Judged): string =>
  createHash('sha256').update(judgedKey(one)).digest('hex').slice(0, 32);

/** The exit code that these have together. */
export function judgedExit(all: readonly Judged[]): ExitCode {
  return worst(all.map(({ standing }) => (standing === 'failed' ? 1 : standing === 'unknown' ? 3 : 0)));
}

/** How many stand how. */
export function judgedCounts(all: readonly Judged[]): Readonly<Record<Standing, number>> {
  const counts = { holds: 0, failed: 0, unknown: 0, warned: 0, 'left out': 0 };
  for (const { standing } of all) counts[standing]++;
  return counts;
}
