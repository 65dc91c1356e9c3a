/**
 * Open-coded iterators. Iterators over numbers and bits give the real elements. For the others the environment decides how many elements
 * there are.
 */
import type { Outcome } from '../../../kernel/contract.js';
import { address, offsetOf, regionOf } from '../../state/address.js';
import { ERRNO } from '../../state/maps.js';
import type { IterObject } from '../../state/slot-object.js';
import { slotObject } from '../args.js';
import type { Call } from '../call.js';
import { type Model, type Models, signed } from './model.js';

/** BPF_MAX_LOOPS. */
export const MAX_LOOPS = 8 * 1024 * 1024;
/** BITS_ITER_NR_WORDS_MAX. */
const MAX_WORDS = 511;
/** Elements of an iterator over kernel objects, at most. */
const MAX_ELEMENTS = 3;

const int32 = (value: bigint): number => Number(BigInt.asIntN(32, value));

function place(call: Call, iter: IterObject): void {
  call.machine.memory.placeObject(call.regionNumber(0), call.offset(0), iter);
}

/** The iterator that `rest` has made in argument 0, to be filled in. */
function made(call: Call, rest: () => bigint | undefined, contents: Partial<IterObject>): void {
  rest();
  place(call, { ...slotObject(call, 0, 'iter'), ...contents });
}

const newNum: Model = {
  run(call, _outcome, rest) {
    const start = int32(call.arg(1));
    const end = int32(call.arg(2));
    const error = start > end ? ERRNO.EINVAL : end - start > MAX_LOOPS ? ERRNO.E2BIG : 0n;
    made(call, rest, error === 0n ? { next: start, end } : { state: 'drained' });
    return signed(error);
  },
};

const newBits: Model = {
  run(call, _outcome, rest) {
    const count = call.size(2);
    let error = count === 0 ? ERRNO.EINVAL : count > MAX_WORDS ? ERRNO.E2BIG : 0n;
    const words: bigint[] = [];
    // The kernel reads the words with a safe copy, so a bad pointer is only an error.
    const at = call.arg(1);
    const region = call.machine.memory.get(regionOf(at));
    const offset = offsetOf(at);
    if (region === undefined || offset < 0 || offset + 8 * count > region.bytes.length) error ||= -14n;
    else if (error === 0n) {
      for (let i = 0; i < count; i++) words.push(region.view.getBigUint64(offset + 8 * i, true));
    }
    made(call, rest, error === 0n ? { words, next: 0, end: 64 * count } : { state: 'drained' });
    return signed(error);
  },
};

/** The number that comes next, undefined when there is none. */
function nextNumber(iter: IterObject): number | undefined {
  if (iter.state === 'drained') return undefined;
  if (iter.type !== 'bits') return iter.next < iter.end ? iter.next : undefined;
  for (let bit = iter.next; bit < iter.end; bit++) {
    if (((iter.words[bit >> 6]! >> BigInt(bit & 63)) & 1n) === 1n) return bit;
  }
  return undefined;
}

function byState(outcomes: readonly Outcome[], to: 'active' | 'drained'): Outcome {
  return (
    outcomes.find((outcome) =>
      outcome.effects.some((effect) => effect.kind === 'iter_next' && effect.to === to),
    ) ?? outcomes[0]!
  );
}

const nextCounted: Model = {
  pick: (call, outcomes) =>
    byState(outcomes, nextNumber(slotObject(call, 0, 'iter')) === undefined ? 'drained' : 'active'),
  run(call) {
    const { memory } = call.machine;
    const iter = slotObject(call, 0, 'iter');
    const number = nextNumber(iter);
    if (number === undefined) {
      place(call, { ...iter, state: 'drained' });
      return 0n;
    }
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, number, true);
    let { element } = iter;
    if (element === 0)
      element = memory.add({ kind: 'mem', bytes, writable: false, name: 'iterator element' });
    else memory.replace(element, bytes);
    place(call, { ...iter, next: number + 1, element });
    return address(element, 0);
  },
};

/** Iterators over kernel objects give a few elements, unless more are recorded. After the end they give none. */
const nextObject: Model = {
  pick(call, outcomes) {
    const iter = slotObject(call, 0, 'iter');
    const enough = iter.next >= MAX_ELEMENTS && call.givenOutcome === undefined;
    return iter.state === 'drained' || enough ? byState(outcomes, 'drained') : call.choose(outcomes);
  },
};

export const ITERATOR_MODELS: Models = {
  bpf_iter_num_new: newNum,
  bpf_iter_bits_new: newBits,
  bpf_iter_num_next: nextCounted,
  bpf_iter_bits_next: nextCounted,
  bpf_iter_task_next: nextObject,
  bpf_iter_css_next: nextObject,
  bpf_iter_css_task_next: nextObject,
  bpf_iter_task_vma_next: nextObject,
  bpf_iter_kmem_cache_next: nextObject,
  bpf_iter_dmabuf_next: nextObject,
};
