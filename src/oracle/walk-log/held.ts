/**
 * Keeps track of what is held along the walk in the kernel's log. `refs=` shows only ids. Whether an id is a reference, saved IRQ flags
 * or a lock follows from the call after which it first appears. A lock in a map value without an id (a global variable) is not printed,
 * and if it comes first, nothing is printed.
 */
import type { LockKind, Outcome } from '../../kernel/contract.js';

/** Something that the kernel's log shows to be held: a reference, a saved IRQ state or a lock. */
export interface LogHold {
  /** As in `refs=`; 0 for a lock that is not printed. */
  readonly id: number;
  readonly kind: 'pointer' | 'irq' | LockKind;
  /** Slot of the call that acquired it. */
  readonly at: number;
}

const isLock = (hold: LogHold): boolean => hold.kind !== 'pointer' && hold.kind !== 'irq';

/** Whether the log shows references while this is held. */
export const showsReferences = (held: readonly LogHold[]): boolean => held[0]?.id !== 0;

/** Where ids come from: an id is given out once, to one call. Locks are not among them, they go by the id of what they lie in. */
export type Origins = Map<number, Pick<LogHold, 'kind' | 'at'>>;

/** What a call acquires if it succeeds, before the log shows which ids are held afterwards. */
export function heldAfterCall(held: readonly LogHold[], outcomes: readonly Outcome[]): readonly LogHold[] {
  let left = held;
  for (const { effects } of outcomes) {
    for (const effect of effects) {
      if (effect.kind !== 'unlock') continue;
      const lock = left.findLast((hold) => isLock(hold) && hold.kind === effect.lock);
      left = left.filter((hold) => hold !== lock);
    }
  }
  return left;
}

/** Kinds of what a call acquires besides references, in the order in which the kernel takes them. */
export function kindsTaken(outcomes: readonly Outcome[]): readonly LogHold['kind'][] {
  return outcomes.flatMap(({ effects }) =>
    effects.flatMap((effect) =>
      effect.kind === 'lock' ? [effect.lock] : effect.kind === 'irq_save' ? ['irq' as const] : [],
    ),
  );
}

/**
 * Brings what is held in line with the ids that the log prints. `taken` is what the insn at `at` has just acquired, besides references.
 */
export function heldAsPrinted(
  held: readonly LogHold[],
  refs: readonly number[],
  at: number,
  taken: readonly LogHold['kind'][],
  origins: Origins,
): readonly LogHold[] {
  const locks = taken.filter((kind) => kind !== 'irq');
  if (!showsReferences(held)) return [...held, ...locks.map((kind) => ({ id: 0, kind, at }))];
  const left = [...held];
  const now: LogHold[] = [];
  const fresh: number[] = [];
  for (const id of refs) {
    const i = left.findIndex((hold) => hold.id === id);
    if (i < 0) {
      fresh.push(id);
      continue;
    }
    // What was passed over is no longer held, but for locks that are never printed.
    now.push(...left.splice(0, i + 1).filter((hold, n) => n === i || hold.id === 0));
  }
  now.push(...left.filter((hold) => hold.id === 0));
  const kinds = [...taken];
  // As many ids as kinds, or the lock is one that is not printed.
  while (kinds.length > fresh.length && kinds[0] !== undefined && kinds[0] !== 'irq') {
    now.push({ id: 0, kind: kinds.shift()!, at });
  }
  for (const id of fresh) {
    const known = origins.get(id);
    const kind = known?.kind ?? kinds.shift() ?? 'pointer';
    const hold = { id, kind, at: known?.at ?? at };
    if (!isLock(hold)) origins.set(id, { kind, at: hold.at });
    now.push(hold);
  }
  return now;
}
