/** What program proofs say: a row for each program, and the same as a table. */
import { delaysInWords } from '../../kernel/delays.js';
import type { ProgramProof, ProvedSite } from '../../smt/proof.js';
import type { WitnessPath } from '../../smt/witness-path.js';
import type { Explanation } from '../../verifier/explain/explanation.js';
import type { Place } from '../../verifier/explain/place.js';
import { indented, ObjectTable } from '../text/object-table.js';
import { nsInWords } from '../text/time.js';
import { explanationInWords } from './explanations.js';
import type { HotLine } from './hot-lines.js';
import { type TailCallRow, tailCallsInWords } from './tail-calls.js';
import { witnessPathInWords } from './witness-paths.js';

/** One program of `prove`'s document. */
export interface ProofRow {
  readonly file: string;
  /** The kernel that the program's case says, by name, where it was judged for that. */
  readonly madeFor?: string;
  /** The function that it runs in the place of, `FILE:FUNCTION`, or `FUNCTION` where it is one of its own object. */
  readonly replaces?: string;
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
  /** Where `worstPath` begins: the worst place to be killed at. Null where no bound was worked out. */
  readonly worst: Place | null;
  /** With --hot: insns walked, by C line or by insn, the most first. */
  readonly hot?: readonly HotLine[];
  /** With --bounds: function and source line of each insn that has a bound. */
  readonly places?: ReadonlyMap<number, Omit<Place, 'slot' | 'insn'>>;
  readonly loops: ProgramProof['loops'];
  readonly kept: ProgramProof['kept'];
  /** The calls that may go on in another program; left out where there is none. */
  readonly tailCalls?: readonly TailCallRow[];
  /** The callbacks that run later, each a program of its own; left out where there is none. `bound` is the largest of all. */
  readonly callbacks?: ProgramProof['callbacks'];
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

/** What `prove --json` has of each insn, unless it is asked for with --bounds: nothing. */
type BySlot = 'bounds' | 'timeLimits' | 'worstPath' | 'places';

/** A row as documents have it: what is told of each insn is only there with --bounds. */
export type ProofSummary = Omit<ProofRow, BySlot | 'timeToDie' | 'sites'> &
  Partial<Pick<ProofRow, BySlot>> & {
    /** With --bounds also what a stub leaves, and why it may. */
    readonly sites: readonly (Omit<ProvedSite, 'why'> & Partial<Pick<ProvedSite, 'why'>>)[];
    readonly timeToDie?: Omit<NonNullable<ProofRow['timeToDie']>, 'bySlot'> &
      Partial<Pick<NonNullable<ProofRow['timeToDie']>, 'bySlot'>>;
  };

/** The row without what is told of each insn. */
export function proofSummary(row: ProofRow): ProofSummary {
  const { bounds: _, timeLimits: __, worstPath: ___, places: ____, timeToDie, ...others } = row;
  const sites = row.sites.map(({ stub: _____, why: ______, ...site }) => site);
  const rest = { ...others, sites };
  if (timeToDie === undefined) return rest;
  const { kill, run } = timeToDie;
  return { ...rest, timeToDie: { kill, run } };
}

/** A program of which nothing is known. */
interface Unproven {
  readonly file: string;
  readonly name: string;
  readonly insns: number;
  /** How long it was tried. */
  readonly ms?: number;
}

/** Its row. */
function emptyRow({ file, name, insns, ms = 0 }: Unproven, reason: string, advice: string): ProofRow {
  return {
    file,
    name,
    insns,
    points: 0,
    verdict: 'unknown',
    reason,
    advice,
    bound: null,
    boundKind: null,
    bounds: new Map(),
    timeLimits: new Map(),
    worstPath: [],
    worst: null,
    loops: [],
    kept: [],
    sites: [],
    queries: 0,
    walked: { verified: 0, patched: 0 },
    ms,
  };
}

/** The row of a program that was not judged at all, because something that it needs is not modelled. */
export const leftOutRow = ({ file, name, reason }: LeftOut): ProofRow =>
  emptyRow({ file, name, insns: 0 }, `left out: ${reason}`, adviceIn(name, reason));

/** A way on: the option that the reason names, or that gives a target which is there. */
function adviceIn(name: string, reason: string): string {
  const option = /--[a-z]+ \S+=\S+/.exec(reason)?.[0];
  if (option !== undefined) return `with ${option}`;
  if (reason.startsWith('it attaches to ')) return `name one that is there: --attach ${name}=FUNCTION`;
  return 'nothing is said of it: look at it by hand, or ask Linux';
}

/** The row of a program over which swansong fell. */
export const errorRow = ({ message, ...one }: Unproven & { readonly message: string }): ProofRow =>
  emptyRow(one, `internal error: ${message}`, 'this is a bug of swansong: please report it, with the object');

/** The row of a program that took more than it may, or that was interrupted. */
export function lostRow(
  one: Unproven,
  loss: 'timeout' | 'memory' | 'interrupted' | 'died',
  { timeout, memory }: { readonly timeout?: number; readonly memory?: number },
): ProofRow {
  switch (loss) {
    case 'timeout':
      return emptyRow(
        one,
        `it was not proven within ${timeout} s`,
        `allow more: --timeout ${2 * (timeout ?? 1)}; or less work: --effort, --budget, --runs`,
      );
    case 'memory':
      return emptyRow(
        one,
        memory === undefined ? 'it took all memory that Node allows' : `it took more than ${memory} MiB`,
        `allow more: --memory ${2 * (memory ?? 2048)}; or less work: --effort, --budget`,
      );
    case 'interrupted':
      return emptyRow(one, 'interrupted before it was proven', 'run it again; --prog chooses programs');
    case 'died':
      return emptyRow(
        one,
        'the thread of the proof ended by itself',
        'this is a bug of swansong: please report it',
      );
  }
}

/** A program that was not proven because it is not modelled or could not be read, with the reason. */
export interface LeftOut {
  readonly file: string;
  readonly name: string;
  readonly reason: string;
}

/** A bound in a word: `23`, `250ms+393221`, `unbounded`; `-` where it was not worked out. */
export function boundInWords({
  bound,
  boundKind,
  timeLimit,
}: Pick<ProofRow, 'bound' | 'boundKind' | 'timeLimit'>): string {
  if (bound !== null) return `${bound}`;
  if (timeLimit !== undefined) return `${timeLimit.ms}ms+${timeLimit.insns}`;
  return boundKind ?? '-';
}

/** Writes the table of proofs row by row. */
export class ProofTable {
  private readonly table = new ObjectTable([
    { name: 'program', width: 22 },
    { name: 'verdict', width: 8 },
    { name: 'insns', width: 6, figures: true },
    { name: 'points', width: 6, figures: true },
    { name: 'bound', width: 12, figures: true },
    { name: 'sites', width: 5, figures: true },
    { name: 'ms', width: 8, figures: true },
  ]);

  /** The row, with what there is to say of it. */
  add(row: ProofRow): string {
    const { file, name, verdict, insns, points, sites, ms } = row;
    const cells = [name, verdict, insns, points, boundInWords(row), sites.length, ms.toFixed(1)];
    const own = this.table.add(file, cells, outcomeInWords(row));
    return own + (row.callbacks ?? []).map((one) => this.callback(one)).join('');
  }

  /** The row of a callback that runs later, below its program. */
  private callback(one: ProgramProof['callbacks'][number]): string {
    const { callback, verdict, insns, points, reason } = one;
    const bound = boundInWords({ ...one, ...(one.timeLimit && { timeLimit: one.timeLimit }) });
    return this.table.line([`    later: ${callback}`, verdict, insns, points, bound]) + indented(reason);
  }
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

function verdictInWords({
  witness,
  reason,
  advice,
  kept,
  tailCalls,
  verdict,
  explanation,
}: ProofRow): string {
  // The refusal stands below, in the verifier's words.
  if (explanation !== undefined) return `not verified (${advice})`;
  const enters = tailCallsInWords(tailCalls ?? []);
  if (witness !== undefined) {
    const broken = `${witness.expect} after ${witness.kill} steps: ${reason}`;
    return (tailCalls ?? []).some(({ killedMayEnter }) => killedMayEnter) ? `${broken}; ${enters}` : broken;
  }
  if (verdict === 'unknown') {
    const isSaid =
      advice === '' || (advice.startsWith('with --') && reason.includes(advice.slice('with '.length)));
    return isSaid ? reason : `${reason} (${advice})`;
  }
  if (kept.length === 0) return enters;
  const calls = new Map(kept.map((call) => [`${call.function} may ${delaysInWords(call.may)}`, call]));
  const held = `kept: ${[...calls.keys()].join('; ')}`;
  return enters === '' ? held : `${held}; ${enters}`;
}
