/**
 * Which outcomes of a function a stub can imitate. A stub writes r0, zeroes output memory and clears dynptr slots; it can
 * neither acquire nor give back, and it takes no time. An outcome that does no more than that is a *refusal*: from
 * the program's point of view the call happened and nothing came of it.
 */
import type { Contract, Effect, Outcome, R0 } from '../kernel/contract.js';
import type { Stub, StubSlot } from './rule.js';

/** Error numbers a refusal returns by preference: out of memory, bad argument, busy, no entry, not supported. */
const ERRNOS: readonly bigint[] = [-12n, -22n, -16n, -2n, -95n];

/**
 * The r0 that imitates an outcome, `undefined` if it is a pointer. Of a range the usual error numbers come first, then 0,
 * then the end of the range that is nearer to 0.
 */
export function refusedValue(r0: R0): bigint | 'void' | undefined {
  switch (r0.kind) {
    case 'void':
      return 'void';
    case 'null':
      return 0n;
    case 'pointer':
      return undefined;
    case 'scalar': {
      const { min, max } = r0;
      // A range from the least number up says nothing of errors: any number will do, and 0 is the plainest.
      const limited = min > -(1n << 63n);
      const errno = limited ? ERRNOS.find((value) => value >= min && value <= max) : undefined;
      if (errno !== undefined) return errno;
      if (min <= 0n && max >= 0n) return 0n;
      return max < 0n ? max : min;
    }
  }
}

/** What a stub must write to imitate an effect; `undefined` if it cannot. */
function imitateEffect(effect: Effect): { writes?: number; slot?: StubSlot } | undefined {
  switch (effect.kind) {
    case 'write':
      return { writes: effect.arg };
    case 'init_dynptr':
      return effect.null === true && effect.acquires !== 'dynptr'
        ? { slot: { arg: effect.arg, as: 'null_dynptr' } }
        : undefined;
    case 'callback':
      return effect.times === 'none' ? {} : undefined;
    // The iterator stays as it is. Its next element is only ever asked for through the same stub, so it is as good as drained.
    case 'iter_next':
      return effect.to === 'drained' ? {} : undefined;
    // Pointers that the program may no longer use are still there; that hurts nobody.
    case 'invalidate_packet':
      return {};
    default:
      return undefined;
  }
}

/** The stub that imitates this outcome, or `undefined` when no stub can: it returns a pointer, acquires, releases, blocks or leaves. */
export function imitate(outcome: Outcome): Stub | undefined {
  if (outcome.blocks === true) return undefined;
  const r0 = refusedValue(outcome.r0);
  if (r0 === undefined) return undefined;
  const writes: number[] = [];
  const slots: StubSlot[] = [];
  for (const effect of outcome.effects) {
    const part = imitateEffect(effect);
    if (part === undefined) return undefined;
    if (part.writes !== undefined) writes.push(part.writes);
    if (part.slot !== undefined) slots.push(part.slot);
  }
  return { r0, writes, slots };
}

/** The refusals among these outcomes, in their order. */
export function refusals(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter((outcome) => imitate(outcome) !== undefined);
}

/** The stub for the first refusal among these outcomes. Contracts list failures first, so this is the least eventful one. */
export function firstRefusal(outcomes: readonly Outcome[]): Stub | undefined {
  for (const outcome of outcomes) {
    const stub = imitate(outcome);
    if (stub !== undefined) return stub;
  }
  return undefined;
}

/** Why a stub cannot be made for this function, in a few words, for error messages. */
export function whyNoRefusal(contract: Contract): string {
  return contract.outcomes.some((outcome) => outcome.guard !== undefined && imitate(outcome) !== undefined)
    ? 'its refusal is not possible at every site'
    : 'no outcome of it is a refusal';
}
