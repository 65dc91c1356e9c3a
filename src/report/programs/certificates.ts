/** What certificates say: a row for each program, and the same as a table. */
import type { Certificate } from '../../oracle/certify.js';
import type { Explanation } from '../../verifier/explain/explanation.js';
import { ObjectTable } from '../text/object-table.js';
import { explanationInWords, placeInWords } from './explanations.js';

/** One program of `certify`'s document. */
export interface CertificateRow {
  readonly file: string;
  readonly name: string;
  readonly verdict: Certificate['verdict'];
  readonly message: string;
  readonly sitesLeftOut: Certificate['sitesLeftOut'];
  readonly sitesStubbed: number;
  readonly notLookedFor: Certificate['notLookedFor'];
  readonly insns: number;
  /** The program that Linux judged: its slots, and where and how it is killed. */
  readonly twoMode: { readonly insns: number; readonly points?: string; readonly by?: string };
  readonly walked: number;
  readonly ms: number;
  /** What was refused, and in which mode. */
  readonly at?: Certificate['at'];
  /** The end of Linux's log, where it refused something. */
  readonly log?: Certificate['log'];
  /** What our verifier says where it refuses the program itself, as `verify` tells it. */
  readonly lines?: readonly string[];
  readonly slot?: number;
  readonly explanation?: Explanation;
  /** The case that shows why; null where no run was found. */
  readonly case?: string | null;
}

/** Lines of Linux's log that are shown, unless the whole is asked for. */
const FEW_LINES = 6;

/** The table for people, then why what was refused was refused (short or `whole`), then `leftOut` (a line for each program that was not judged), then where cases of refusals were written. */
export function certificatesInWords(rows: readonly CertificateRow[], leftOut: string, whole = false): string {
  const table = new ObjectTable([
    { name: 'program', width: 28 },
    { name: 'verdict', width: 13 },
    { name: 'insns', width: 6, figures: true },
    { name: 'stubs', width: 5, figures: true },
    { name: 'walked', width: 8, figures: true },
    { name: 'ms', width: 7, figures: true },
  ]);
  const text = rows
    .map((row) =>
      table.add(
        row.file,
        [row.name, row.verdict, row.insns, row.sitesStubbed, row.walked, row.ms.toFixed(1)],
        row.message ||
          row.sitesLeftOut.map((site) => `left out: ${site.function} at ${site.slot}`).join(', '),
      ),
    )
    .join('');
  return (
    text + rows.map((row) => refusalInWords(row, whole)).join('') + leftOut + rows.map(writtenLine).join('')
  );
}

function refusalInWords(row: CertificateRow, whole: boolean): string {
  const { file, name, log = [] } = row;
  const ours = explanationInWords(row, whole);
  if (log.length === 0) return ours;
  const shown = whole ? log : log.slice(-FEW_LINES);
  const cut = shown.length === log.length ? '' : ' (--explain shows more)';
  const lines = [`${file}:${name}: the end of Linux's log${cut}:`];
  let before = '';
  for (const { text, mode, at } of shown) {
    const where = at === undefined || mode === undefined ? before : `${MODES[mode]} insn ${placeInWords(at)}`;
    if (where !== before) lines.push(`  ${where}`);
    before = where;
    lines.push(`    ${text}`);
  }
  return ours + lines.map((line) => `${line}\n`).join('');
}

/** Where an insn of a two-mode program comes from, in words. */
const MODES: Readonly<Record<NonNullable<Certificate['at']>['mode'], string>> = {
  normal: 'before the kill,',
  switch: 'the kill before',
  patched: 'after the kill,',
  stub: 'after the kill, the stub for',
  guard: 'after the kill, the stub for',
};

function writtenLine(row: CertificateRow): string {
  if (row.case === undefined) return '';
  const what = row.case === null ? 'no run was found that shows it' : row.case;
  return `${row.file}:${row.name}: ${what}\n`;
}
