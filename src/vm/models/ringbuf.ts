/** Ring buffers: whether a record fits, and what the consumer gets to see of it. */
import type { Outcome } from '../../kernel/contract.js';
import { regionOf } from '../address.js';
import { slotObject } from '../args.js';
import type { Call } from '../call.js';
import type { World } from '../world.js';
import { type Model, type Models, signed } from './model.js';

const EAGAIN = -11n;
const EINVAL = -22n;
/** BPF_RB_NO_WAKEUP and BPF_RB_FORCE_WAKEUP. */
const WAKEUP_FLAGS = 3n;

/** Bytes that a record takes with its header. */
const taken = (size: number): number => Math.ceil((size + 8) / 8) * 8;

/** A record with its header is always smaller than the buffer, of which one byte stays free. */
function fits(call: Call): boolean {
  return taken(call.size(1)) < call.world.code.program.maps[call.map(0)]!.maxEntries && call.arg(2) === 0n;
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
function send(world: World, region: number): void {
  const sent = world.memory.get(region)?.bytes.slice();
  if (sent === undefined) return;
  world.records = world.records.map((one) =>
    one.region === region && region !== 0 ? { ...one, sent } : one,
  );
}

const submit: Model = {
  run(call, _outcome, rest) {
    send(call.world, regionOf(call.arg(0)));
    return rest();
  },
};

const submitDynptr: Model = {
  run(call, _outcome, rest) {
    const { hold, region } = slotObject(call, 0, 'dynptr');
    if (hold !== 0) send(call.world, region);
    return rest();
  },
};

/** Nobody consumes while the program runs. A recorded error stands for what the program cannot see: the buffer locked elsewhere. */
const output: Model = {
  run(call) {
    const { world } = call;
    const map = call.map(0);
    const size = call.size(2);
    if ((call.arg(3) & ~WAKEUP_FLAGS) !== 0n) return signed(EINVAL);
    const used = world.records.reduce((sum, one) => sum + (one.map === map ? taken(one.size) : 0), 0);
    const full = used + taken(size) >= world.code.program.maps[map]!.maxEntries;
    const given = call.givenValue;
    const r0 = given !== undefined && given < 0n ? call.number(given, 0n) : full ? EAGAIN : 0n;
    if (r0 === 0n) {
      const sent = size === 0 ? new Uint8Array(0) : world.bytesAt(call.arg(1), size).slice();
      world.records = [...world.records, { map, region: 0, size, sent }];
    }
    return signed(r0);
  },
};

export const RINGBUF_MODELS: Models = {
  bpf_ringbuf_reserve: reserve,
  bpf_ringbuf_reserve_dynptr: reserve,
  bpf_ringbuf_submit: submit,
  bpf_ringbuf_submit_dynptr: submitDynptr,
  bpf_ringbuf_output: output,
};
