/** Programs whose shape alone is bad: jumps out of bounds, code that nothing leads to, calls of what is no function. Linux refuses each as we do. */
import { describe, expect, it } from 'vitest';
import { callHelper, exit, mov, r0 } from '../../src/isa/build.js';
import type { Op } from '../../src/isa/insn.js';
import type { Program } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import { verify } from '../../src/verifier/verify.js';
import { programOf } from '../support/kernel/programs.js';
import { describeKernel } from '../support/kernel/skip.js';

const done: Op[] = [mov(r0, 0), exit()];
const ja = (off: number): Op => ({ kind: 'ja', off, wide: false }) as unknown as Op;
const jeq = (off: number): Op => ({ kind: 'jmp', op: 'eq', width: 64, dst: 1, src: { imm: 0 }, off });
const callAt = (imm: number): Op => ({ kind: 'call', target: 'subprog', imm }) as unknown as Op;
const funcAt = (imm: number): Op => ({ kind: 'ld_imm64', dst: 2, as: 'func', imm, hi: 0 });
const longOne: Op = { kind: 'ld_imm64', dst: 0, as: 'imm', imm: 0, hi: 0 };

function shaped(ops: readonly Op[], starts: readonly number[] = [0]): Program {
  const program = programOf('xdp', ops);
  const names = starts.map((start) => ({
    name: start === 0 ? 'main' : `f${start}`,
    start,
    linkage: start === 0 ? ('global' as const) : ('static' as const),
  }));
  return { ...program, subprogs: names };
}

/** Undefined: the shape is good. */
const SHAPES: Readonly<Record<string, readonly [Program, RegExp | undefined]>> = {
  'a jump over the end': [shaped([jeq(2), ...done]), /jump out of range/],
  'a jump to the last insn': [shaped([jeq(1), ...done]), undefined],
  'a jump before the start': [shaped([jeq(-2), ...done]), /jump out of range/],
  'a jump to the start': [shaped([mov(r0, 0), jeq(-2), exit()]), undefined],
  'a jump into a long insn': [shaped([jeq(1), longOne, exit()]), /into the middle of ldimm64/],
  'a jump over a long insn': [shaped([mov(r0, 0), jeq(2), longOne, exit()]), undefined],
  'a jump into another function': [
    shaped([callAt(2), ...done, jeq(-2), ...done], [0, 3]),
    /jump out of range/,
  ],
  'a jump out of the function before': [
    shaped([jeq(3), callAt(1), exit(), mov(r0, 0), exit()], [0, 3]),
    /jump out of range/,
  ],
  'an end that is a branch': [shaped([mov(r0, 0), jeq(-2)]), /last insn is not an exit or jmp/],
  'an end that is a call': [shaped([callHelper(7)]), /last insn is not an exit or jmp/],
  'an end that is a jump': [shaped([mov(r0, 0), ja(1), exit(), ja(-2)]), undefined],
  'a function that falls into the next': [
    shaped([callAt(2), ...done, mov(r0, 0), mov(r0, 1), exit()], [0, 3, 4]),
    /last insn is not an exit or jmp/,
  ],
  'a function that branches into the next': [
    shaped([callAt(2), ...done, mov(r0, 0), jeq(-2), mov(r0, 0), exit()], [0, 3, 5]),
    /last insn is not an exit or jmp/,
  ],
  'code behind an exit': [shaped([...done, mov(r0, 0), exit()]), /unreachable insn 2/],
  'code behind a jump': [shaped([mov(r0, 0), ja(1), mov(r0, 1), exit()]), /unreachable insn 2/],
};

const named = Object.entries(SHAPES).map(([name, [program, message]]) => [name, program, message] as const);

/** A jump to the start and such may still loop for ever; what counts is whether the shape is what is wrong. */
const refusedForShape = (program: Program): string => {
  const verdict = verify(program, { budget: 5_000 });
  return !verdict.ok && /jump|last insn|unreachable|middle/.test(verdict.message) ? verdict.message : '';
};

describe('a bad shape is refused', () => {
  it.each(named)('%s', (_, program, message) => {
    if (message === undefined) expect(refusedForShape(program)).toBe('');
    else expect(refusedForShape(program)).toMatch(message);
  });

  it('a call of what is no function, and an address of what is none', () => {
    expect(refusedForShapeOf(shaped([callAt(1), ...done], [0]))).toMatch(/call to invalid destination/);
    expect(refusedForShapeOf(shaped([funcAt(1), ...done], [0]))).toMatch(
      /callback address is not the start of a subprogram/,
    );
    expect(refusedForShapeOf(shaped([funcAt(3), ...done, mov(r0, 0), exit()], [0, 4]))).toBe('');
    expect(verify({ ...shaped(done), insns: [] })).toMatchObject({ ok: false, message: 'empty program' });
  });
});

function refusedForShapeOf(program: Program): string {
  const verdict = verify(program);
  return verdict.ok ? '' : verdict.message;
}

describeKernel('Linux refuses it too', () => {
  it.each(named.filter(([, , message]) => message !== undefined))('%s', (_, program) => {
    const loaded = loadProgram(program);
    if (loaded.ok) loaded.close();
    expect(loaded.ok).toBe(false);
  });
});
