/**
 * What is different about the places where runs are killed, and about what happened on the way: words to count by, so that a campaign
 * can tell how much it has really exercised. The same words guide which programs are made next.
 */
import type { FastPath } from '../patch/rule.js';
import type { Hold } from './state/ledger.js';
import type { MachineState } from './state/machine.js';
import type { RunResult } from './vm.js';

/** Where the running function stands: which function it is, and who called it. */
export type Where = 'main' | 'subprogram' | 'callback' | 'below a callback' | 'exception';

/**
 * What is known of a termination point: the call of a function that stands there, which a stub replaces or not, or no call. A kill before an insn of
 * any other kind leaves the same run as a kill behind it, so those are not told apart.
 */
export interface Point {
  /** The kernel function that is called; undefined where there is no call of one. */
  readonly function: string | undefined;
  /** What becomes of the call after the kill. */
  readonly action: 'stub' | 'keep' | undefined;
  /** Kinds of what is held, sorted, each once, joined by `+`; more than three as `many`; `nothing`. */
  readonly held: string;
  /** Open frames: 1, 2, 3, or 4 for all that are deeper. */
  readonly depth: number;
  readonly where: Where;
}

/** More kinds than these held at once are not told apart. */
const MOST_KINDS = 3;
/** Frames beyond these are not told apart. */
const MOST_DEPTH = 4;

/** What the run stands before, with `path` as its fast path. */
export function pointOf(machine: MachineState, path: Pick<FastPath, 'stubs'>): Point {
  const { code, pc } = machine;
  const name = code.contracts[pc]?.name;
  return {
    function: name,
    action: name === undefined ? undefined : path.stubs.has(pc) ? 'stub' : 'keep',
    held: heldTogether(machine.ledger.holds),
    depth: Math.min(machine.frames.length, MOST_DEPTH),
    where: whereOf(machine),
  };
}

function whereOf({ frames, frame }: MachineState): Where {
  if (frame.helper !== undefined) return 'callback';
  if (frames.some(({ helper }) => helper !== undefined)) return 'below a callback';
  // The main program starts at slot 0. Any other outermost frame is that of the exception callback.
  if (frames[0]!.subprog !== 0) return 'exception';
  return frames.length > 1 ? 'subprogram' : 'main';
}

/** The kinds of what is held, as in `Point.held`. */
export function heldTogether(holds: readonly Hold[]): string {
  if (holds.length === 0) return 'nothing';
  const kinds = [...new Set(holds.map(({ kind }) => kind))].sort();
  return kinds.length > MOST_KINDS ? 'many' : kinds.join('+');
}

/** Every pair of kinds among what is held, sorted, joined by `+`; a kind with itself where two of it are held. */
export function pairsOf(holds: readonly Hold[]): ReadonlySet<string> {
  const pairs = new Set<string>();
  const kinds = holds.map(({ kind }) => kind).sort();
  for (const [i, one] of kinds.entries())
    for (const other of kinds.slice(i + 1)) pairs.add(`${one}+${other}`);
  return pairs;
}

/** The point in one line: `bpf_sk_release, keep, socket, depth 2, callback`. Points with the same line are one cell of what is counted. */
export function cellOf({ function: name, action, held, depth, where }: Point): string {
  const what = name === undefined ? 'no call' : `${name}, ${action}`;
  return `${what}, ${held}, depth ${depth}, ${where}`;
}

/** The outcomes that calls of a run had, as `function outcome`, where the environment had a choice. */
export function outcomesOf({ env }: Pick<RunResult, 'env'>): readonly string[] {
  const taken: string[] = [];
  for (const [key, choice] of env.choices) {
    const outcome = /^[a-z_][a-z0-9_]*/i.exec(choice)?.[0];
    if (outcome !== undefined) taken.push(`${key.slice(0, key.indexOf('#'))} ${outcome}`);
  }
  return taken;
}
