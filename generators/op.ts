/**
 * Arbitrary operations: every kind, every field over its whole range. They make single insns for the properties of
 * the instruction set; programs that a verifier accepts are made elsewhere.
 */

import fc from 'fast-check';
import type { AtomicOp, Imm64Kind, Op, Operand, Size } from '../src/isa/insn.js';
import { binaryArbitrary, comparisonArbitrary, widthArbitrary } from './arithmetic.js';

/** A register, r0 to r10. */
export const regArbitrary: fc.Arbitrary<number> = fc.integer({ min: 0, max: 10 });
/** A signed 16-bit offset, small ones often. */
export const off16Arbitrary: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: -16, max: 16 }),
  fc.integer({ min: -0x8000, max: 0x7fff }),
  fc.constantFrom(-0x8000, 0x7fff),
);
/** A signed 32-bit immediate, small and extreme ones often. */
export const imm32Arbitrary: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: -16, max: 64 }),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  fc.constantFrom(-0x8000_0000, 0x7fff_ffff, 1 << 16, 0xffff),
);

const size = fc.constantFrom<Size>(1, 2, 4, 8);
const operand: fc.Arbitrary<Operand> = fc.oneof(
  fc.record({ reg: regArbitrary }),
  fc.record({ imm: imm32Arbitrary }),
);
const place = { dst: regArbitrary, src: regArbitrary, off: off16Arbitrary };
const kind = <K extends Op['kind']>(name: K): fc.Arbitrary<K> => fc.constant(name);
const as = (...kinds: Imm64Kind[]): fc.Arbitrary<Imm64Kind> => fc.constantFrom(...kinds);

const movsx = fc.constantFrom(
  ...([8, 16, 32] as const).map((bits) => ({ bits, width: 64 as const })),
  ...([8, 16] as const).map((bits) => ({ bits, width: 32 as const })),
);
const load = fc.constantFrom(
  ...([1, 2, 4, 8] as const).map((bytes) => ({ size: bytes as Size, signed: false })),
  ...([1, 2, 4] as const).map((bytes) => ({ size: bytes as Size, signed: true })),
);
const atomic = fc.oneof(
  fc.record({ op: fc.constantFrom<AtomicOp>('add', 'or', 'and', 'xor'), fetch: fc.boolean() }),
  fc.record({ op: fc.constantFrom<AtomicOp>('xchg', 'cmpxchg'), fetch: fc.constant(true) }),
);

/** Any operation that has an encoding. Calls of kfuncs and references to maps use any index. */
export const opArbitrary: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    kind: kind('alu'),
    op: binaryArbitrary,
    width: widthArbitrary,
    dst: regArbitrary,
    src: operand,
  }),
  fc.record({ kind: kind('mov'), width: widthArbitrary, dst: regArbitrary, src: operand }),
  fc
    .tuple(movsx, regArbitrary, regArbitrary)
    .map(([how, dst, src]): Op => ({ kind: 'movsx', ...how, dst, src })),
  fc.record({ kind: kind('neg'), width: widthArbitrary, dst: regArbitrary }),
  fc.record({
    kind: kind('end'),
    op: fc.constantFrom('le' as const, 'be' as const, 'bswap' as const),
    bits: fc.constantFrom(16 as const, 32 as const, 64 as const),
    dst: regArbitrary,
  }),
  fc.record({
    kind: kind('addr_space_cast'),
    dst: regArbitrary,
    src: regArbitrary,
    imm: fc.constantFrom(1, 1 << 16),
  }),
  fc.record({
    kind: kind('ld_imm64'),
    dst: regArbitrary,
    as: as('imm', 'map_fd_value', 'btf_id', 'map_value'),
    imm: imm32Arbitrary,
    hi: imm32Arbitrary,
  }),
  fc.record({
    kind: kind('ld_imm64'),
    dst: regArbitrary,
    as: as('map', 'map_fd', 'func'),
    imm: imm32Arbitrary,
    hi: fc.constant(0),
  }),
  fc.tuple(load, fc.record(place)).map(([how, where]): Op => ({ kind: 'ldx', ...how, ...where })),
  fc.record({ kind: kind('stx'), size, ...place }),
  fc.record({ kind: kind('st'), size, dst: regArbitrary, off: off16Arbitrary, imm: imm32Arbitrary }),
  fc
    .tuple(atomic, fc.constantFrom(4 as const, 8 as const), fc.record(place))
    .map(([how, bytes, where]): Op => ({ kind: 'atomic', ...how, size: bytes, ...where })),
  fc.record({ kind: kind('load_acquire'), size, ...place }),
  fc.record({ kind: kind('store_release'), size, ...place }),
  fc.record({
    kind: kind('ld_packet'),
    size: fc.constantFrom(1 as const, 2 as const, 4 as const),
    src: fc.integer({ min: -1, max: 10 }),
    imm: imm32Arbitrary,
  }),
  fc.record({ kind: kind('ja'), off: off16Arbitrary, long: fc.constant(false) }),
  fc.record({ kind: kind('ja'), off: imm32Arbitrary, long: fc.constant(true) }),
  fc.record({
    kind: kind('jmp'),
    op: comparisonArbitrary,
    width: widthArbitrary,
    dst: regArbitrary,
    src: operand,
    off: off16Arbitrary,
  }),
  fc.record({ kind: kind('may_goto'), off: off16Arbitrary }),
  fc.record({ kind: kind('unwind_goto'), off: off16Arbitrary }),
  fc.record({
    kind: kind('call'),
    target: fc.constantFrom('helper' as const, 'kfunc' as const, 'subprog' as const),
    imm: imm32Arbitrary,
  }),
  fc.record({ kind: kind('exit') }),
  fc.record({ kind: kind('unwind_exit') }),
);
