/** Programs built in TypeScript: labels become the offsets that lead to them, the registers choose the width, and mistakes are named. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { opArbitrary } from '../../generators/op.js';
import { assemble } from '../../src/isa/assemble.js';
import * as b from '../../src/isa/build.js';
import { decode } from '../../src/isa/decode.js';
import { disassemble } from '../../src/isa/disassemble.js';
import { InputError } from '../../src/isa/errors.js';
import type { Op } from '../../src/isa/insn.js';
import { type Item, label, link } from '../../src/isa/label.js';
import { jumpTarget, subprogStarts, subprogTarget, targetOf } from '../../src/isa/target.js';
import { seeded } from '../support/seed.js';

const { r0, r1, r2, r3, r6, r10, w0, w1, w2 } = b;

const LABELS = ['a', 'b', 'c', 'd'];
const target = fc.constantFrom(...LABELS);
const linked: fc.Arbitrary<Item> = fc.oneof(
  target.map((to) => b.ja(to)),
  target.map((to) => b.jal(to)),
  target.map((to) => b.jmp('ne', r1, 0, to)),
  target.map((to) => b.mayGoto(to)),
  target.map((to) => b.unwindGoto(to)),
  target.map((to) => b.callSub(to)),
  target.map((to) => b.ldFunc(r2, to)),
);
/** Linked and plain operations with all labels somewhere between them. */
const programs = fc
  .tuple(
    fc.array(fc.oneof(linked, opArbitrary), { maxLength: 30 }),
    fc.array(fc.nat(30), { minLength: 4, maxLength: 4 }),
  )
  .map(([ops, at]) => {
    const items: Item[] = [...ops];
    LABELS.forEach((name, index) => {
      items.splice(Math.min(at[index] ?? 0, items.length), 0, label(name));
    });
    return items;
  });

describe('labels', () => {
  it('resolve to the slot of what follows them, from every kind of reference', () => {
    fc.assert(
      fc.property(programs, (items) => {
        const { insns, labels, items: itemOf } = link(items);
        expect([...labels.keys()].sort()).toEqual(LABELS);
        itemOf.forEach((index, slot) => {
          if (itemOf[slot - 1] === index) return;
          const item = items[index] as Exclude<Item, { kind: 'label' }>;
          const op = decode(insns, slot);
          if (item.kind !== 'linked') expect(op).toEqual(item);
          else expect(targetOf(op, slot)).toBe(labels.get(item.target));
        });
        for (const [name, slot] of labels) {
          const next = items.slice(items.findIndex((item) => item.kind === 'label' && item.name === name));
          const following = items.indexOf(next.find((item) => item.kind !== 'label') as Item);
          expect(slot).toBe(following < 0 ? insns.length : itemOf.indexOf(following));
        }
      }),
      seeded(1000),
    );
  });

  it('of subprograms and callbacks are where functions start', () => {
    const { insns, labels } = link([
      b.ldImm64(r1, -1n),
      b.ldFunc(r2, 'each'),
      b.callSub('work'),
      b.ja('end'),
      label('work'),
      b.exit(),
      label('each'),
      b.exit(),
      label('end'),
      b.exit(),
    ]);
    expect(subprogStarts(insns)).toEqual([0, labels.get('work'), labels.get('each')]);
    expect(subprogStarts(link([b.callSub(7), b.exit()]).insns)).toEqual([0]);
    expect(jumpTarget(decode(insns, 5), 5)).toBe(labels.get('end'));
    expect(subprogTarget(decode(insns, 5), 5)).toBeUndefined();
  });

  it.each<[string, Item[], string]>([
    ['missing', [b.exit(), b.ja('x')], 'insn 1: no label x'],
    ['double', [label('x'), b.exit(), label('x')], 'label x is defined twice'],
    [
      'too far',
      [b.ja('x'), ...Array.from({ length: 32768 }, () => b.exit()), label('x')],
      'insn 0: label x is 32768 slots away, too far for a 16-bit offset',
    ],
    [
      'of what leads nowhere',
      [{ kind: 'linked', op: { kind: 'call', target: 'helper', imm: 1 }, target: 'x' }, label('x')],
      'insn 0: a call cannot name a label',
    ],
    ['(operation out of range)', [b.mov(r0, 2 ** 31)], 'insn 0: immediate 2147483648 does not fit 32 bits'],
  ])('that are %s are refused', (_, items, message) => {
    expect(() => link(items)).toThrow(InputError);
    expect(() => link(items)).toThrow(message);
  });

  it('just near enough are not refused, and a long jump reaches further', () => {
    const far = (length: number) => [...Array.from({ length }, () => b.exit()), label('x')];
    expect(link([b.ja('x'), ...far(32767)]).insns[0]?.off).toBe(32767);
    expect(link([b.jal('x'), ...far(32768)]).insns[0]?.imm).toBe(32768);
  });
});

describe('constructors', () => {
  it('read like the assembly that they make', () => {
    const { insns } = link([
      b.mov(r6, r1),
      b.add(r1, -4),
      b.sdiv(w1, w2),
      b.arsh(r3, 3),
      b.neg(w0),
      b.movsx(32, r1, r2),
      b.end('be', 16, r0),
      b.addrSpaceCast(r1, r2, 0),
      b.ldImm64(r1, 0x1122_3344_5566_7788n),
      b.ldMap(r1, 1),
      b.ldMapValue(r1, 0, 8),
      b.ldFunc(r2, 'each'),
      b.ldx(4, r0, r1, 16),
      b.ldxs(1, r0, r1, -1),
      b.stx(8, r10, -8, r1),
      b.st(4, r10, -4, 7),
      b.atomic('add', 8, r1, 0, r2),
      b.atomic('or', 4, r1, 4, r2, true),
      b.atomic('xchg', 8, r1, 0, r2),
      b.atomic('cmpxchg', 4, r1, 0, r2),
      b.loadAcquire(2, r0, r1, 2),
      b.storeRelease(1, r1, 0, r2),
      b.ldAbs(2, 14),
      b.ldInd(1, r6, -4),
      label('again'),
      b.mayGoto('each'),
      b.jmp('slt', w1, w2, 'again'),
      b.jmp('set', r1, 7, 1),
      b.jal('each'),
      b.callHelper(1),
      b.callKfunc(0),
      b.callSub('each'),
      b.exit(),
      label('each'),
      b.mov(w0, 0),
      b.exit(),
    ]);
    const text = `
      r6 = r1
      r1 += -4
      w1 s/= w2
      r3 s>>= 3
      w0 = -w0
      r1 = (s32)r2
      r0 = be16 r0
      r1 = addr_space_cast(r2, 0, 1)
      r1 = 0x1122334455667788 ll
      r1 = map #1
      r1 = mapvalue #0 +8
      r2 = func each
      r0 = *(u32 *)(r1 +16)
      r0 = *(s8 *)(r1 -1)
      *(u64 *)(r10 -8) = r1
      *(u32 *)(r10 -4) = 7
      lock *(u64 *)(r1 +0) += r2
      r2 = atomic_fetch_or((u32 *)(r1 +4), r2)
      r2 = atomic64_xchg((u64 *)(r1 +0), r2)
      r0 = atomic_cmpxchg((u32 *)(r1 +0), r0, r2)
      r0 = load_acquire((u16 *)(r1 +2))
      store_release((u8 *)(r1 +0), r2)
      r0 = *(u16 *)skb[14]
      r0 = *(u8 *)skb[r6 + -4]
    again:
      may_goto each
      if w1 s< w2 goto again
      if r1 & 0x7 goto pc+1
      gotol each
      call bpf_map_lookup_elem#1
      call kfunc#0
      call each
      exit
    each:
      w0 = 0
      exit`;
    expect(insns).toEqual(assemble(text).insns);
    expect(assemble(disassemble(insns, { labels: true })).insns).toEqual(insns);
  });

  it('do not mix widths', () => {
    // @ts-expect-error a 32-bit source in a 64-bit addition
    const wrong: Op = b.add(r1, w2);
    // @ts-expect-error a 32-bit move has no upper half to extend into
    const extended: Op = b.movsx(32, w1, w2);
    // @ts-expect-error addresses are 64 bits
    const loaded: Op = b.ldx(4, r0, w1, 0);
    expect([wrong.kind, extended.kind, loaded.kind]).toEqual(['alu', 'movsx', 'ldx']);
    expect(() => link([extended])).toThrow('a 32-bit move cannot extend 32 bits');
  });

  it('keep an offset that is given as a number', () => {
    fc.assert(
      fc.property(fc.integer({ min: -9, max: 9 }), (off) => {
        expect(b.ja(off)).toEqual({ kind: 'ja', off, long: false });
        expect(b.jmp('eq', w0, w1, off)).toEqual({
          kind: 'jmp',
          op: 'eq',
          width: 32,
          dst: 0,
          src: { reg: 1 },
          off,
        });
        expect(b.callSub(off)).toEqual({ kind: 'call', target: 'subprog', imm: off });
        expect(b.ldFunc(r1, off)).toEqual({ kind: 'ld_imm64', dst: 1, as: 'func', imm: off, hi: 0 });
      }),
      seeded(50),
    );
  });
});
