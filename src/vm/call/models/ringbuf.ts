/** Models of ring buffers: whether a record fits, and which bytes the consumer sees. */
import type { Outcome } from '../../../kernel/contract.js';
import { regionOf } from '../../state/address.js';
import type { MachineState } from '../../state/machine.js';
import { slotObject } from '../args.js';
import type { Call } from '../call.js';
import type { Model, Models } from './model.js';

/** Bytes that a record takes with its header. */
const taken = (size: number): number => Math.ceil((size + 8) / 8) * 8;

/** A record with its header is always smaller than the buffer, of which one byte stays free. */
function fits(call: Call): boolean {
  return taken(call.size(1)) < call.machine.maps.def(call.map(0)).maxEntries && call.arg(2) === 0n;
}

const reserves = (outcome: Outcome): boolean =>
  (outcome.r0.kind === 'pointer' && outcome.r0.acquires !== undefined) ||
  outcome.effects.some((effect) => effect.kind === 'init_dynptr' && effect.null !== true);

const reserve: Model = {
  pick(call, outcomes) {
    const failures = outcomes.filter((outcome) => !reserves(outcome));
    return call.choose(fits(call) || failures.length === 0 ? outcomes : failures);
  },
};

/** The consumer sees the record, as it is now. */
function send(machine: MachineState, region: number): void {
  const sent = machine.memory.get(region)?.bytes.slice();
  if (sent === undefined) return;
  machine.records = machine.records.map((one) =>
    one.region === region && region !== 0 ? { ...one, sent } : one,
  );
}

const submit: Model = {
  watches: true,
  run(call, _outcome, rest) {
    send(call.machine, regionOf(call.arg(0)));
    return rest();
  },
};

const submitDynptr: Model = {
  watches: true,
  run(call, _outcome, rest) {
    const { hold, region } = slotObject(call, 0, 'dynptr');
    if (hold !== 0) send(call.machine, region);
    return rest();
  },
};

/** The environment decides whether there is room, because other programs fill the buffer and user space empties it. */
const output: Model = {
  watches: true,
  run(call, _outcome, rest) {
    const { machine } = call;
    const size = call.size(2);
    const r0 = rest();
    if (r0 === 0n) {
      const sent = size === 0 ? new Uint8Array(0) : machine.bytesAt(call.arg(1), size).slice();
      machine.records = [...machine.records, { map: call.map(0), region: 0, size, sent }];
    }
    return r0;
  },
};

export const RINGBUF_MODELS: Models = {
  bpf_ringbuf_reserve: reserve,
  bpf_ringbuf_reserve_dynptr: reserve,
  bpf_ringbuf_submit: submit,
  bpf_ringbuf_submit_dynptr: submitDynptr,
  bpf_ringbuf_output: output,
};
