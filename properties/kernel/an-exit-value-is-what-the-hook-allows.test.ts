/** What a program may return is up to what it is attached to, in a run as in a verification. */
import { expect, it } from 'vitest';
import type { Program } from '../../src/object/program.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { Vm } from '../../src/vm/vm.js';

/** BPF_CGROUP_INET4_BIND, BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_UDP4_RECVMSG of enum bpf_attach_type. */
const HOOKS = [8, 10, 19];

function returning(value: number, type: number): Program {
  const { program } = parseCase(
    `.type cgroup_sock_addr\nmain:\n    r0 = ${value}\n    exit\n`,
    'returning.bpf',
  );
  return { ...program, attach: { type } };
}

const broken = (program: Program): readonly string[] =>
  new Vm(program).run().violations.map(({ check }) => check);

it('differs between the hooks of a type', () => {
  const allowed = HOOKS.map((type) =>
    [-1, 0, 1, 2, 3, 4].filter((value) => {
      const program = returning(value, type);
      const { ok } = verify(program);
      expect([type, value, broken(program)]).toEqual([type, value, ok ? [] : ['return']]);
      return ok;
    }),
  );
  expect(allowed).toEqual([[0, 1, 2, 3], [0, 1], [1]]);
});

it('is looked at from both ends: a number that is not known must lie in the range whole', () => {
  const ranging = (from: number, mask: number): Program => {
    const text = `.type cgroup_sock_addr\nmain:\n    call bpf_get_prandom_u32\n    r0 &= ${mask}\n    r0 += ${from}\n    exit\n`;
    return { ...parseCase(text).program, attach: { type: 8 } };
  };
  const allowed = [-1, 0, 1, 2, 3].flatMap((from) =>
    [0, 1, 3, 7].filter((mask) => verify(ranging(from, mask)).ok).map((mask) => [from, from + mask]),
  );
  expect(allowed).toEqual([
    [0, 0],
    [0, 1],
    [0, 3],
    [1, 1],
    [1, 2],
    [2, 2],
    [2, 3],
    [3, 3],
  ]);
});
