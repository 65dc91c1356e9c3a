/** Statements that call kernel functions with known behaviour: maps, ring buffers, dynptrs, iterators. */
import {
  add,
  and,
  atomic,
  ja,
  jmp,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r7,
  r8,
  r10,
  st,
  stx,
  xor,
} from '../../src/isa/build.js';
import type { Size } from '../../src/isa/insn.js';
import { label } from '../../src/isa/label.js';
import { mapType } from '../../src/kernel/maptypes.js';
import type { MapDef } from '../../src/object/program.js';
import { access, compute, INPUT } from './compute.js';
import { BUFFER, BUFFER_SIZE, KEY, SLOTS, type Writer } from './writer.js';

const plain = (
  name: string,
  type: MapDef['type'],
  keySize: number,
  valueSize: number,
  maxEntries: number,
): MapDef => ({
  name,
  type,
  keySize,
  valueSize,
  maxEntries,
  flags: 0,
  fields: [],
});

/** What tries must be made with. */
const BPF_F_NO_PREALLOC = 1;
const ELEMENTS: readonly MapDef[] = [
  plain('table', 'hash', 4, 16, 6),
  plain('list', 'array', 4, 16, 4),
  plain('cpus', 'percpu_array', 4, 16, 3),
  plain('wide', 'hash', 8, 24, 16),
  plain('own', 'percpu_hash', 4, 16, 4),
  { ...plain('routes', 'lpm_trie', 8, 16, 6), flags: BPF_F_NO_PREALLOC },
];
/** Queues and stacks. */
const LINES: readonly MapDef[] = [plain('line', 'queue', 0, 8, 3), plain('pile', 'stack', 0, 8, 3)];
const RING = plain('ring', 'ringbuf', 0, 0, 4096);
/** What dynptrs are made over. */
const AREA = plain('area', 'array', 4, 128, 1);

/** A key on the stack: small, so that it is there now and then. */
function key(w: Writer, map: MapDef): void {
  // Of a trie: a prefix of some length.
  w.emit(st(8, r10, KEY, 0));
  if (map.type === 'lpm_trie') {
    w.emit(
      mov(r1, w.scalar()),
      and(r1, 0x0103),
      stx(4, r10, KEY + 4, r1),
      st(4, r10, KEY, w.pick([0, 1, 7, 8, 9, 24, 32, 33])),
    );
    w.address(r2, KEY);
    return;
  }
  if (w.oneIn(2)) w.emit(st(4, r10, KEY, w.below(map.maxEntries + 2)));
  else w.emit(mov(r1, w.scalar()), and(r1, 7), stx(4, r10, KEY, r1));
  w.address(r2, KEY);
}

/** Looks up, updates or deletes an element; what is found is read and changed. */
export function element(w: Writer): void {
  const map = w.pick(ELEMENTS.filter(({ type }) => w.type !== 'syscall' || mapType(type).sleepable));
  const what = w.below(5);
  key(w, map);
  w.loadMap(r1, map);
  if (what === 0) {
    w.address(r3, BUFFER);
    w.emit(mov(r4, w.oneIn(8) ? w.below(5) : w.below(3)));
    w.call('bpf_map_update_elem');
    w.keep();
    return;
  }
  if (what === 1) {
    w.call('bpf_map_delete_elem');
    w.keep();
    return;
  }
  if (map.type.startsWith('percpu') && w.oneIn(2)) {
    w.emit(mov(r3, w.below(4)));
    w.call('bpf_map_lookup_percpu_elem');
  } else w.call('bpf_map_lookup_elem');
  useIfThere(w, map.valueSize);
}

/** Puts a value in line, or takes one out. */
export function queue(w: Writer): void {
  w.loadMap(r1, w.pick(LINES));
  w.address(r2, BUFFER + 8 * w.below(4));
  if (w.oneIn(2)) {
    w.emit(mov(r3, w.oneIn(4) ? w.below(4) : 0));
    w.call('bpf_map_push_elem');
  } else w.call(w.oneIn(2) ? 'bpf_map_pop_elem' : 'bpf_map_peek_elem');
  w.keep();
}

/** r0 is memory of this size, or NULL: used if it is there. r0 is a number afterwards. */
function useIfThere(w: Writer, size: number): void {
  const on = w.fresh();
  w.refresh();
  w.emit(jmp('eq', r0, 0, on));
  const wide = w.pick<Size>([1, 2, 4, 8]);
  const at = wide * w.below(Math.floor(size / wide));
  if (size >= wide) {
    w.emit(ldx(wide, r7, r0, at), xor(r8, r7), stx(wide, r0, at, r8));
    if (wide >= 4 && w.oneIn(3)) w.emit(atomic('add', wide === 4 ? 4 : 8, r0, at, r7, true));
  }
  w.emit(label(on), mov(r0, r8));
  w.paths *= 2;
}

/** Puts something into a ring buffer, in one of three ways. */
export function send(w: Writer): void {
  const size = 1 + w.below(BUFFER_SIZE);
  w.loadMap(r1, RING);
  if (w.oneIn(2)) {
    w.address(r2, BUFFER);
    w.emit(mov(r3, size), mov(r4, w.oneIn(6) ? w.below(6) : 0));
    w.call('bpf_ringbuf_output');
    w.keep();
    return;
  }
  const on = w.fresh();
  const words = 8 * Math.ceil(size / 8);
  w.emit(mov(r2, w.oneIn(10) ? 4090 : words), mov(r3, w.oneIn(10) ? 1 : 0));
  w.call('bpf_ringbuf_reserve');
  w.refresh();
  w.emit(jmp('eq', r0, 0, on));
  for (let at = 0; at < words; at += 8) w.emit(stx(8, r0, at, w.pick([r2, r3, r7, r8])));
  w.emit(mov(r1, r0), mov(r2, 0));
  w.call(w.oneIn(4) ? 'bpf_ringbuf_discard' : 'bpf_ringbuf_submit');
  w.emit(mov(r0, r8));
  w.refresh();
  w.emit(label(on), mov(r0, r7));
  w.paths *= 2;
}

/** A record that is written through a dynptr. */
export function sendDynptr(w: Writer): void {
  const [slot] = SLOTS;
  w.loadMap(r1, RING);
  w.emit(mov(r2, 8 * (1 + w.below(8))), mov(r3, w.oneIn(10) ? 1 : 0));
  w.address(r4, slot);
  w.call('bpf_ringbuf_reserve_dynptr');
  w.keep();
  for (let i = w.below(3); i >= 0; i--) useDynptr(w, slot, OWNED);
  w.address(r1, slot);
  w.emit(mov(r2, 0));
  w.call(w.oneIn(4) ? 'bpf_ringbuf_discard_dynptr' : 'bpf_ringbuf_submit_dynptr');
  w.emit(mov(r0, r8));
  w.refresh();
}

/** Dynptrs over memory or a packet. */
export function view(w: Writer): void {
  const [slot] = SLOTS;
  makeView(w, slot);
  for (let i = w.below(4); i >= 0; i--) useDynptr(w, slot, VIEWED);
}

function makeView(w: Writer, slot: number): void {
  const over = w.type === 'xdp' ? 'bpf_dynptr_from_xdp' : 'bpf_dynptr_from_skb';
  if (w.main && w.can(over) && w.oneIn(2)) {
    w.emit(mov(r1, { reg: 6, width: 64 }), mov(r2, w.oneIn(10) ? 1 : 0));
    w.address(r3, slot);
    w.call(over);
  } else {
    w.loadMapValue(r1, AREA);
    w.emit(mov(r2, w.below(129)), mov(r3, w.oneIn(10) ? 1 : 0));
    w.address(r4, slot);
    w.call('bpf_dynptr_from_mem');
  }
  w.keep();
}

/** A small number in `reg`, mostly one that is in bounds. */
function offset(w: Writer, reg: typeof r1, below: number): void {
  if (w.oneIn(3)) w.emit(mov(reg, w.scalar()), and(reg, 63));
  else w.emit(mov(reg, w.oneIn(8) ? w.number() : w.below(below)));
}

/** Ways to use a dynptr: of a clone, one that must be given back (which is not cloned: no clone may be overwritten), a view. */
const LOOKED_AT = [0, 1, 2, 3, 4];
const OWNED = [...LOOKED_AT, 5, 6, 8];
const VIEWED = [...OWNED, 7];

function useDynptr(w: Writer, slot: number, ways: readonly number[]): void {
  const size = w.below(24);
  switch (w.pick(ways)) {
    case 0:
      w.address(r1, BUFFER);
      w.emit(mov(r2, size));
      w.address(r3, slot);
      offset(w, r4, 40);
      w.emit(mov(r5, w.oneIn(8) ? 1 : 0));
      w.call('bpf_dynptr_read');
      break;
    case 1:
      w.address(r1, slot);
      offset(w, r2, 40);
      w.address(r3, BUFFER);
      w.emit(mov(r4, size), mov(r5, w.oneIn(8) ? w.below(4) : 0));
      w.call('bpf_dynptr_write');
      break;
    case 2:
      w.address(r1, slot);
      offset(w, r2, 40);
      w.emit(mov(r3, size));
      w.call('bpf_dynptr_data');
      useIfThere(w, size);
      return;
    case 3:
      w.address(r1, slot);
      w.call(w.pick(['bpf_dynptr_size', 'bpf_dynptr_is_null', 'bpf_dynptr_is_rdonly']));
      break;
    case 4: {
      const changes = w.can('bpf_dynptr_slice_rdwr') && w.oneIn(2);
      w.address(r1, slot);
      offset(w, r2, 40);
      w.address(r3, BUFFER);
      w.emit(mov(r4, size));
      w.call(changes ? 'bpf_dynptr_slice_rdwr' : 'bpf_dynptr_slice');
      readIfThere(w, size);
      return;
    }
    case 5:
      w.address(r1, slot);
      offset(w, r2, 10);
      offset(w, r3, 40);
      w.call('bpf_dynptr_adjust');
      break;
    case 6:
      w.address(r1, slot);
      offset(w, r2, 40);
      offset(w, r3, 20);
      w.emit(mov(r4, w.number()));
      w.call('bpf_dynptr_memset');
      break;
    case 7: {
      const [, other] = SLOTS;
      w.address(r1, slot);
      w.address(r2, other);
      w.call('bpf_dynptr_clone');
      w.keep();
      useDynptr(w, other, LOOKED_AT);
      return;
    }
    default: {
      const [, other] = SLOTS;
      makeView(w, other);
      const [to, from] = w.oneIn(2) ? [slot, other] : [other, slot];
      w.address(r1, to);
      offset(w, r2, 40);
      w.address(r3, from);
      offset(w, r4, 40);
      offset(w, r5, 20);
      w.call('bpf_dynptr_copy');
    }
  }
  w.keep();
}

/** r0 is memory that may only be read, or NULL. */
function readIfThere(w: Writer, size: number): void {
  const on = w.fresh();
  w.refresh();
  w.emit(jmp('eq', r0, 0, on));
  if (size > 0) w.emit(ldx(1, r7, r0, w.below(size)));
  w.emit(label(on), mov(r0, r7));
  w.paths *= 2;
}

/** An iterator over numbers, or over the bits of what user space gave. */
export function iterate(w: Writer): void {
  const [, slot] = SLOTS;
  const kind = w.pick(['num', 'bits']);
  const again = w.fresh();
  const done = w.fresh();
  w.address(r1, slot);
  if (kind === 'num') w.emit(mov(r2, w.below(8) - 4), mov(r3, w.below(10) - 4));
  else {
    w.loadMapValue(r2, INPUT, 8 * w.below(8));
    w.emit(mov(r3, w.oneIn(8) ? 0 : 1 + w.below(2)));
  }
  w.call(`bpf_iter_${kind}_new`);
  w.keep();
  w.emit(label(again));
  w.address(r1, slot);
  w.call(`bpf_iter_${kind}_next`);
  w.emit(jmp('eq', r0, 0, done), ldx(4, r7, r0, 0), mov(r0, r8));
  w.refresh();
  w.nested++;
  compute(w);
  access(w);
  w.nested--;
  // Values that change in the loop must be unknown to the verifier, or it would walk every round.
  for (const reg of [r0, r7, r8] as const) w.emit(ldx(8, reg, r10, w.place(8)));
  w.emit(ldx(8, { reg: 9, width: 64 }, r10, w.place(8)), ja(again), label(done));
  w.address(r1, slot);
  w.call(`bpf_iter_${kind}_destroy`);
  w.emit(mov(r0, r8), add(r0, 1));
  w.refresh();
  w.paths *= 2;
}
