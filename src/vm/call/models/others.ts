/** Models of functions that fit nowhere else: resilient locks, and helpers that may call back. The state of the run decides their outcome. */
import type { Outcome } from '../../../kernel/contract.js';
import { callsBack } from '../callbacks.js';
import type { Model, Models } from './model.js';

/** If this program already holds the resilient lock, the kernel reports the deadlock at once. */
const resilientLock: Model = {
  pick(call, outcomes) {
    const locked = call.machine.ledger.isLocked(call.regionNumber(0), call.offset(0));
    const takes = (outcome: Outcome): boolean => outcome.effects.some((effect) => effect.kind === 'lock');
    return call.choose(locked ? narrow(outcomes, (outcome) => !takes(outcome)) : outcomes);
  },
};

const callbackModel: Model = {
  pick(call, outcomes) {
    const any = callsBack(call);
    const runs = (outcome: Outcome): boolean =>
      outcome.effects.some((effect) => effect.kind === 'callback' && effect.times === 'any');
    return call.choose(any === undefined ? outcomes : narrow(outcomes, (outcome) => runs(outcome) === any));
  },
};

function narrow(outcomes: readonly Outcome[], test: (outcome: Outcome) => boolean): readonly Outcome[] {
  const left = outcomes.filter(test);
  return left.length > 0 ? left : outcomes;
}

export const OTHER_MODELS: Models = {
  bpf_res_spin_lock: resilientLock,
  bpf_res_spin_lock_irqsave: resilientLock,
  bpf_loop: callbackModel,
  bpf_for_each_map_elem: callbackModel,
};
