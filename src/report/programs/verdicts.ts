/** What two verifiers say of programs: a row for each program, the gap between the two, and both as tables. */

import type { ProgType } from '../../object/program.js';
import type { Explanation } from '../../verifier/explain/explanation.js';
import { INSN_BUDGET } from '../../verifier/verify.js';
import { indented, ObjectTable } from '../text/object-table.js';
import { wrap } from '../text/wrap.js';
import { explanationInWords } from './explanations.js';
import { classify, type GapClass, type GapEntry, gapRows, gapTotals, reasonOf } from './gap.js';
import type { HotLine } from './hot-lines.js';

/**
 * The words for a verdict; only the first two speak of the program. `error`: a bug of swansong's own. `stopped`: it took more than it may, or a
 * person asked to stop.
 */
export type VerdictWord = 'accepted' | 'rejected' | 'unsupported' | 'budget' | 'error' | 'stopped';

/** One program of `verify`'s document. */
export interface VerdictRow {
  readonly file: string;
  /** The kernel that the program's case says, by name, where it was judged for that. */
  readonly madeFor?: string;
  /** The function that it runs in the place of, `FILE:FUNCTION`, or `FUNCTION` where it is one of its own object. */
  readonly replaces?: string;
  /** The callbacks that run later, each verified as a start of its own; left out where there is none. Of an accepted program only. */
  readonly callbacks?: readonly VerifiedCallback[];
  readonly name: string;
  /** Absent: it was not read. */
  readonly type?: ProgType;
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
  /** With --hot: insns walked, by C line or by insn, the most first. */
  readonly hot?: readonly HotLine[];
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

/** A callback that runs later (bpf_timer, bpf_wq). */
export interface VerifiedCallback {
  readonly callback: string;
  /** Insns of its function. */
  readonly insns: number;
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

/** Writes the table of verdicts row by row: an object once, and below it its programs; below each what Linux says, where it was asked. */
export class VerdictTable {
  private readonly table = new ObjectTable([
    { name: 'program', width: 24 },
    { name: 'verdict', width: 11 },
    { name: 'insns', width: 7, figures: true },
    { name: 'walked', width: 8, figures: true },
    { name: 'states', width: 7, figures: true },
    { name: 'ms', width: 10, figures: true },
  ]);
  private rows = 0;
  private isCut = false;

  constructor(
    private readonly withKernel: boolean,
    private readonly whole: boolean,
  ) {}

  /** Whether all rows were listed. */
  get listsAll(): boolean {
    return !this.isCut;
  }

  /** The row; of many programs, beside Linux, only one on which the two differ. */
  add(row: VerdictRow): string {
    const { file, name, verdict, insns, walked, states, ms, kernel } = row;
    this.rows++;
    let cut = '';
    if (this.withKernel && this.rows > LISTED) {
      cut = this.isCut ? '' : `more than ${LISTED} programs: from here on only where the two differ\n`;
      this.isCut = true;
      if (row.class === 'agree' || row.class === 'not judged') return cut;
    }
    // What is explained below begins with the message.
    const said = row.explanation === undefined ? row.message || kernel?.message || otherWalk(row) : '';
    const limit = verdict !== 'budget' ? '' : walked > INSN_BUDGET ? LINUX_LIMIT : OWN_LIMIT;
    const told = [said, limit].filter((text) => text !== '').join(': ');
    const ours = this.table.add(file, [name, verdict, insns, walked, states, ms.toFixed(2)]);
    const linux =
      kernel === undefined
        ? ''
        : this.table.line([
            '    in Linux',
            kernel.verdict,
            '',
            kernel.walked ?? '',
            '',
            kernel.ms.toFixed(2),
          ]);
    const callbacks = (row.callbacks ?? []).map(({ callback, insns: own }) =>
      this.table.line([`    later: ${callback}`, verdict, own]),
    );
    return cut + ours + callbacks.join('') + linux + indented(told) + explanationInWords(row, this.whole);
  }
}

const LINUX_LIMIT = `Linux walks ${INSN_BUDGET} insns and no more; --hot tells where they go`;
const OWN_LIMIT = 'the limit is that of --effort; --hot tells where the insns go';

/** The row of a program that took more than it may, or that was interrupted. */
export function lostVerdict(
  {
    file,
    name,
    insns,
    ms,
  }: { readonly file: string; readonly name: string; readonly insns: number; readonly ms: number },
  loss: 'timeout' | 'memory' | 'interrupted' | 'died',
  { timeout, memory }: { readonly timeout?: number; readonly memory?: number },
): VerdictRow {
  const message = {
    timeout: `it was not verified within ${timeout} s (allow more: --timeout ${2 * (timeout ?? 1)}; or less work: --effort)`,
    memory: `it took ${memory === undefined ? 'all memory that Node allows' : `more than ${memory} MiB`} (allow more: --memory ${2 * (memory ?? 2048)})`,
    interrupted: 'interrupted before it was verified',
    died: 'the thread of the verifier ended by itself: this is a bug of swansong',
  }[loss];
  return { file, name, insns, verdict: 'stopped', message, walked: 0, states: 0, ms };
}

/** The gap between the two verifiers as a table of reasons, then how many programs stand where; empty where Linux was not asked. */
export function gapInWords(gap: readonly GapEntry[] | undefined): string {
  if (gap === undefined) return '';
  const totals = Object.entries(gapTotals(gap)).map(([kind, count]) => `${count} ${kind}`);
  const reasons = gapRows(gap).map(({ programs, class: kind, reason, example }) => {
    const [first = '', ...rest] = wrap(reason, '', '', REASON);
    return [
      `${`${programs}`.padStart(8)}  ${kind.padEnd(13)}  ${first}`,
      ...[...rest, `for example ${example}`].map((text) => `${' '.repeat(79 - REASON)}${text}`),
    ].join('\n');
  });
  const head = `programs  ${'class'.padEnd(13)}  reason`;
  return `\n${[head, ...reasons].join('\n')}\n\n${wrap(totals.join(', '), '', '', 79).join('\n')}\n`;
}

/** Columns of a reason. */
const REASON = 54;

/** One line for each program of an object that was left out. */
export function skippedLines(skipped: readonly { file: string; name: string; reason: string }[]): string {
  return skipped.map(({ file, name, reason }) => `left out: ${file}:${name}: ${reason}\n`).join('');
}

/** One line for each file that could not be read. */
export function unreadableLines(files: readonly UnreadableFile[]): string {
  return files.map(({ file, reason }) => `left out: ${file}: ${reason}\n`).join('');
}
