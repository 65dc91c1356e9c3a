/** Global functions that take several pointers, each of which may be NULL: which is checked, and which is read. */
import { exit, jmp, ldx, mov, r0, r1, r2, r3, r4, r10, registers, st } from '../../../src/isa/build.js';
import type { Op } from '../../../src/isa/insn.js';
import { type Family, family } from './family.js';
import { callingGlobal, FIRST } from './global-function.js';

/** Leaves the function where the register is NULL. */
const check = (n: number): Op[] => [jmp('ne', registers[n]!, 0, 2), mov(r0, 0), exit()];
const read = (n: number): Op[] => [ldx(4, r0, registers[n]!, 0)];

const CHECKS: Readonly<Record<string, readonly Op[]>> = {
  none: [],
  'the first': check(1),
  'the second': check(2),
  'the third': check(3),
  'the first and the third': [...check(1), ...check(3)],
  'the second, then the first': [...check(2), ...check(1)],
  'a copy of the first': [mov(r4, r1), ...check(4)],
  'a copy of the second, in its place': [mov(r4, r2), mov(r2, r1), ...check(4)],
  all: [...check(1), ...check(2), ...check(3)],
};

const READS: Readonly<Record<string, readonly Op[]>> = {
  'the first': read(1),
  'the second': read(2),
  'the third': read(3),
  'the first and the second': [...read(1), ...read(2)],
  'the second and the third': [...read(2), ...read(3)],
};

export const severalParameters: Family = family(
  'several-parameters',
  Object.keys(CHECKS).map((name) => ({ name })),
  Object.keys(READS),
  ({ name }, column) =>
    callingGlobal('tc', {
      types: [{ kind: 'ptr', type: 1 }],
      params: [FIRST, FIRST, FIRST],
      before: () => [st(8, r10, -8, 0), ...[r1, r2, r3].flatMap((reg) => [mov(reg, r10), ...addTo(reg.reg)])],
      body: [...CHECKS[name]!, ...READS[column]!, mov(r0, 0)],
    }),
);

/** Eight bytes below the frame pointer. */
function addTo(reg: number): Op[] {
  return [{ kind: 'alu', op: 'add', width: 64, dst: reg, src: { imm: -8 } }];
}
