/**
 * Says why no stub can take the place of a call: what each outcome that is possible needs and a stub cannot do. Worked out from the contract;
 * a stub is possible just where `imitableOutcomes` has an outcome.
 */
import type { Contract, Effect, Outcome } from '../kernel/contract.js';
import { imitableOutcomes } from '../kernel/describe.js';

/** One line for a call of which just these outcomes are possible (all of them, unless told); undefined where a stub is possible. */
export function whyNoStub(
  contract: Contract,
  enabled: readonly Outcome[] = contract.outcomes,
): string | undefined {
  const names = enabled.map(({ name }) => name);
  if (imitableOutcomes(contract, names).length > 0) return undefined;
  const each = enabled.map((outcome) => `${outcome.name} ${needs(outcome).join(' and ')}`);
  return `no outcome is one that a stub could have: ${each.join('; ')}`;
}

/** What the outcome needs that a stub cannot do; empty for one that a stub can imitate. */
export function needs({ r0, effects, blocks }: Outcome): readonly string[] {
  const pointer =
    r0.kind !== 'pointer'
      ? []
      : [r0.acquires === undefined ? 'returns an object' : `acquires the ${r0.acquires} that it returns`];
  return [...pointer, ...effects.flatMap(neededFor), ...(blocks === true ? ['takes long'] : [])];
}

function neededFor(effect: Effect): readonly string[] {
  const at = 'arg' in effect ? ` in argument ${effect.arg + 1}` : '';
  switch (effect.kind) {
    case 'release':
      return [`gives back the reference${at}`];
    case 'transfer':
      return [`moves away the reference${at}`];
    case 'lock':
      return [`takes the ${effect.lock}${at}`];
    case 'unlock':
      return [`gives back the ${effect.lock}${at}`];
    case 'enter':
      return [`enters the ${effect.section} section`];
    case 'leave':
      return [`leaves the ${effect.section} section`];
    case 'irq_save':
      return [`turns interrupts off${at}`];
    case 'irq_restore':
      return [`restores interrupts${at}`];
    case 'init_dynptr':
      return effect.null === true ? [] : [`makes a dynptr${at}`];
    case 'clone_dynptr':
      return [`makes a dynptr${at}`];
    case 'destroy_dynptr':
      return [`gives back the dynptr${at}`];
    case 'iter_new':
      return [`makes an iterator${at}`];
    case 'iter_next':
      return effect.to === 'drained' ? [] : ['gives another element'];
    case 'iter_destroy':
      return [`gives back the iterator${at}`];
    case 'callback':
      return effect.times === 'none' ? [] : ['runs its callback'];
    case 'arm':
      return ['lets a callback run later'];
    case 'throw':
      return ['ends the program'];
    case 'tail_call':
      return ['runs another program'];
    case 'write':
    case 'invalidate_packet':
      return [];
  }
}
