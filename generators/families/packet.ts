/** Packet bytes: read and written directly after a comparison with the packet's end, or loaded the old way. */
import fc from 'fast-check';
import { add, and, jmp, ldAbs, ldx, mov, type Reg, r0, r1, r2, r3 } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import { oneIn, pickArbitrary, spillArbitrary, touchesArbitrary } from '../choices.js';
import { Elided } from '../compile/frame.js';
import { emitScalar } from '../compile/touch.js';
import { type Fragment, fragment } from '../fragment.js';
import { type Body, emitTouches } from './values.js';

/** Offsets of data and data_end in struct xdp_md and struct __sk_buff. */
const PACKET_FIELDS = { xdp: [0, 4], tc: [76, 80] } as const;

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
        if (c.type !== 'xdp' && c.type !== 'tc') throw new Elided('no direct packet access');
        const [data, dataEnd] = PACKET_FIELDS[c.type];
        c.loadCtx(r1);
        c.emit(ldx(4, r2, r1, dataEnd), ldx(4, r1, r1, data));
        if (variable) {
          emitScalar(c, r3, which);
          c.emit(and(r3, 31), add(r1, r3));
        } else if (offset > 0) c.emit(add(r1, offset));
        const out = c.fresh();
        c.emit(mov(r0, r1), add(r0, length));
        // `>` proves exactly `length` bytes; `>=` one more than is used.
        c.emit(jmp(strict ? 'gt' : 'ge', r0, r2, out));
        const region = { size: length, readonly: false, holes: [], full: false };
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
 * `BPF_LD_ABS`, as classic filters have it. It ends the program when the packet is too short, so nothing may be held; it wants the
 * context in r6.
 */
export function legacyLoadArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      size: fc.constantFrom(1 as const, 2 as const, 4 as const),
      at: fc.nat({ max: 40 }),
      spill: spillArbitrary,
      body,
    })
    .map(({ size, at, spill, body }) =>
      fragment('legacy packet load', body, (c) => {
        if (c.type !== 'tc' && c.type !== 'socket_filter') throw new Elided('no legacy packet access');
        if (c.kind !== 'main' || !c.clear) throw new Elided('something is held');
        if (!c.ctxIsIn(6)) throw new Elided('the context is not in r6');
        c.emit(ldAbs(size, at));
        c.keep(spill, (home) => c.withScalar(home, () => c.body(body)));
      }),
    );
}
