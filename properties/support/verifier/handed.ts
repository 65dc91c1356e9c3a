/** Every kind of pointer handed to a global function, which says by the type and the tags of its parameter what it takes. */
import { add, callSub, exit, mov, r0, r1, r6 } from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { BtfType } from '../../../src/object/btf/types.js';
import type { Program } from '../../../src/object/program.js';
import { INT, layOut } from '../objects/types.js';
import { type Family, family, small } from './family.js';
import { FIRST, withFunction } from './global-function.js';
import { POINTERS, type Pointer, usingPointer } from './pointers.js';
import { RARE_POINTERS } from './rare-pointers.js';

/** Id of what the parameter points to. */
const POINTEE = FIRST + 1;
const struct = (name: string, members = 1): BtfType =>
  layOut(
    name,
    Array.from({ length: members }, (_, i) => ({ name: `m${i}`, type: 1, size: 4 })),
  );

const PARAMS: Readonly<Record<string, readonly [pointee: BtfType | undefined, ...tags: readonly string[]]>> =
  {
    'a number': [undefined],
    'the context': [struct('handed_context'), 'ctx'],
    'memory of 4 bytes': [INT],
    'memory of 4 bytes, not NULL': [INT, 'nonnull'],
    'memory of 24 bytes, not NULL': [struct('handed_memory', 6), 'nonnull'],
    'memory of 28 bytes, not NULL': [struct('handed_more', 7), 'nonnull'],
    'a dynptr': [struct('bpf_dynptr')],
    'a trusted task': [struct('task_struct'), 'trusted'],
    'a trusted task or NULL': [struct('task_struct'), 'trusted', 'nullable'],
    'an untrusted task': [struct('task_struct'), 'untrusted'],
    'a trusted file': [struct('file'), 'trusted'],
  };

/** What is done to the pointer before. */
const MOVES: Readonly<Record<string, readonly Item[]>> = {
  '': [],
  ', moved': [add(r1, 4)],
  ', moved and back': [add(r1, 8), add(r1, -8)],
};

const built = (pointer: Pointer, param: string, move: string): Program => {
  const [pointee, ...tags] = PARAMS[param]!;
  const made = small(pointer.type, { globals: ['f'] }, (n) => [
    ...usingPointer(pointer, n, [], [mov(r1, r6), ...MOVES[move]!, callSub('f')]),
    label('f'),
    mov(r0, 0),
    exit(),
  ]);
  const types: readonly BtfType[] = pointee === undefined ? [INT] : [{ kind: 'ptr', type: POINTEE }, pointee];
  return {
    ...withFunction(made, { types, tags }),
    ...(pointer.type === 'syscall' ? { sleepable: true } : {}),
  };
};

/** Programs with a BTF of their own have no objects of their own, and no fields of maps that BTF tells of. */
const isPlain = ({ name, inner, functions }: Pointer): boolean =>
  inner === undefined &&
  functions === undefined &&
  !/object|node|list|tree|lock|timer|kptr|keeps|kept|counts|storage/.test(name);

/** Every pointer, every parameter. */
export const handed: Family = family<Pointer>(
  'handed',
  [...POINTERS, ...RARE_POINTERS].filter(isPlain),
  Object.keys(PARAMS).flatMap((param) => Object.keys(MOVES).map((move) => `${param}${move}`)),
  (pointer, column) => {
    const move = Object.keys(MOVES).findLast((each) => column.endsWith(each))!;
    return built(pointer, column.slice(0, column.length - move.length), move);
  },
  (_, column) => column.startsWith('memory of 4'),
);
