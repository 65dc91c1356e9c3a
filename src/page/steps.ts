/** What a run looks like at one of its steps. Pure: everything comes from the page's data. */
import type { PageLane, PageListing, PageRun, PageStep } from '../report/page/shape.js';

/** Registers and stack words by their place. */
export type State = ReadonlyMap<string, string>;

/** The state before the step with this index. */
export function stateBefore(run: PageRun, index: number): State {
  const state = new Map(Object.entries(run.initial));
  for (const { changes } of run.steps.slice(0, index))
    for (const [place, word] of Object.entries(changes ?? {})) {
      if (word === null) state.delete(place);
      else state.set(place, word);
    }
  return state;
}

/** The index of the told step that covers this step of the run; the last one for steps behind the end. */
export function indexOfStep({ steps }: PageRun, step: number): number {
  const found = steps.findIndex((one) => step < one.step + (one.count ?? 1));
  return found < 0 ? Math.max(0, steps.length - 1) : found;
}

/** What is held after the step with this index. */
export function heldAfter({ lanes, steps }: PageRun, index: number): readonly PageLane[] {
  const at = steps[index];
  if (at === undefined) return [];
  const last = at.step + (at.count ?? 1) - 1;
  return lanes.filter(({ from, to }) => from <= last && (to === null || to > last));
}

/** Indices of the steps that one may want to jump to. */
export interface Moments {
  readonly acquires: readonly number[];
  readonly kill: number | undefined;
  readonly breaks: readonly number[];
}

/** Where something is taken, where the kill is, and where a check breaks. */
export function momentsOf(run: PageRun): Moments {
  const indices = (wanted: (step: PageStep) => boolean): number[] =>
    run.steps.flatMap((one, i) => (wanted(one) ? [i] : []));
  const kill = run.steps.findIndex(({ killed }) => killed === true);
  return {
    acquires: indices(({ taken }) => taken !== undefined),
    kill: kill < 0 ? undefined : kill,
    breaks: indices(({ broken }) => broken !== undefined),
  };
}

/** The next of these indices behind `at`, and behind the last one the first again. */
export const nextOf = (indices: readonly number[], at: number): number | undefined =>
  indices.find((one) => one > at) ?? indices[0];

/** A row of a folded listing: an insn, or a stretch of insns that is folded away. */
export type Row =
  | { readonly kind: 'insn'; readonly slot: number }
  | { readonly kind: 'fold'; readonly from: number; readonly to: number; readonly count: number };

/** Programs up to this many insns are not folded. */
const SHORT = 48;
/** A stretch is folded from this many insns on. */
const LEAST = 3;

/**
 * The listing, folded to the slots that matter, each with the insns beside it. Stretches that begin at one of `open` are not folded, and
 * nothing is where the program is short.
 */
export function foldedRows(
  { insns }: PageListing,
  matters: ReadonlySet<number>,
  open: ReadonlySet<number>,
): readonly Row[] {
  if (insns.length <= SHORT) return insns.map(({ slot }) => ({ kind: 'insn', slot }));
  const isNear = (i: number): boolean => [i - 1, i, i + 1].some((at) => matters.has(insns[at]?.slot ?? -1));
  const rows: Row[] = [];
  for (let i = 0; i < insns.length; ) {
    let end = i;
    while (end < insns.length && !isNear(end)) end++;
    const from = insns[i]!.slot;
    if (end - i >= LEAST && !open.has(from)) {
      rows.push({ kind: 'fold', from, to: insns[end - 1]!.slot, count: end - i });
      i = end;
      continue;
    }
    const last = Math.max(end, i + 1);
    for (; i < last; i++) rows.push({ kind: 'insn', slot: insns[i]!.slot });
  }
  return rows;
}

/** Slots that matter in a run: calls of kernel functions, the kill, what breaks, what takes or gives back, and jumps that ran after the kill. */
export function slotsThatMatter(run: PageRun, { insns, functions }: PageListing): ReadonlySet<number> {
  const jumps = new Set(insns.flatMap(({ slot, to }) => (to === undefined ? [] : [slot])));
  const matters = new Set<number>(functions.map(({ start }) => start));
  for (const { slot, killed, patched, broken, taken, given } of run.steps) {
    const happened = patched ?? broken ?? taken ?? given;
    if (happened !== undefined || (killed === true && jumps.has(slot))) matters.add(slot);
  }
  const kill = run.steps.find(({ killed }) => killed === true);
  if (kill !== undefined) matters.add(kill.slot);
  const last = run.steps.at(-1);
  if (last !== undefined) matters.add(last.slot);
  return matters;
}
