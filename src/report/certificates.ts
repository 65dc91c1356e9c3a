/** What certificates say: a row for each program, and the same as a table. */
import type { Certificate } from '../oracle/certify.js';
import { table } from './table.js';

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
  /** The case that shows why; null where no run was found. */
  readonly case?: string | null;
}

/** The table for people, then `leftOut` (a line for each program that was not judged), then where cases of refusals were written. */
export function certificatesInWords(rows: readonly CertificateRow[], leftOut: string): string {
  const text = table(
    ['program', 'verdict', 'insns', 'stubs', 'walked', 'ms', ''],
    rows.map((row) => [
      `${row.file}:${row.name}`,
      row.verdict,
      row.insns,
      row.sitesStubbed,
      row.walked,
      row.ms,
      row.message || row.sitesLeftOut.map((site) => `left out: ${site.function} at ${site.slot}`).join(', '),
    ]),
    ['insns', 'stubs', 'walked', 'ms'],
  );
  return text + leftOut + rows.map(writtenLine).join('');
}

function writtenLine(row: CertificateRow): string {
  if (row.case === undefined) return '';
  const what = row.case === null ? 'no run was found that shows it' : row.case;
  return `${row.file}:${row.name}: ${what}\n`;
}
