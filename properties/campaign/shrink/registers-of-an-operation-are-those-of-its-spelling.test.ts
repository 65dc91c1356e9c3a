/**
 * Shrinking asks which registers an operation names, which one it sets, and puts one in place of another where it is read. All of that shows in the
 * operation as it is spelled: for every encoding, whatever its registers are.
 */
import { expect, it } from 'vitest';
import { definedRegister, registersOf, substituteReads } from '../../../src/campaign/shrink/registers.js';
import { formatOp } from '../../../src/isa/disassemble.js';
import type { Op } from '../../../src/isa/insn.js';
import { ENCODINGS, type Field } from '../../support/isa/encodings.js';

const oneOf = (field: Field, reg: number): number =>
  field === 'reg' ? reg : field === 'any' ? 0 : typeof field === 'number' ? field : field[0]!;

/** Every operation that there is, with these registers where it has any. */
const opsWith = (dst: number, src: number): readonly Op[] =>
  ENCODINGS.map((row) => {
    const insn = {
      opcode: row.opcode,
      dst: oneOf(row.dst, dst),
      src: oneOf(row.src, src),
      off: oneOf(row.off, 0),
      imm: oneOf(row.imm, 0),
    };
    return row.op(insn, { opcode: 0, dst: 0, src: 0, off: 0, imm: 0 });
  });

const PAIRS = [6, 7].flatMap((dst) => [6, 7].map((src) => opsWith(dst, src))).flat();
const spelled = (op: Op): string => formatOp(op);
const inText = (text: string): readonly number[] =>
  [...new Set([...text.matchAll(/\b[rw](\d+)\b/g)].map((match) => Number(match[1])))]
    .filter((reg) => reg > 0)
    .sort();

it('the registers that it names', () => {
  for (const op of PAIRS)
    expect([spelled(op), [...new Set(registersOf(op))].filter((reg) => reg > 0).sort()]).toEqual([
      spelled(op),
      inText(spelled(op)),
    ]);
});

/** `r6 = ...`, `w6 += ...`: the register, how it is set, and from what. */
const SETS = /^[rw](\d+) ((?:s?[-+*/%|&^]|<<|>>|s>>)?=) (.*)$/;
/** What shrinking does not look into: they do more than to set a register, or are rare. */
const LEFT_ALONE: readonly Op['kind'][] = ['atomic', 'ld_packet', 'neg', 'end', 'addr_space_cast', 'call'];

it('the register that it sets', () => {
  for (const op of PAIRS) {
    const [, reg, how, from] = SETS.exec(spelled(op)) ?? [];
    const plain =
      op.kind !== 'load_acquire' &&
      !LEFT_ALONE.includes(op.kind) &&
      (how === '=' || !/[rw]\d/.test(from ?? 'r'));
    expect([spelled(op), definedRegister(op)]).toEqual([
      spelled(op),
      reg === undefined || !plain ? undefined : Number(reg),
    ]);
  }
});

it('another register where it reads one', () => {
  for (const op of PAIRS) {
    const text = spelled(op);
    const [, reg, how, from] = SETS.exec(text) ?? [];
    const renamed = (part: string): string => part.replace(/\b([rw])6\b/g, (_, kind: string) => `${kind}3`);
    const expected = LEFT_ALONE.includes(op.kind)
      ? text
      : reg === undefined
        ? renamed(text)
        : `${text.slice(0, text.indexOf(' '))} ${how} ${renamed(from!)}`;
    expect(spelled(substituteReads(op, 6, 3))).toBe(expected);
  }
});
