/** What program proofs say: a row for each program, and the same as a table. */
import type { ProgramProof } from '../smt/proof.js';
import type { WitnessPath } from '../smt/witness-path.js';
import type { Explanation } from '../verifier/explain/explanation.js';
import { explanationInWords } from './explanations.js';
import { nsInWords } from './time.js';
import { witnessPathInWords } from './witness-paths.js';

/** One program of `prove`'s document. */
export interface ProofRow {
  readonly file: string;
  /** The kernel that the program's case says, by name, where it was judged for that. */
  readonly madeFor?: string;
  readonly name: string;
  readonly insns: number;
  readonly points: number;
  readonly verdict: ProgramProof['verdict'];
  readonly reason: string;
  /** What our verifier says where it refuses the program itself, as `verify` tells it. */
  readonly message?: string;
  readonly lines?: readonly string[];
  readonly slot?: number;
  readonly explanation?: Explanation;
  /** What may settle an unknown program; '' for others. */
  readonly advice: string;
  /** Insns. Null: no number of insns bounds a killed run. */
  readonly bound: number | null;
  /** What bounds a killed run. Null: that was not worked out, because the proof failed before. */
  readonly boundKind: ProgramProof['boundKind'] | null;
  readonly bounds: ProgramProof['bounds'];
  /** Where it is time that bounds a killed run: milliseconds, and the insns beside them. */
  readonly timeLimit?: ProgramProof['timeLimit'];
  readonly timeLimits: ProgramProof['timeLimits'];
  /** With --cost, of a program with a bound: nanoseconds. Null: nothing bounds them. */
  readonly timeToDie?: {
    /** From the decision to kill until the first patched insn. */
    readonly kill: number | null;
    /** From there to the exit, over all termination points. */
    readonly run: number | null;
    readonly bySlot: ReadonlyMap<number, number | null>;
  };
  readonly worstPath: ProgramProof['worstPath'];
  readonly loops: ProgramProof['loops'];
  readonly kept: ProgramProof['kept'];
  readonly sites: ProgramProof['sites'];
  readonly queries: number;
  readonly walked: ProgramProof['walked'];
  readonly ms: number;
  readonly witness?: {
    readonly expect: string;
    readonly kill: number;
    readonly case: string;
    readonly file?: string;
    /** What happened in the run, in order. */
    readonly path?: WitnessPath;
  };
}

/** The row of a program that was not judged at all, because something that it needs is not modelled. */
export function leftOutRow({ file, name, reason }: LeftOut): ProofRow {
  return {
    file,
    name,
    insns: 0,
    points: 0,
    verdict: 'unknown',
    reason: `left out: ${reason}`,
    advice: 'nothing is said of it: look at it by hand, or ask Linux',
    bound: null,
    boundKind: null,
    bounds: new Map(),
    timeLimits: new Map(),
    worstPath: [],
    loops: [],
    kept: [],
    sites: [],
    queries: 0,
    walked: { verified: 0, patched: 0 },
    ms: 0,
  };
}

/** A program that was not proven because it is not modelled or could not be read, with the reason. */
export interface LeftOut {
  readonly file: string;
  readonly name: string;
  readonly reason: string;
}

/** A bound in a word: `23`, `250ms+393221`, `unbounded`; `-` where it was not worked out. */
export function boundInWords({ bound, boundKind, timeLimit }: ProofRow): string {
  if (bound !== null) return `${bound}`;
  if (timeLimit !== undefined) return `${timeLimit.ms}ms+${timeLimit.insns}`;
  return boundKind ?? '-';
}

const HEAD = ['program', 'verdict', 'insns', 'points', 'bound', 'sites', 'queries', 'ms', ''] as const;
/** How wide the columns behind the first are at least, so that rows that are printed one by one stand below each other. */
const WIDTHS = [8, 5, 6, 12, 5, 7, 8, 0] as const;

/** How wide the first column is for these programs. */
export const proofsWidth = (programs: readonly { readonly file: string; readonly name: string }[]): number =>
  programs.reduce((width, { file, name }) => Math.max(width, file.length + name.length + 1), HEAD[0].length);

/** The head of the table, in one line. */
export const proofsHead = (width: number): string => line(HEAD, width);

/** A row of the table, in one line. */
export function proofLine(row: ProofRow, width: number): string {
  const { file, name, verdict, insns, points, sites, queries, ms } = row;
  const cells = [`${file}:${name}`, verdict, insns, points, boundInWords(row), sites.length, queries, ms];
  return line([...cells, outcomeInWords(row)], width);
}

/** What stands below a row: why the program is refused, in short or as a `whole`; of a witness the way, where the whole is asked for. */
export function belowProofLine(row: ProofRow, whole: boolean): string {
  const { file, name, message, lines, explanation, witness } = row;
  if (message !== undefined)
    return explanationInWords(
      { file, name, message, ...(lines && { lines }), ...(explanation && { explanation }) },
      whole,
    );
  if (!whole || witness?.path === undefined) return '';
  return witnessPathInWords(`${file}:${name}`, witness.path);
}

/** What stands behind the figures of a row. */
function outcomeInWords(row: ProofRow): string {
  const { timeToDie: time } = row;
  if (time === undefined) return verdictInWords(row);
  const dies = time.run === null ? 'dies within no known time' : `dies within ${nsInWords(time.run)}`;
  const rest = verdictInWords(row);
  return rest === '' ? dies : `${dies}; ${rest}`;
}

function verdictInWords({ witness, reason, advice, kept, verdict }: ProofRow): string {
  if (witness !== undefined) return `${witness.expect} after ${witness.kill} steps: ${reason}`;
  if (verdict === 'unknown') return advice === '' ? reason : `${reason} (${advice})`;
  if (kept.length === 0) return '';
  const calls = new Map(kept.map((call) => [`${call.function} may ${call.may.join(', ')}`, call]));
  return `kept: ${[...calls.keys()].join('; ')}`;
}

function line([program, ...cells]: readonly (string | number)[], width: number): string {
  const text = cells.map((cell, i) => {
    const isText = i === 0 || i === cells.length - 1;
    return isText ? `${cell}`.padEnd(WIDTHS[i]!) : `${cell}`.padStart(WIDTHS[i]!);
  });
  return `${[`${program}`.padEnd(width), ...text].join('  ').trimEnd()}\n`;
}
