/**
 * Types of the pointer that a global function takes: which of them stand for the context, and which for memory, is for their names to say
 * (btf_is_prog_ctx_type). Each function is passed the context of the program, and memory on the stack.
 */
import { add, mov, r1, r10, st } from '../../../src/isa/build.js';
import type { Op } from '../../../src/isa/insn.js';
import { progType } from '../../../src/kernel/progtypes.js';
import type { BtfType } from '../../../src/object/btf/types.js';
import type { Program, ProgType } from '../../../src/object/program.js';
import { attachFor } from '../kernel/programs.js';
import { INT, layOut } from '../objects/types.js';
import { type Family, family } from './family.js';
import { callingGlobal, FIRST } from './global-function.js';

const TYPES: readonly ProgType[] = [
  'socket_filter',
  'tc',
  'xdp',
  'sk_msg',
  'sk_skb',
  'sk_lookup',
  'sock_ops',
  'cgroup_skb',
  'cgroup_sock',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'cgroup_sysctl',
  'cgroup_device',
  'flow_dissector',
  'netfilter',
  'kprobe',
  'perf_event',
  'tracepoint',
  'raw_tracepoint',
  'raw_tracepoint_writable',
];

/** Names of structs that some program type calls its context, or might. */
const NAMES = [
  'xdp_buff',
  'sk_buff',
  'pt_regs',
  'user_regs_struct',
  'bpf_user_pt_regs_t',
  'bpf_perf_event_data',
  '__sk_buff',
  'xdp_md',
];

/** Id of what the parameter points to. */
const POINTEE = FIRST + 1;

interface Shape {
  readonly name: string;
  /** From id 7 on; the first is what the pointer points to. */
  readonly types: (context: string) => readonly BtfType[];
}

const struct = (name: string): BtfType => layOut(name, [{ name: 'first', type: 1, size: 4 }]);
const union = (name: string): BtfType => ({
  kind: 'union',
  name,
  size: 4,
  members: [{ name: 'first', type: 1, bitOffset: 0, bitSize: 0 }],
});
const behind = POINTEE + 1;

const SHAPES: readonly Shape[] = [
  { name: 'the struct', types: (context) => [struct(context)] },
  { name: 'a flavour of the struct', types: (context) => [struct(`${context}___mine`)] },
  { name: 'a union', types: (context) => [union(context)] },
  { name: 'const', types: (context) => [{ kind: 'const', type: behind }, struct(context)] },
  { name: 'volatile', types: (context) => [{ kind: 'volatile', type: behind }, struct(context)] },
  {
    name: 'a typedef of another name',
    types: (context) => [{ kind: 'typedef', name: 'mine', type: behind }, struct(context)],
  },
  {
    name: 'a typedef of that name',
    types: (context) => [{ kind: 'typedef', name: context, type: behind }, struct('mine')],
  },
  {
    name: 'a const typedef of that name',
    types: (context) => [
      { kind: 'const', type: behind },
      { kind: 'typedef', name: context, type: behind + 1 },
      struct('mine'),
    ],
  },
  {
    name: 'a typedef of bpf_user_pt_regs_t',
    types: () => [
      { kind: 'typedef', name: 'mine', type: behind },
      { kind: 'typedef', name: 'bpf_user_pt_regs_t', type: behind + 1 },
      struct('other'),
    ],
  },
  {
    name: 'a typedef of bpf_user_pt_regs_t, an int',
    types: () => [{ kind: 'typedef', name: 'bpf_user_pt_regs_t', type: 1 }],
  },
  { name: 'a declared struct', types: (context) => [{ kind: 'fwd', name: context, of: 'struct' }] },
  { name: 'a struct without a name', types: () => [struct('')] },
  { name: 'int', types: () => [INT] },
  {
    name: 'u64',
    types: () => [{ kind: 'int', name: 'u64', size: 8, bits: 64, bitOffset: 0, encoding: 'unsigned' }],
  },
  { name: 'const void', types: () => [{ kind: 'const', type: 0 }] },
  ...NAMES.map((name): Shape => ({ name: `struct ${name}`, types: () => [struct(name)] })),
];

const TAGGED = 'the context, tagged';
const PASSED: Readonly<Record<string, readonly Op[]>> = {
  'the context': [],
  [TAGGED]: [],
  'the stack': [st(8, r10, -8, 0), mov(r1, r10), add(r1, -8)],
};

function build(type: ProgType, { types }: Shape, passed: string): Program {
  return {
    ...callingGlobal(type, {
      types: [{ kind: 'ptr', type: POINTEE }, ...types(progType(type).struct ?? 'nothing')],
      tags: passed === TAGGED ? ['ctx'] : [],
      before: () => PASSED[passed]!,
    }),
    ...attachFor(type),
  };
}

export const contextParameters: Family = family(
  'context-parameters',
  TYPES.flatMap((type) => SHAPES.map((shape) => ({ name: `${type}: ${shape.name}`, type, shape }))),
  Object.keys(PASSED),
  ({ type, shape }, passed) => build(type, shape, passed),
);
