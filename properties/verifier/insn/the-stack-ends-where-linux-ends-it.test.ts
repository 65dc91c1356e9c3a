/** Stores and loads of every size around both ends of the stack, at fixed offsets, by registers, and at variable ones: judged as by Linux. */
import { describe, expect, it } from 'vitest';
import { add, and, callHelper, exit, ldx, mov, r0, r7, r8, r10, st } from '../../../src/isa/build.js';
import type { Op, Size } from '../../../src/isa/insn.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { verify } from '../../../src/verifier/verify.js';
import { programOf } from '../../support/kernel/programs.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';

const STACK_SIZE = 512;
const done: Op[] = [mov(r0, 0), exit()];

/** How r7 comes to point to `off`, of which the bits of `unknown` are added. */
const WAYS: Readonly<Record<string, (off: number, unknown: number) => Op[]>> = {
  'in the insn': () => [mov(r7, r10)],
  'by a constant': (off) => [mov(r7, r10), add(r7, off)],
  'by a register': (off) => [mov(r7, r10), mov(r8, off), add(r7, r8)],
  'by what is not known': (off, unknown) => [
    callHelper(7),
    and(r0, unknown),
    mov(r7, r10),
    add(r7, off),
    add(r7, r0),
  ],
};

interface Asked {
  readonly name: string;
  readonly ops: readonly Op[];
  readonly isInside: boolean;
}

const asked: readonly Asked[] = Object.entries(WAYS).flatMap(([way, make]) =>
  ([1, 2, 4, 8] as const satisfies readonly Size[]).flatMap((size) =>
    [-STACK_SIZE - 8, -STACK_SIZE - size, -STACK_SIZE, -STACK_SIZE + 8, -16, -8, -size, 0, 8].flatMap(
      (off) => {
        const unknown = way === 'by what is not known' ? 8 : 0;
        const inInsn = way === 'in the insn' ? off : 0;
        const isInside = off >= -STACK_SIZE && off + unknown + size <= 0;
        return [st(size, r7, inInsn, 1), ldx(size, r0, r7, inInsn)].map((op) => ({
          name: `${op.kind} of ${size} at fp${off}${unknown === 0 ? '' : `+(x & ${unknown})`}, ${way}`,
          ops: [...make(off, unknown), op, ...done],
          isInside,
        }));
      },
    ),
  ),
);

describe('the stack ends', () => {
  it('at its top and at 512 bytes, whatever the size and however the address was made', () => {
    const wrong = asked.filter(({ ops, isInside }) => verify(programOf('xdp', ops)).ok !== isInside);
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});

describeKnownKernel('Linux ends it there too', () => {
  it('in each of those programs', () => {
    const wrong = asked.filter(({ ops, isInside }) => {
      const loaded = loadProgram(programOf('xdp', ops));
      if (loaded.ok) loaded.close();
      return loaded.ok !== isInside;
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });
});
