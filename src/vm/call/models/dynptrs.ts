/** Models of dynptrs: they read and write the real memory behind the dynptr. */
import { address } from '../../state/address.js';
import { ERRNO } from '../../state/maps.js';
import type { DynptrObject } from '../../state/slot-object.js';
import { slotObject } from '../args.js';
import type { Call } from '../call.js';
import { dynptrPlace, touch, writtenSize } from '../effects.js';
import { byPointer, type Model, type Models, signed } from './model.js';

const ERANGE = -34n;

/** Where `size` bytes from `offset` on lie behind a dynptr; undefined when they are not all in it. */
function within(call: Call, dynptr: DynptrObject, offset: number, size: number): bigint | undefined {
  if (dynptr.region === 0 || offset + size > dynptr.size) return undefined;
  const place = dynptrPlace(call.machine, dynptr);
  return address(place.region, place.offset + offset);
}

/** bpf_dynptr_check_off_len: of a null dynptr, no bytes at all can be reached. */
const reaches = ({ size }: DynptrObject, offset: number, length: number): boolean => offset + length <= size;

/** (to, length, dynptr, offset, flags) */
const read: Model = {
  run(call) {
    const size = writtenSize(call, 0);
    const dynptr = slotObject(call, 2, 'dynptr');
    const from = within(call, dynptr, call.size(3), size);
    const error = dynptr.region === 0 || call.arg(4) !== 0n ? ERRNO.EINVAL : ERRNO.E2BIG;
    if (from === undefined || error === ERRNO.EINVAL) {
      touch(call, 0, size);
      return signed(error);
    }
    if (size > 0) call.machine.writeBytes(call.arg(0), call.machine.bytesAt(from, size).slice());
    return 0n;
  },
};

/** BPF_F_RECOMPUTE_CSUM and BPF_F_INVALIDATE_HASH, where the packet is an skb. */
const STORE_FLAGS = 3n;

/** (dynptr, offset, from, length, flags) */
const write: Model = {
  run(call, _outcome, rest) {
    const dynptr = slotObject(call, 0, 'dynptr');
    const size = call.size(3);
    const bytes = size === 0 ? new Uint8Array(0) : call.machine.bytesAt(call.arg(2), size).slice();
    rest();
    if (dynptr.region === 0 || dynptr.readonly) return signed(ERRNO.EINVAL);
    const to = within(call, dynptr, call.size(1), size);
    if (to === undefined) return signed(ERRNO.E2BIG);
    const allowed = dynptr.type === 'skb' ? STORE_FLAGS : 0n;
    if ((call.arg(4) & ~allowed) !== 0n) return signed(ERRNO.EINVAL);
    if (size > 0) call.machine.writeBytes(to, bytes);
    return 0n;
  },
};

/** bpf_dynptr_data: works only for memory in one piece. */
function dataAt(call: Call): bigint | undefined {
  const dynptr = slotObject(call, 0, 'dynptr');
  if (dynptr.readonly || (dynptr.type !== 'local' && dynptr.type !== 'ringbuf')) return undefined;
  return within(call, dynptr, call.size(1), call.size(2));
}

const data: Model = {
  pick: (call, outcomes) => byPointer(outcomes, dataAt(call) !== undefined),
  run: (call, outcome) => (outcome.r0.kind === 'pointer' ? (dataAt(call) ?? 0n) : 0n),
};

/** bpf_dynptr_slice: the memory itself where it is of one piece, which it always is here. */
function sliceAt(call: Call, writable: boolean): bigint | undefined {
  const dynptr = slotObject(call, 0, 'dynptr');
  if (writable && dynptr.readonly) return undefined;
  return within(call, dynptr, call.size(1), call.size(3));
}

const slice = (writable: boolean): Model => ({
  pick: (call, outcomes) => byPointer(outcomes, sliceAt(call, writable) !== undefined),
  run: (call, outcome) => (outcome.r0.kind === 'pointer' ? (sliceAt(call, writable) ?? 0n) : 0n),
});

/** (dynptr, offset, size, value) */
const memset: Model = {
  run(call) {
    const dynptr = slotObject(call, 0, 'dynptr');
    const to = within(call, dynptr, call.size(1), call.size(2));
    if (dynptr.readonly) return signed(ERRNO.EINVAL);
    if (to === undefined) return signed(reaches(dynptr, call.size(1), call.size(2)) ? 0n : ERRNO.E2BIG);
    const bytes = new Uint8Array(call.size(2)).fill(Number(call.arg(3) & 0xffn));
    if (bytes.length > 0) call.machine.writeBytes(to, bytes);
    return 0n;
  },
};

/** (to, offset, from, offset, size): written where the source is there, read where only the target is, with the errors of either. */
const copy: Model = {
  run(call) {
    const target = slotObject(call, 0, 'dynptr');
    const source = slotObject(call, 2, 'dynptr');
    const size = call.size(4);
    const to = target.readonly ? undefined : within(call, target, call.size(1), size);
    const from = within(call, source, call.size(3), size);
    if (from !== undefined && to !== undefined) {
      if (size > 0) call.machine.writeBytes(to, call.machine.bytesAt(from, size).slice());
      return 0n;
    }
    if (from !== undefined)
      return signed(target.region === 0 || target.readonly ? ERRNO.EINVAL : ERRNO.E2BIG);
    if (to !== undefined) return signed(source.region === 0 ? ERRNO.EINVAL : ERRNO.E2BIG);
    const both = reaches(target, call.size(1), size) && reaches(source, call.size(3), size);
    return signed(both ? 0n : ERRNO.E2BIG);
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
    if (start > dynptr.size || end > dynptr.size) return signed(ERANGE);
    const smaller = { ...dynptr, offset: dynptr.offset + start, size: end - start };
    call.machine.memory.placeObject(call.regionNumber(0), call.offset(0), smaller);
    return 0n;
  },
};

export const DYNPTR_MODELS: Models = {
  bpf_dynptr_read: read,
  bpf_dynptr_write: write,
  bpf_dynptr_data: data,
  bpf_dynptr_slice: slice(false),
  bpf_dynptr_slice_rdwr: slice(true),
  bpf_dynptr_adjust: adjust,
  bpf_dynptr_memset: memset,
  bpf_dynptr_copy: copy,
  bpf_dynptr_is_null: view((dynptr) => (dynptr.region === 0 ? 1n : 0n)),
  bpf_dynptr_is_rdonly: view((dynptr) => (dynptr.readonly ? 1n : 0n)),
  bpf_dynptr_size: view((dynptr) => (dynptr.region === 0 ? ERRNO.EINVAL : BigInt(dynptr.size))),
};
