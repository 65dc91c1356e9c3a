/** Encode and decode are inverses, on operations and on bytes; what has no meaning is refused by insn number and reason. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { opArbitrary } from '../../generators/op.js';
import { fromBytes, toBytes } from '../../src/isa/bytes.js';
import { decode, decodeAll } from '../../src/isa/decode.js';
import { encode, encodeAll } from '../../src/isa/encode.js';
import { InputError } from '../../src/isa/errors.js';
import type { Insn, Op } from '../../src/isa/insn.js';
import { slots } from '../../src/isa/insn.js';
import { seeded } from '../support/seed.js';

const plain = (insn: Insn): Insn => ({ ...insn });

/** Raw slots near to valid ones: an encoded operation with one field replaced. */
const nearlyValid = fc
  .tuple(
    opArbitrary,
    fc.constantFrom('opcode', 'dst', 'src', 'off', 'imm'),
    fc.oneof(fc.integer({ min: -64, max: 0x120 }), fc.integer({ min: -0x8000, max: 0x7fff })),
  )
  .map(([op, field, value]) => {
    const [first, ...rest] = encode(op);
    const mask = field === 'opcode' ? 0xff : field === 'dst' || field === 'src' ? 0xf : -1;
    return [{ ...first, [field]: value & mask } as Insn, ...rest];
  });
const anyBytes = fc.uint8Array({ minLength: 8, maxLength: 16 }).map((bytes) => {
  return fromBytes(bytes.subarray(0, bytes.length - (bytes.length % 8)));
});

/** Decodes slot 0 and encodes it again; the reason where it is refused. */
function again(insns: readonly Insn[]): { bytes: Uint8Array; op: Op } | { refused: string } {
  try {
    const op = decode(insns, 0);
    return { bytes: toBytes(encode(op)), op };
  } catch (error) {
    if (error instanceof InputError) return { refused: error.message };
    throw error;
  }
}

describe('decoding undoes encoding', () => {
  it('on every operation', () => {
    fc.assert(
      fc.property(opArbitrary, (op) => {
        const insns = encode(op);
        expect(insns.length).toBe(slots(op));
        expect(decode(insns, 0)).toEqual(op);
      }),
      seeded(5000),
    );
  });

  it('so that every bit of an insn matters', () => {
    fc.assert(
      fc.property(opArbitrary, fc.nat(127), (op, at) => {
        const bytes = toBytes(encode(op));
        const bit = at % (bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const result = again(fromBytes(bytes));
        if ('op' in result) expect(result.op).not.toEqual(op);
      }),
      seeded(5000),
    );
  });

  it.each<[string, (insn: Insn, op: Op) => Partial<Insn>]>([
    ['mixes up registers', ({ dst, src }) => ({ dst: src, src: dst })],
    ['loses the sign of a division', (_, op) => (op.kind === 'alu' ? { off: 0 } : {})],
    ['loses the sign of offsets', ({ off }) => ({ off: Math.abs(off) })],
    ['loses the width of a jump', ({ opcode }) => ({ opcode: (opcode & 7) === 6 ? opcode - 1 : opcode })],
    ['loses a fetch', ({ imm }, op) => (op.kind === 'atomic' ? { imm: imm & ~1 } : {})],
    [
      'loses sign extension',
      ({ opcode }, op) => (op.kind === 'ldx' ? { opcode: (opcode & 0x1f) | 0x60 } : {}),
    ],
    ['confuses byte orders', ({ opcode }, op) => (op.kind === 'end' ? { opcode: opcode ^ 8 } : {})],
    ['takes maps for descriptors', ({ src }, op) => (op.kind === 'ld_imm64' ? { src: src & 3 } : {})],
    ['loses the upper half', ({ imm, opcode }) => ({ imm: opcode === 0 ? 0 : imm })],
    [
      'confuses acquire and release',
      ({ imm }, op) => (op.kind === 'load_acquire' ? { imm: imm ^ 0x10 } : {}),
    ],
  ])('and an encoder that %s is caught', (_, defect) => {
    const result = fc.check(
      fc.property(opArbitrary, (op) => {
        const broken = encode(op).map((insn) => ({ ...insn, ...defect(insn, op) }));
        expect(decode(broken, 0)).toEqual(op);
      }),
      seeded(5000),
    );
    expect(result.failed).toBe(true);
  });

  it('on lists of operations, by slot', () => {
    fc.assert(
      fc.property(fc.array(opArbitrary, { maxLength: 20 }), (ops) => {
        const decoded = decodeAll(encodeAll(ops));
        expect(decoded.filter((op) => op !== undefined)).toEqual(ops);
        expect(decoded.length).toBe(ops.reduce((sum, op) => sum + slots(op), 0));
      }),
      seeded(500),
    );
  });

  it.each([
    ['random bytes', anyBytes],
    ['nearly valid insns', nearlyValid],
  ])('%s decode to what encodes to the same bytes, or are refused with number and reason', (_, slotsOf) => {
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(slotsOf, (insns) => {
        const result = again(insns);
        if ('refused' in result) {
          refused++;
          expect(result.refused).toMatch(/^insn 0: \S.{6,}$/);
        } else {
          accepted++;
          expect(result.bytes).toEqual(toBytes(insns.slice(0, slots(result.op))));
        }
      }),
      seeded(20_000),
    );
    expect(accepted).toBeGreaterThan(20);
    expect(refused).toBeGreaterThan(20);
  });

  it('on every opcode byte with all other fields zero', () => {
    const defined = Array.from({ length: 256 }, (_, opcode) => opcode).filter((opcode) => {
      const insn = {
        opcode,
        dst: 0,
        src: 0,
        off: 0,
        imm: (opcode & 0xf7) === 0xd4 || opcode === 0xd7 ? 16 : 0,
      };
      const result = again([insn, { opcode: 0, dst: 0, src: 0, off: 0, imm: 0 }]);
      if ('refused' in result) expect(result.refused).toMatch(/no opcode|must be 4 or 8/);
      return 'op' in result;
    });
    // 2*11*2 arithmetic, 2*2 moves, 2 negations, 3 byte swaps; 2*11*2 jumps, goto, gotol, call, exit, may_goto;
    // 1 immediate and 6 packet loads; 4 + 3 loads, 4 + 4 stores, 2 atomics. Signed division shares its opcodes.
    expect(defined.length).toBe(2 * 11 * 2 + 4 + 2 + 3 + 44 + 5 + 7 + 7 + 8 + 2);
  });
});

describe('an operation with a field out of range', () => {
  it.each<[Op, string]>([
    [{ kind: 'neg', width: 64, dst: 11 }, 'no register r11'],
    [{ kind: 'stx', size: 8, dst: 10, src: -1, off: 0 }, 'no register r-1'],
    [
      { kind: 'ldx', size: 8, signed: false, dst: 1, src: 2, off: 0x8000 },
      'offset 32768 does not fit 16 bits',
    ],
    [{ kind: 'ja', off: -0x8001, long: false }, 'offset -32769 does not fit 16 bits'],
    [{ kind: 'ja', off: 2 ** 31, long: true }, 'immediate 2147483648 does not fit 32 bits'],
    [{ kind: 'mov', width: 64, dst: 0, src: { imm: 0.5 } }, 'immediate 0.5 does not fit 32 bits'],
    [{ kind: 'movsx', bits: 32, width: 32, dst: 0, src: 0 }, 'a 32-bit move cannot extend 32 bits'],
    [{ kind: 'ldx', size: 8, signed: true, dst: 0, src: 1, off: 0 }, 'an 8-byte load has nothing to extend'],
    [{ kind: 'addr_space_cast', dst: 0, src: 1, imm: 2 }, 'imm 2 is not a cast between spaces 0 and 1'],
  ])('%j is refused', (op, reason) => {
    expect(() => encodeAll([{ kind: 'exit' }, op])).toThrow(InputError);
    expect(() => encodeAll([{ kind: 'exit' }, op])).toThrow(/^operation 1: /);
    expect(() => encode(op)).toThrow(reason);
  });

  it('and so is a slot past the end', () => {
    expect(() => decode([], 0)).toThrow('insn 0: past the end (0 insns)');
  });
});

describe('bytes', () => {
  it('hold the slots without loss', () => {
    const insn = fc.record({
      opcode: fc.integer({ min: 0, max: 255 }),
      dst: fc.integer({ min: 0, max: 15 }),
      src: fc.integer({ min: 0, max: 15 }),
      off: fc.integer({ min: -0x8000, max: 0x7fff }),
      imm: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
    });
    fc.assert(
      fc.property(fc.array(insn), (insns) => {
        expect(fromBytes(toBytes(insns))).toEqual(insns.map(plain));
      }),
      seeded(500),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        if (bytes.length % 8 === 0) expect(toBytes(fromBytes(bytes))).toEqual(bytes);
        else expect(() => fromBytes(bytes)).toThrow(/not a whole number of insns/);
      }),
      seeded(500),
    );
  });
});
