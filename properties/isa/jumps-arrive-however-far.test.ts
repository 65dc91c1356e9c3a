/** A program in which jumps lead too far for 16 bits is made one that does the same and encodes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAll } from '../../src/isa/decode.js';
import { InputError } from '../../src/isa/errors.js';
import type { Op } from '../../src/isa/insn.js';
import { type Item, label, link } from '../../src/isa/label.js';
import { withinReach } from '../../src/isa/reach.js';
import { type Jump, jumpTarget } from '../../src/isa/target.js';
import { seeded } from '../support/seed.js';

const filler = (value: number): Op => ({ kind: 'mov', width: 64, dst: 6, src: { imm: value } });
const jump = (target: number, kind: Jump['kind'], long: boolean): Item => {
  const name = `L${target}`;
  if (kind === 'ja') return { kind: 'linked', op: { kind, off: 0, long }, target: name };
  if (kind === 'may_goto' || kind === 'unwind_goto')
    return { kind: 'linked', op: { kind, off: 0 }, target: name };
  const op: Op = { kind, op: 'eq', width: 64, dst: 1, src: { imm: 3 }, off: 0 };
  return { kind: 'linked', op, target: name };
};

/** Blocks with a label each, a number of fillers and a jump to some label. */
const layout = fc
  .array(
    fc.record({
      fillers: fc.oneof(fc.nat({ max: 20 }), fc.integer({ min: 9_000, max: 34_000 })),
      target: fc.nat(),
      kind: fc.constantFrom('ja', 'jmp', 'may_goto', 'unwind_goto'),
      long: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((blocks) => [
    ...blocks.flatMap(({ fillers, target, kind, long }, i): Item[] => [
      label(`L${i}`),
      ...Array.from({ length: fillers }, () => filler(i)),
      jump(target % blocks.length, kind, long),
    ]),
    { kind: 'exit' } as const,
  ]);

/** Where the jump at a slot ends up when it is taken, by way of any detour. */
function arrival(ops: readonly (Op | undefined)[], slot: number): number {
  const op = ops[slot]!;
  const to = jumpTarget(op, slot)!;
  const next = ops[to];
  const over = ops[slot + 1];
  const detour = op.kind !== 'ja' && over?.kind === 'ja' && !over.long && over.off === 1 && to === slot + 2;
  return detour && next?.kind === 'ja' && next.long ? jumpTarget(next, to)! : to;
}

describe('jumps arrive however far', () => {
  it('at the label they name, and fall through to the next insn', () => {
    let far = 0;
    fc.assert(
      fc.property(layout, (items) => {
        const { items: made, from } = withinReach(items);
        const { insns, labels, items: itemOf } = link(made);
        const ops = decodeAll(insns);
        for (const [slot, item] of itemOf.entries()) {
          const original = items[from[item]!]!;
          const first = slot === 0 || from[itemOf[slot - 1]!] !== from[item];
          if (original.kind !== 'linked' || !first) continue;
          expect(arrival(ops, slot)).toBe(labels.get(original.target));
          const last = itemOf.findLastIndex((other) => from[other] === from[item]);
          if (last === slot) continue;
          far++;
          // Not taken, it goes on behind the detour.
          expect(jumpTarget(ops[slot + 1]!, slot + 1)).toBe(last + 1);
        }
      }),
      seeded(8),
    );
    expect(far).toBeGreaterThan(0);
  });

  it('which link alone does not do', () => {
    const items: Item[] = [
      jump(0, 'jmp', false),
      ...Array.from({ length: 40_000 }, () => filler(0)),
      label('L0'),
    ];
    expect(() => link(items)).toThrow(InputError);
    expect(link(withinReach(items).items).insns.length).toBe(40_003);
  });

  it('and leaves short ones alone', () => {
    const items: Item[] = [jump(0, 'jmp', false), filler(1), label('L0'), { kind: 'exit' }];
    expect(withinReach(items).items).toEqual(items);
  });
});
