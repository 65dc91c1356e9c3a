/** What two verifiers say of programs: a row for each program, the gap between the two, and both as tables. */

import type { ProgType } from '../object/program.js';
import type { Explanation } from '../verifier/explain/explanation.js';
import { explanationInWords } from './explanations.js';
import { classify, type GapClass, type GapEntry, gapRows, gapTotals, reasonOf } from './gap.js';
import { table } from './table.js';

/** The words for a verdict; only the first two speak of the program. `error`: a bug of swansong's own. */
export type VerdictWord = 'accepted' | 'rejected' | 'unsupported' | 'budget' | 'error';

/** One program of `verify`'s document. */
export interface VerdictRow {
  readonly file: string;
  /** The kernel that the program's case says, by name, where it was judged for that. */
  readonly madeFor?: string;
  readonly name: string;
  readonly type: ProgType;
  readonly verdict: VerdictWord;
  readonly message: string;
  /** All that Linux says of it, line by line. */
  readonly lines?: readonly string[];
  /** Slot of the insn at fault; without one it is the program, or a function, that is: see `explanation.about`. */
  readonly slot?: number;
  readonly explanation?: Explanation;
  readonly insns: number;
  readonly walked: number;
  readonly states: number;
  readonly ms: number;
  readonly kernel?: {
    readonly verdict: string;
    readonly message: string;
    readonly ms: number;
    /** Insns that its verifier walked, where it tells. */
    readonly walked?: number;
  };
  /** Where the two stand. */
  readonly class?: GapClass;
}

/** A program of an object that was not looked at, and why. `absent`: the kernel has not what it is for. */
export interface LeftOut {
  readonly file: string;
  readonly name: string;
  readonly reason: string;
  readonly absent?: true;
}

/** More programs than this are not listed one by one: only those on which the two verifiers differ. */
const LISTED = 60;

/** A file below a folder that a person named, which could not be used. */
export interface UnreadableFile {
  readonly file: string;
  readonly reason: string;
}

/** The entries that the gap between the two verifiers is counted from; programs that the kernel was not asked about are left out. */
export function gapEntries(
  rows: readonly VerdictRow[],
  skipped: readonly LeftOut[],
  broken: readonly UnreadableFile[],
): readonly GapEntry[] {
  return [
    ...rows.flatMap(({ kernel, file, name, verdict, message }): GapEntry[] =>
      kernel === undefined
        ? []
        : [{ ...classify({ ours: { verdict, message }, kernel }), of: `${file}:${name}` }],
    ),
    ...skipped.map(
      ({ file, name, reason, absent }): GapEntry => ({
        class: absent ? 'not judged' : 'not modelled',
        reason: reasonOf(reason),
        of: `${file}:${name}`,
      }),
    ),
    ...broken.map(
      ({ file, reason }): GapEntry => ({
        class: 'unreadable',
        reason: reasonOf(reason),
        of: file,
      }),
    ),
  ];
}

/** Walks of which one is this many times as long as the other are told. */
const OTHER_WALK = 1.5;
/** Shorter walks differ by chance. */
const SHORT_WALK = 100;

/** Says where one of the two verifiers walked much more than the other; '' where not. */
function otherWalk({ walked, kernel }: VerdictRow): string {
  const there = kernel?.walked;
  if (there === undefined || Math.max(walked, there) < SHORT_WALK) return '';
  const [times, who] = walked > there ? [walked / there, 'we walk'] : [there / walked, 'Linux walks'];
  return times <= OTHER_WALK ? '' : `${who} ${times.toFixed(1)} times as much`;
}

/** `leftOut`: lines on what is not among the rows. Of many programs the table of reasons tells as much. */
export function verdictsInWords(
  rows: readonly VerdictRow[],
  gap: readonly GapEntry[] | undefined,
  leftOut: string,
  whole = false,
): string {
  const many = gap !== undefined && rows.length > LISTED;
  const listed = many ? rows.filter((one) => one.class !== 'agree' && one.class !== 'not judged') : rows;
  const kernel = gap === undefined ? [] : ['kernel', 'walked there', "kernel's ms"];
  const programs = table(
    ['program', 'verdict', 'insns', 'walked', 'states', 'ms', ...kernel, 'message'],
    listed.map((one) => [
      `${one.file}:${one.name}`,
      one.verdict,
      one.insns,
      one.walked,
      one.states,
      one.ms,
      ...(gap === undefined
        ? []
        : [one.kernel?.verdict ?? '', one.kernel?.walked ?? '', one.kernel?.ms ?? '']),
      one.message || one.kernel?.message || otherWalk(one),
    ]),
    ['insns', 'walked', 'states', 'ms', 'walked there', "kernel's ms"],
  );
  const explained = listed.map((one) => explanationInWords(one, whole)).join('');
  if (gap === undefined) return programs + explained + leftOut;
  const totals = Object.entries(gapTotals(gap)).map(([kind, count]) => `${count} ${kind}`);
  const reasons = table(
    ['programs', 'class', 'reason', 'for example'],
    gapRows(gap).map((one) => [one.programs, one.class, one.reason, one.example]),
    ['programs'],
  );
  const above = programs + explained + (many ? '' : leftOut);
  return `${above}${above === '' ? '' : '\n'}${reasons}\n${totals.join(', ')}\n`;
}

/** One line for each program of an object that was left out. */
export function skippedLines(skipped: readonly { file: string; name: string; reason: string }[]): string {
  return skipped.map(({ file, name, reason }) => `left out: ${file}:${name}: ${reason}\n`).join('');
}

/** One line for each file that could not be read. */
export function unreadableLines(files: readonly UnreadableFile[]): string {
  return files.map(({ file, reason }) => `left out: ${file}: ${reason}\n`).join('');
}
