/** Dynptrs: what is read and written through one really lies behind it. */
import { address } from '../address.js';
import { slotObject } from '../args.js';
import type { Call } from '../call.js';
import { dynptrPlace, touch, writtenSize } from '../effects.js';
import { ERRNO } from '../maps.js';
import type { DynptrObject } from '../slotobject.js';
import { byPointer, type Model, type Models, signed } from './model.js';

/** Where `size` bytes from `offset` on lie behind a dynptr; undefined when they are not all in it. */
function within(call: Call, dynptr: DynptrObject, offset: bigint, size: number): bigint | undefined {
  if (dynptr.region === 0 || offset + BigInt(size) > BigInt(dynptr.size)) return undefined;
  const place = dynptrPlace(call.world, dynptr);
  return address(place.region, place.offset + Number(offset));
}

const read: Model = {
  run(call) {
    const size = writtenSize(call, 0);
    const from = within(call, slotObject(call, 2, 'dynptr'), call.arg(3), size);
    if (from === undefined) touch(call, 0, size);
    else if (size > 0) call.world.writeBytes(call.arg(0), call.world.bytesAt(from, size).slice());
    return signed(from === undefined ? ERRNO.E2BIG : 0n);
  },
};

const write: Model = {
  run(call, _outcome, rest) {
    const dynptr = slotObject(call, 0, 'dynptr');
    const size = call.size(3);
    const bytes = size === 0 ? new Uint8Array(0) : call.world.bytesAt(call.arg(2), size).slice();
    rest();
    const to = within(call, dynptr, call.arg(1), size);
    if (to === undefined) return signed(ERRNO.E2BIG);
    if (dynptr.readonly) return signed(ERRNO.EINVAL);
    if (size > 0) call.world.writeBytes(to, bytes);
    return 0n;
  },
};

/** bpf_dynptr_data: only memory of one piece. */
function dataAt(call: Call): bigint | undefined {
  const dynptr = slotObject(call, 0, 'dynptr');
  if (dynptr.readonly || (dynptr.type !== 'local' && dynptr.type !== 'ringbuf')) return undefined;
  return within(call, dynptr, call.arg(1), call.size(2));
}

const data: Model = {
  pick: (call, outcomes) => byPointer(outcomes, dataAt(call) !== undefined),
  run: (call, outcome) => (outcome.r0.kind === 'pointer' ? (dataAt(call) ?? 0n) : 0n),
};

/** bpf_dynptr_slice: the memory itself where it is of one piece, which it always is here. */
function sliceAt(call: Call): bigint | undefined {
  return within(call, slotObject(call, 0, 'dynptr'), call.arg(1), call.size(3));
}

const slice: Model = {
  pick: (call, outcomes) => byPointer(outcomes, sliceAt(call) !== undefined),
  run: (call, outcome) => (outcome.r0.kind === 'pointer' ? (sliceAt(call) ?? 0n) : 0n),
};

/** (dynptr, offset, size, value) */
const memset: Model = {
  run(call) {
    const dynptr = slotObject(call, 0, 'dynptr');
    const to = within(call, dynptr, call.arg(1), call.size(2));
    if (dynptr.readonly) return signed(ERRNO.EINVAL);
    if (to === undefined) return signed(ERRNO.E2BIG);
    const bytes = new Uint8Array(call.size(2)).fill(Number(call.arg(3) & 0xffn));
    if (bytes.length > 0) call.world.writeBytes(to, bytes);
    return 0n;
  },
};

/** (to, offset, from, offset, size) */
const copy: Model = {
  run(call) {
    const target = slotObject(call, 0, 'dynptr');
    const to = within(call, target, call.arg(1), call.size(4));
    const from = within(call, slotObject(call, 2, 'dynptr'), call.arg(3), call.size(4));
    if (target.readonly) return signed(ERRNO.EINVAL);
    if (to === undefined || from === undefined) return signed(ERRNO.E2BIG);
    if (call.size(4) > 0) call.world.writeBytes(to, call.world.bytesAt(from, call.size(4)).slice());
    return 0n;
  },
};

const view = (answer: (dynptr: DynptrObject) => bigint): Model => ({
  run: (call) => signed(answer(slotObject(call, 0, 'dynptr'))),
});

const adjust: Model = {
  run(call) {
    const dynptr = slotObject(call, 0, 'dynptr');
    const [start, end] = [call.size(1), call.size(2)];
    if (dynptr.region === 0 || start > end) return signed(ERRNO.EINVAL);
    if (start > dynptr.size || end > dynptr.size) return signed(-34n);
    const smaller = { ...dynptr, offset: dynptr.offset + start, size: end - start };
    call.world.memory.placeObject(call.regionNumber(0), call.offset(0), smaller);
    return 0n;
  },
};

export const DYNPTR_MODELS: Models = {
  bpf_dynptr_read: read,
  bpf_dynptr_write: write,
  bpf_dynptr_data: data,
  bpf_dynptr_slice: slice,
  bpf_dynptr_slice_rdwr: slice,
  bpf_dynptr_adjust: adjust,
  bpf_dynptr_memset: memset,
  bpf_dynptr_copy: copy,
  bpf_dynptr_is_null: view((dynptr) => (dynptr.region === 0 ? 1n : 0n)),
  bpf_dynptr_is_rdonly: view((dynptr) => (dynptr.readonly ? 1n : 0n)),
  bpf_dynptr_size: view((dynptr) => (dynptr.region === 0 ? ERRNO.EINVAL : BigInt(dynptr.size))),
};
