/** What the effects of an outcome change: entries of the ledger, and what lies in stack slots. */
import type { Effect, Outcome } from '../../kernel/contract.js';

/** What a slot holds after a call; `as before` if the call did not touch it. */
export const SLOTS = [
  'as before',
  'null dynptr',
  'dynptr',
  'dynptr view',
  'iterator',
  'saved IRQ state',
  'nothing',
] as const;
/** What may lie in a stack slot after a call, as far as an outcome changes it. */
export type SlotState = (typeof SLOTS)[number];

/** Ledger entries of a contract and the change that an outcome makes to each. */
export function deltas(outcome: Outcome): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const change = (entry: string, by: number): void => {
    found.set(entry, (found.get(entry) ?? 0) + by);
  };
  if (outcome.r0.kind === 'pointer' && outcome.r0.acquires !== undefined) {
    change(`the ${outcome.r0.acquires} in r0`, 1);
  }
  for (const effect of outcome.effects) {
    switch (effect.kind) {
      case 'release':
      case 'transfer':
        change(`the reference in argument ${effect.arg}`, -1);
        break;
      case 'lock':
      case 'unlock':
        change(`the ${effect.lock} in argument ${effect.arg}`, effect.kind === 'lock' ? 1 : -1);
        break;
      case 'enter':
      case 'leave':
        change(`the ${effect.section} section`, effect.kind === 'enter' ? 1 : -1);
        break;
      case 'irq_save':
      case 'irq_restore':
        change(`the IRQ state in argument ${effect.arg}`, effect.kind === 'irq_save' ? 1 : -1);
        break;
      case 'iter_new':
      case 'iter_destroy':
        change(`the iterator in argument ${effect.arg}`, effect.kind === 'iter_new' ? 1 : -1);
        break;
      case 'init_dynptr':
        // A null dynptr must be destroyed, but that is said by its slot: it holds nothing.
        if (effect.acquires === 'dynptr') change(`the record of the dynptr in argument ${effect.arg}`, 1);
        break;
      case 'destroy_dynptr':
        change(`the record of the dynptr in argument ${effect.arg}`, -1);
        break;
      default:
    }
  }
  return found;
}

/** The slot that an effect changes, by argument, and what is in it then. */
export function slotAfter(effect: Effect): readonly [number, SlotState] | undefined {
  switch (effect.kind) {
    case 'init_dynptr':
      if (effect.null === true) return [effect.arg, 'null dynptr'];
      return [effect.arg, effect.acquires === 'dynptr' ? 'dynptr' : 'dynptr view'];
    case 'clone_dynptr':
      return [effect.arg, 'dynptr view'];
    case 'iter_new':
      return [effect.arg, 'iterator'];
    case 'irq_save':
      return [effect.arg, 'saved IRQ state'];
    case 'destroy_dynptr':
    case 'iter_destroy':
    case 'irq_restore':
      return [effect.arg, 'nothing'];
    default:
      return undefined;
  }
}
