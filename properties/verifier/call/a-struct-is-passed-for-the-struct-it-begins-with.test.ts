/**
 * Where a function wants a struct, a pointer to the start of a struct that begins with it will do, and none to any other place (btf_struct_ids_match of
 * Linux). The outer struct comes as a trusted argument of a made-up tracepoint, and moved; the types of the kernel tell of no struct inside another.
 */
import { expect, it } from 'vitest';
import { add, callKfunc, exit, ldx, mov, r0, r1, r2, r6 } from '../../../src/isa/build.js';
import type { Item } from '../../../src/isa/label.js';
import type { KernelTypes, Program } from '../../../src/object/program.js';
import { verify } from '../../../src/verifier/verify.js';
import { programOf } from '../../support/kernel/programs.js';

/** What is wanted: a kfunc of that argument, and the arguments besides. */
const WANTED: Readonly<Record<string, readonly [kfunc: string, more: readonly Item[]]>> = {
  cpumask: ['bpf_cpumask_first', []],
  cgroup_subsys_state: ['css_rstat_flush', []],
  sock_common: ['bpf_sock_destroy', []],
  bpf_cpumask: ['bpf_cpumask_setall', []],
  task_struct: ['bpf_task_under_cgroup', [ldx(8, r2, r6, 8)]],
};

/** What is passed, and for what it may stand. */
const PASSED: Readonly<Record<string, readonly string[]>> = {
  cpumask: ['cpumask'],
  bpf_cpumask: ['cpumask', 'bpf_cpumask'],
  cgroup: ['cgroup_subsys_state'],
  cgroup_subsys_state: ['cgroup_subsys_state'],
  sock_common: ['sock_common'],
  sock: ['sock_common'],
  tcp_sock: ['sock_common'],
  tcp6_sock: ['sock_common'],
  udp6_sock: ['sock_common'],
  unix_sock: ['sock_common'],
  tcp_request_sock: ['sock_common'],
  tcp_timewait_sock: ['sock_common'],
  task_struct: ['task_struct'],
  css_set: [],
};

const types = (struct: string): KernelTypes => ({
  has: () => true,
  nameOf: () => undefined,
  variable: () => undefined,
  holds: () => false,
  member: () => undefined,
  access: () => ({ kind: 'scalar' }),
  arguments: () =>
    [struct, 'cgroup'].map((to) => ({ kind: 'pointer', to, trust: 'trusted', nullable: false })),
});

function passing(struct: string, wanted: string, moved: number, known: boolean): Program {
  const [kfunc, more] = WANTED[wanted]!;
  const items = [
    mov(r6, r1),
    ...more,
    ldx(8, r1, r6, 0),
    ...(moved === 0 ? [] : [add(r1, moved)]),
    callKfunc(0),
    mov(r0, 0),
    exit(),
  ];
  // Iterators are handed trusted pointers as tracepoints are, and their programs may call what sleeps.
  const program = programOf('iter', items, { kfuncs: [kfunc] });
  return {
    ...program,
    sleepable: true,
    attach: { type: 28, target: 'made_up' },
    kernelTypes: { ...types(struct), has: () => known },
  };
}

it('at its start and nowhere else', () => {
  for (const [struct, expected] of Object.entries(PASSED)) {
    const taken = (moved: number): readonly string[] =>
      Object.keys(WANTED).filter(
        (wanted) => verify(passing(struct, wanted, moved, true), { facts: false }).ok,
      );
    expect([struct, ...taken(0)]).toEqual([struct, ...expected]);
    expect([struct, ...taken(8)]).toEqual([struct]);
    expect([struct, ...taken(-8)]).toEqual([struct]);
  }
});
