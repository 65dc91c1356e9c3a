/**
 * Programs may be in one map of programs, and enter each other, if they are of one type, all with packets in fragments or none, and, where the type goes
 * by what it attaches to, attached to one function. It is so both ways, and a program may always enter itself.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROG_TYPES, type Program } from '../../src/object/program.js';
import { mayEnter } from '../../src/object/program-arrays.js';
import { seeded } from '../support/seed.js';

const program = (part: Partial<Program>): Program => ({
  name: 'p',
  type: 'xdp',
  insns: [],
  maps: [],
  kfuncs: [],
  subprogs: [],
  localTypes: [],
  ...part,
});

/** Types whose programs are compared by their function: in Linux BPF_PROG_TYPE_TRACING, LSM, EXT and STRUCT_OPS. */
const BY_FUNCTION = ['tp_btf', 'iter', 'fentry', 'lsm', 'struct_ops'];

const PROGRAM = fc
  .record({
    type: fc.constantFrom(...PROG_TYPES),
    section: fc.constantFrom('xdp', 'xdp.frags', 'xdp.frags/cpumap', '?xdp.frags', 'xdp.fragsx'),
    target: fc.constantFrom('f', 'g'),
    sleepable: fc.boolean(),
  })
  .map(({ target, ...rest }) => program({ ...rest, attach: { type: 1, target } }));

describe('a tail call enters programs that may share its map', () => {
  it('whatever the two are', () => {
    fc.assert(
      fc.property(PROGRAM, PROGRAM, (a, b) => {
        const frags = ({ section }: Program): boolean =>
          ['xdp.frags', 'xdp.frags/cpumap', '?xdp.frags'].includes(section!);
        const may =
          a.type === b.type &&
          frags(a) === frags(b) &&
          (a.attach!.target === b.attach!.target || !BY_FUNCTION.includes(a.type));
        expect(mayEnter(a, b)).toBe(may);
        expect(mayEnter(b, a)).toBe(may);
        expect(mayEnter(a, a)).toBe(true);
      }),
      seeded(2000),
    );
    // Each of the three alone keeps two programs apart, and neither sleeping nor the attach type does.
    expect(mayEnter(program({}), program({ type: 'tc' }))).toBe(false);
    expect(mayEnter(program({ section: 'xdp' }), program({ section: 'xdp.frags' }))).toBe(false);
    const lsm = (target: string): Program => program({ type: 'lsm', attach: { type: 27, target } });
    expect(mayEnter(lsm('f'), lsm('g'))).toBe(false);
    expect(mayEnter(program({ attach: { type: 33 } }), program({ sleepable: true }))).toBe(true);
  });
});
