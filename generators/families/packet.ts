/** Packet bytes: read and written directly after a comparison with the packet's end, or loaded the old way. */
import fc from 'fast-check';
import { add, and, jmp, ldAbs, ldInd, ldx, mov, type Reg, r0, r1, r2, r3 } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import { progType } from '../../src/kernel/progtypes.js';
import type { ProgType } from '../../src/object/program.js';
import { oneIn, pickArbitrary, spillArbitrary, touchesArbitrary } from '../choices.js';
import { Elided } from '../compile/frame.js';
import { emitScalar } from '../compile/touch.js';
import { type Fragment, fragment } from '../fragment.js';
import { type Body, emitTouches } from './values.js';

interface PacketFields {
  /** Offsets in the context. */
  readonly data: number;
  readonly end: number;
  /** Bytes of each. */
  readonly size: 4 | 8;
  readonly readonly: boolean;
}

/** Where the context of a type tells of the packet; undefined where it does not. */
export function packetFields(type: ProgType): PacketFields | undefined {
  const { members, packetWritable } = progType(type);
  const data = members.find(({ value }) => value === 'packet');
  const end = members.find(({ value }) => value === 'packet_end');
  if (data === undefined || end === undefined) return undefined;
  const size = data.reads.includes(4) ? 4 : 8;
  return { data: data.offset, end: end.offset, size, readonly: !packetWritable };
}

/** Types that may load from the packet the old way (may_access_skb, kernel/bpf/verifier.c). */
export const LEGACY_LOADS: readonly ProgType[] = ['socket_filter', 'tc', 'action'];

/**
 * `length` bytes at an offset that is constant or bounded by a mask, accessed where they are in the packet. The pointer is kept while
 * the body is written, and used again behind it unless the packet may have moved.
 */
export function packetArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      offset: fc.constantFrom(0, 14, 12, 34),
      length: fc.constantFrom(8, 4, 14, 20, 1),
      variable: oneIn(4),
      which: pickArbitrary,
      strict: fc.boolean(),
      spill: spillArbitrary,
      before: touchesArbitrary,
      after: touchesArbitrary,
      body,
    })
    .map(({ offset, length, variable, which, strict, spill, before, after, body }) =>
      fragment('packet', body, (c) => {
        const fields = packetFields(c.type);
        if (fields === undefined) throw new Elided('no direct packet access');
        c.loadCtx(r1);
        c.emit(ldx(fields.size, r2, r1, fields.end), ldx(fields.size, r1, r1, fields.data));
        if (variable) {
          emitScalar(c, r3, which);
          c.emit(and(r3, 31), add(r1, r3));
        } else if (offset > 0) c.emit(add(r1, offset));
        const out = c.fresh();
        c.emit(mov(r0, r1), add(r0, length));
        // `>` proves exactly `length` bytes; `>=` one more than is used.
        c.emit(jmp(strict ? 'gt' : 'ge', r0, r2, out));
        const region = { size: length, readonly: fields.readonly, holes: [], full: false };
        c.keep(
          spill,
          (home) => {
            const load = (reg: Reg<64>) => c.load(reg, home);
            emitTouches(c, load, region, before);
            const { packetEpoch } = c;
            c.body(body);
            if (c.packetEpoch === packetEpoch) emitTouches(c, load, region, after);
          },
          r1,
        );
        c.emit(label(out));
      }),
    );
}

/**
 * `BPF_LD_ABS` and `BPF_LD_IND`, as classic filters have it. It ends the program when the packet is too short, so nothing may be held; it wants the
 * context in r6.
 */
export function legacyLoadArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      size: fc.constantFrom(1 as const, 2 as const, 4 as const),
      at: fc.nat({ max: 40 }),
      from: fc.option(pickArbitrary, { nil: undefined }),
      spill: spillArbitrary,
      body,
    })
    .map(({ size, at, from, spill, body }) =>
      fragment('legacy packet load', body, (c) => {
        if (!LEGACY_LOADS.includes(c.type)) throw new Elided('no legacy packet access');
        if (c.kind !== 'main' || !c.clear) throw new Elided('something is held');
        if (!c.ctxIsIn(6)) throw new Elided('the context is not in r6');
        if (from === undefined) c.emit(ldAbs(size, at));
        else {
          emitScalar(c, r2, from);
          c.emit(ldInd(size, r2, at));
        }
        c.keep(spill, (home) => c.withScalar(home, () => c.body(body)));
      }),
    );
}
