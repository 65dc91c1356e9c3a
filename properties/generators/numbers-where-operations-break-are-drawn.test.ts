/**
 * Straight programs, which run in the kernel and in the VM, have as immediate numbers those where an operation of some width breaks: 0 and what is next to it,
 * the width itself and its neighbours as the count of a shift, and the ends of signed and unsigned numbers of 8, 16 and 32 bits.
 */
import { expect, it } from 'vitest';
import { straightProgram } from '../../generators/straight/program.js';
import { decodeAll } from '../../src/isa/decode.js';

const ENDS = [8, 16, 32].flatMap((bits) => [2 ** (bits - 1) - 1, -(2 ** (bits - 1))]);
const WANTED = [0, 1, -1, 2, 3, 7, 31, 32, 33, 63, 64, 127, 128, 255, 256, 0x8000, 0xffff, ...ENDS];

it('numbers where operations break are drawn', () => {
  const drawn = new Set<number>();
  for (let index = 0; index < 250; index++)
    for (const op of decodeAll(straightProgram(5, index, ['tc', 'xdp']).insns))
      if ((op?.kind === 'mov' || op?.kind === 'alu') && 'imm' in op.src) drawn.add(op.src.imm);
  expect(WANTED.filter((number) => !drawn.has(number))).toEqual([]);
});
