/** The few functions left whose outcome follows from the state of the run: ring-buffer space, locks that are held already, callbacks. */
import type { Outcome } from '../../kernel/contract.js';
import type { Call } from '../call.js';
import { callsAtAll } from '../flights.js';
import type { Model, Models } from './model.js';

/** A record has a header of eight bytes, and one cannot be larger than the buffer. */
function fits(call: Call): boolean {
  return call.size(1) + 8 <= call.world.code.program.maps[call.map(0)]!.maxEntries && call.arg(2) === 0n;
}

const reserves = (outcome: Outcome): boolean =>
  (outcome.r0.kind === 'pointer' && outcome.r0.acquires !== undefined) ||
  outcome.effects.some((effect) => effect.kind === 'init_dynptr' && effect.null !== true);

const reserve: Model = {
  pick: (call, outcomes) =>
    call.choose(fits(call) ? outcomes : narrow(outcomes, (outcome) => !reserves(outcome))),
};

/** A resilient lock that this program holds is not waited for: the deadlock is reported. */
const resilientLock: Model = {
  pick(call, outcomes) {
    const locked = call.world.ledger.isLocked(call.regionNumber(0), call.offset(0));
    const takes = (outcome: Outcome): boolean => outcome.effects.some((effect) => effect.kind === 'lock');
    return call.choose(locked ? narrow(outcomes, (outcome) => !takes(outcome)) : outcomes);
  },
};

const callsBack: Model = {
  pick(call, outcomes) {
    const any = callsAtAll(call);
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
  bpf_ringbuf_reserve: reserve,
  bpf_ringbuf_reserve_dynptr: reserve,
  bpf_res_spin_lock: resilientLock,
  bpf_res_spin_lock_irqsave: resilientLock,
  bpf_loop: callsBack,
  bpf_for_each_map_elem: callsBack,
};
