/** Map values: looked up, with or without a check for NULL, or addressed directly; and stack buffers that are filled and sent. */
import fc from 'fast-check';
import { add, jmp, mov, r0, r1, r2, r3, r4, r5, r10, st, stx } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import type { MapDef } from '../../src/object/program.js';
import { oneIn, pickArbitrary, spillArbitrary, touchesArbitrary } from '../choices.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided, type Home } from '../compile/frame.js';
import { EVENTS, holesOf, PLAIN_MAPS, SCRATCH } from '../compile/maps.js';
import { emitScalar } from '../compile/touch.js';
import { type Fragment, fragment } from '../fragment.js';
import { type Body, emitTouches } from './values.js';

/** The free choices in looking up a map value. */
export interface LookupChoices {
  /** A constant key, which cannot miss in an array. */
  readonly constant: boolean;
  readonly key: number;
  readonly spill: boolean;
}

/**
 * Looks up an element of `map` and writes `inner` where it is found, with the pointer kept in a home. A constant key of an array is not
 * checked for NULL: the verifier knows that it is there (Linux 6.14 and later).
 */
export function emitLookup(
  c: Compiler,
  map: MapDef,
  choices: LookupChoices,
  inner: (home: Home) => void,
): void {
  c.usable('bpf_map_lookup_elem');
  const slot = c.takeStack(map.keySize);
  if (choices.constant) {
    const key = choices.key % map.maxEntries;
    c.emit(st(map.keySize === 8 ? 8 : 4, r10, slot, key));
  } else {
    c.emit(st(8, r10, slot, 0));
    emitScalar(c, r1, choices.key);
    c.emit(stx(4, r10, slot, r1));
  }
  c.loadMap(r1, map);
  c.emit(mov(r2, r10), add(r2, slot));
  c.call('bpf_map_lookup_elem');
  c.giveStack(slot, map.keySize);
  const sure = choices.constant && (map.type === 'array' || map.type === 'percpu_array');
  const out = c.fresh();
  if (!sure) c.emit(jmp('eq', r0, 0, out));
  c.keep(choices.spill, (home) => inner(home));
  if (!sure) c.emit(label(out));
}

/** An element of a plain map, touched and in scope for the body. */
export function lookupArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      map: pickArbitrary,
      constant: fc.boolean(),
      key: pickArbitrary,
      spill: spillArbitrary,
      touches: touchesArbitrary,
      body,
    })
    .map(({ map, touches, body, ...choices }) => {
      const def = PLAIN_MAPS[map % PLAIN_MAPS.length]!;
      return fragment(`lookup in ${def.name}`, body, (c) => {
        emitLookup(c, def, choices, (home) => withValue(c, def, home, touches, body));
      });
    });
}

/** Touches a map value and writes the body with it in scope. */
export function withValue(
  c: Compiler,
  def: MapDef,
  home: Home,
  touches: Parameters<typeof emitTouches>[3],
  body: readonly Fragment[],
): void {
  const region = { size: def.valueSize, readonly: false, holes: holesOf(def.fields) };
  emitTouches(c, (reg) => c.load(reg, home), { ...region, full: true }, touches);
  c.withThing({ kind: 'region', home, of: 'map_value', ...region }, () => c.body(body));
}

/** The value of a one-element array, addressed directly, as compilers do for global variables. */
export function globalArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({ at: pickArbitrary, spill: spillArbitrary, touches: touchesArbitrary, body })
    .map(({ at, spill, touches, body }) =>
      fragment('global variable', body, (c) => {
        c.loadMapValue(r0, SCRATCH, 8 * (at % 32));
        c.keep(spill, (home) => {
          const region = { size: 256, readonly: false, holes: [] };
          emitTouches(c, (reg) => c.load(reg, home), { ...region, full: true }, touches);
          c.withThing({ kind: 'region', home, of: 'map_value', ...region }, () => c.body(body));
        });
      }),
    );
}

const FILLERS = [
  'bpf_probe_read_kernel',
  'bpf_probe_read_user',
  'bpf_probe_read_kernel_str',
  'bpf_get_current_comm',
  'bpf_skb_load_bytes',
  'bpf_dynptr_read',
] as const;

/** A stack buffer: filled by a helper or by stores, then sent through a ring buffer or written into a map. */
export function sendArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      fill: pickArbitrary,
      words: fc.integer({ min: 1, max: 4 }),
      from: pickArbitrary,
      toMap: fc.boolean(),
      first: oneIn(4),
      written: oneIn(3),
      body,
    })
    .map(({ fill, words, from, toMap, first, written, body }) =>
      fragment(toMap ? 'fill and update' : 'fill and output', body, (c) => {
        const bytes = toMap ? 24 : 8 * words;
        const buffer = c.takeStack(bytes);
        const zero = () => {
          for (let word = 0; word < bytes; word += 8) c.emit(st(8, r10, buffer + word, 0));
        };
        // What is filled may have been written before.
        if (written && !first) zero();
        if (first || !c.attempt(() => emitFill(c, FILLERS[fill % FILLERS.length]!, buffer, bytes, from)))
          zero();
        c.body(body);
        if (toMap) emitUpdate(c, buffer, from);
        else {
          c.loadMap(r1, EVENTS);
          c.emit(mov(r2, r10), add(r2, buffer), mov(r3, bytes), mov(r4, 0));
          c.call('bpf_ringbuf_output');
        }
        c.giveStack(buffer, bytes);
      }),
    );
}

function emitFill(c: Compiler, name: string, buffer: number, bytes: number, from: number): void {
  if (name === 'bpf_skb_load_bytes') {
    emitScalar(c, r2, from);
    c.loadCtx(r1);
    c.emit(mov(r3, r10), add(r3, buffer), mov(r4, bytes));
  } else if (name === 'bpf_dynptr_read') {
    const source = c.things.find((thing) => thing.kind === 'dynptr');
    if (source?.kind !== 'dynptr') throw new Elided('no dynptr in scope');
    c.emit(mov(r3, r10), add(r3, source.slot), mov(r1, r10), add(r1, buffer), mov(r2, bytes));
    c.emit(mov(r4, 0), mov(r5, 0));
  } else {
    emitScalar(c, r3, from);
    c.emit(mov(r1, r10), add(r1, buffer), mov(r2, bytes));
  }
  c.call(name);
}

function emitUpdate(c: Compiler, buffer: number, key: number): void {
  const map = PLAIN_MAPS[1]!;
  const slot = c.takeStack(8);
  c.emit(st(8, r10, slot, key % 4));
  c.loadMap(r1, map);
  c.emit(mov(r2, r10), add(r2, slot), mov(r3, r10), add(r3, buffer), mov(r4, 0));
  c.call('bpf_map_update_elem');
  c.giveStack(slot, 8);
}
