/** What program proofs say: a row for each program, and the same as a table. */
import type { ProgramProof } from '../smt/program-proof.js';
import { table } from './table.js';

/** One program of `prove`'s document. */
export interface ProofRow {
  readonly file: string;
  readonly name: string;
  readonly insns: number;
  readonly points: number;
  readonly verdict: ProgramProof['verdict'];
  readonly reason: string;
  /** Null: no bound is known. */
  readonly bound: number | null;
  readonly bounds: ProgramProof['bounds'];
  readonly sites: ProgramProof['sites'];
  readonly queries: number;
  readonly walked: ProgramProof['walked'];
  readonly ms: number;
  readonly witness?: {
    readonly expect: string;
    readonly kill: number;
    readonly case: string;
    readonly file?: string;
  };
}

/** The table for people. Empty without rows. */
export function proofsInWords(rows: readonly ProofRow[]): string {
  return table(
    ['program', 'verdict', 'insns', 'points', 'bound', 'sites', 'queries', 'ms', ''],
    rows.map((row) => [
      `${row.file}:${row.name}`,
      row.verdict,
      row.insns,
      row.points,
      row.bound ?? '-',
      row.sites.length,
      row.queries,
      row.ms,
      row.witness === undefined
        ? row.reason
        : `${row.witness.expect} after ${row.witness.kill} steps: ${row.reason}`,
    ]),
    ['insns', 'points', 'bound', 'sites', 'queries', 'ms'],
  );
}
