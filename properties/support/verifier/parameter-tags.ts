/**
 * Parameters of a global function: each kind of type with each tag (`arg:`), passed each kind of value. Which of them Linux knows, how it takes
 * them, and what it refuses to take follow btf_prepare_func_args and btf_check_func_arg_match. The kernel remembers by name alone, not by kind,
 * whether it has a type (check_cand_cache): no name stands here for two kinds of types that it may be asked for.
 */
import { add, mov, r0, r1, r2, r3, r4, r5, r10, st } from '../../../src/isa/build.js';
import type { Op } from '../../../src/isa/insn.js';
import type { BtfType } from '../../../src/object/btf/types.js';
import type { KernelTypes, Program, ProgType } from '../../../src/object/program.js';
import type { Names } from '../kernel/case.js';
import { INT, layOut } from '../objects/types.js';
import { type Family, family } from './family.js';
import { callingGlobal, FIRST } from './global-function.js';

/** Id of what a pointer points to. */
const next = FIRST + 1;

const pointerTo = (...types: readonly BtfType[]): readonly BtfType[] => [
  { kind: 'ptr', type: next },
  ...types,
];
const numbers = (name: string): BtfType => layOut(name, [{ name: 'first', type: 1, size: 4 }]);

const SHAPES: Readonly<Record<string, readonly BtfType[]>> = {
  int: [INT],
  'long long': [{ kind: 'int', name: 'long long', size: 8, bits: 64, bitOffset: 0, encoding: 'signed' }],
  enum: [{ kind: 'enum', name: 'my_enum', size: 4, signed: false, values: [{ name: 'E', value: 1 }] }],
  'a typedef of int': [{ kind: 'typedef', name: 't', type: 1 }],
  'const int': [{ kind: 'const', type: 1 }],
  float: [{ kind: 'float', name: 'float', size: 4 }],
  'a struct': [numbers('my_numbers')],
  'int *': [{ kind: 'ptr', type: 1 }],
  'const int *': pointerTo({ kind: 'const', type: 1 }),
  'a const pointer': [
    { kind: 'const', type: next },
    { kind: 'ptr', type: 1 },
  ],
  'char *': pointerTo({ kind: 'int', name: 'char', size: 1, bits: 8, bitOffset: 0, encoding: 'signed' }),
  'void *': [{ kind: 'ptr', type: 0 }],
  'const void *': pointerTo({ kind: 'const', type: 0 }),
  'int **': pointerTo({ kind: 'ptr', type: 1 }),
  'int (*)[2]': pointerTo({ kind: 'array', element: 1, index: 1, count: 2 }),
  'int (*)[0]': pointerTo({ kind: 'array', element: 1, index: 1, count: 0 }),
  'a function pointer': pointerTo({ kind: 'func_proto', returns: 1, params: [] }),
  'enum *': pointerTo({
    kind: 'enum',
    name: 'my_enum',
    size: 4,
    signed: false,
    values: [{ name: 'E', value: 1 }],
  }),
  'float *': pointerTo({ kind: 'float', name: 'float', size: 4 }),
  'struct *': pointerTo(numbers('my_numbers')),
  'an empty struct *': pointerTo(layOut('my_nothing', [])),
  'a declared struct *': pointerTo({ kind: 'fwd', name: 'my_declared', of: 'struct' }),
  'union *': pointerTo({
    kind: 'union',
    name: 'my_union',
    size: 4,
    members: [{ name: 'first', type: 1, bitOffset: 0, bitSize: 0 }],
  }),
  'struct bpf_dynptr *': pointerTo(numbers('bpf_dynptr')),
  'union bpf_dynptr *': pointerTo({
    kind: 'union',
    name: 'bpf_dynptr',
    size: 4,
    members: [{ name: 'first', type: 1, bitOffset: 0, bitSize: 0 }],
  }),
  'struct task_struct *': pointerTo(numbers('task_struct')),
  'a declared struct bpf_dynptr *': pointerTo({ kind: 'fwd', name: 'bpf_dynptr', of: 'struct' }),
  'a declared union bpf_dynptr *': pointerTo({ kind: 'fwd', name: 'bpf_dynptr', of: 'union' }),
  'a declared struct fs_struct *': pointerTo({ kind: 'fwd', name: 'fs_struct', of: 'struct' }),
  'struct task_struct___mine *': pointerTo(numbers('task_struct___mine')),
  'union uts_namespace *': pointerTo({
    kind: 'union',
    name: 'uts_namespace',
    size: 4,
    members: [{ name: 'first', type: 1, bitOffset: 0, bitSize: 0 }],
  }),
};

const TAGS: readonly (readonly string[])[] = [
  [],
  ['ctx'],
  ['nonnull'],
  ['nullable'],
  ['trusted'],
  ['untrusted'],
  ['trusted', 'nullable'],
  ['trusted', 'nonnull'],
  ['untrusted', 'nullable'],
  ['untrusted', 'nonnull'],
  ['ctx', 'nonnull'],
  ['nullable', 'nonnull'],
  ['other'],
];

const DYNPTR = 'a dynptr';
const PASSED: Readonly<Record<string, (names: Names) => readonly Op[]>> = {
  'the context': () => [],
  'the stack': () => [st(8, r10, -8, 0), mov(r1, r10), add(r1, -8)],
  'stack not written': () => [mov(r1, r10), add(r1, -8)],
  'the end of the stack': () => [st(4, r10, -4, 0), mov(r1, r10), add(r1, -4)],
  NULL: () => [mov(r1, 0)],
  'a number': () => [mov(r1, 1)],
  'the frame pointer': () => [mov(r1, r10)],
  [DYNPTR]: ({ kfunc }) => [
    mov(r2, 0),
    mov(r3, r10),
    add(r3, -16),
    kfunc('bpf_dynptr_from_skb'),
    mov(r1, r10),
    add(r1, -16),
  ],
};

function build(
  type: ProgType,
  shape: readonly BtfType[],
  tags: readonly string[],
  passed: string,
): Program | undefined {
  if (passed === DYNPTR && type !== 'tc') return undefined;
  return {
    ...callingGlobal(type, { types: shape, tags, before: PASSED[passed]! }),
    ...(type === 'syscall' ? { sleepable: true } : {}),
    // What the kernel has, as far as it is asked here.
    kernelTypes: { has: (struct: string) => struct === 'task_struct' } as unknown as KernelTypes,
  };
}

export const parameterTags: Family = family(
  'parameter-tags',
  (['tc', 'kprobe', 'syscall'] as const).flatMap((type) =>
    Object.entries(SHAPES).flatMap(([name, shape]) =>
      TAGS.map((tags) => ({
        name: `${type}: ${name}${tags.map((tag) => ` ${tag}`).join('')}`,
        type,
        shape,
        tags,
      })),
    ),
  ),
  Object.keys(PASSED),
  ({ type, shape, tags }, passed) => build(type, shape, tags, passed),
  ({ type }) => type === 'tc',
);

/** The body of the function, and what is done with its result. */
const RETURNED: Readonly<Record<string, readonly [body: readonly Op[], after: readonly Op[]]>> = {
  'a number': [[mov(r0, 0)], [mov(r0, 0)]],
  'a number, which is returned': [[mov(r0, 0)], []],
  nothing: [[], [mov(r0, 0)]],
  'the context': [[mov(r0, r1)], [mov(r0, 0)]],
  'its stack': [[mov(r0, r10)], [mov(r0, 0)]],
};

function returning(shape: readonly BtfType[], params: number, returned: string): Program {
  const [body, after] = RETURNED[returned]!;
  const ctx = FIRST + shape.length;
  return callingGlobal('tc', {
    types: [...shape, numbers('__sk_buff'), { kind: 'ptr', type: ctx }],
    params: Array.from({ length: params }, (_, i) => (i === 0 ? ctx + 1 : 1)),
    returns: shape.length === 0 ? 0 : FIRST,
    before: () => [mov(r2, 0), mov(r3, 0), mov(r4, 0), mov(r5, 0)],
    body,
    after,
  });
}

/** What a global function returns, by its type, and how many parameters it has. */
export const globalResults: Family = family(
  'global-results',
  Object.entries({ ...SHAPES, void: [] }).flatMap(([name, shape]) =>
    [1, 5, 6].map((params) => ({ name: `${name}, ${params} parameters`, shape, params })),
  ),
  Object.keys(RETURNED),
  ({ shape, params }, returned) => returning(shape, params, returned),
);
