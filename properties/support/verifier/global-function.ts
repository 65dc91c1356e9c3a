/** A program that calls a global function `f`, with BTF that says what `f` takes and returns. */
import { callSub, exit, mov, r0 } from '../../../src/isa/build.js';
import type { Op } from '../../../src/isa/insn.js';
import { label } from '../../../src/isa/label.js';
import type { BtfType } from '../../../src/object/btf/types.js';
import type { Program, ProgType } from '../../../src/object/program.js';
import type { Names } from '../kernel/case.js';
import { btfOf, INT } from '../objects/types.js';
import { small } from './family.js';

/** Id of the first of the types that are given; 1 is int. */
export const FIRST = 6;

export interface GlobalFunction {
  /** Types that the function speaks of, from id FIRST on. */
  readonly types: readonly BtfType[];
  /** Ids of what it takes; the first type unless told. */
  readonly params?: readonly number[];
  /** Id of what it returns; int unless told. */
  readonly returns?: number;
  /** Tags of its first parameter, without `arg:`. */
  readonly tags?: readonly string[];
  /** What is done before the call, in the function, and after the call. The latter two put 0 into r0 unless told. */
  readonly before: (names: Names) => readonly Op[];
  readonly body?: readonly Op[];
  readonly after?: readonly Op[];
}

const ZERO = [mov(r0, 0)];

export function callingGlobal(
  type: ProgType,
  { types, params = [FIRST], returns = 1, tags = [], before, body = ZERO, after = ZERO }: GlobalFunction,
): Program {
  const made = small(type, { globals: ['f'] }, (names) => [
    ...before(names),
    callSub('f'),
    ...after,
    exit(),
    label('f'),
    ...body,
    exit(),
  ]);
  return withFunction(made, { types, params, returns, tags });
}

/** A program whose function `f` is global, with the BTF of main and of `f`. */
export function withFunction(
  made: Program,
  {
    types,
    params = [FIRST],
    returns = 1,
    tags = [],
  }: Pick<GlobalFunction, 'types' | 'params' | 'returns' | 'tags'>,
): Program {
  const func = FIRST + types.length;
  const btf = btfOf([
    INT,
    { kind: 'ptr', type: 1 },
    { kind: 'func_proto', returns: 1, params: [{ name: 'ctx', type: 2 }] },
    { kind: 'func', name: 'main', type: 3, linkage: 'global' },
    { kind: 'func_proto', returns, params: params.map((id, i) => ({ name: `p${i}`, type: id })) },
    ...types,
    { kind: 'func', name: 'f', type: 5, linkage: 'global' },
    ...tags.map(
      (tag) =>
        ({ kind: 'decl_tag', name: `arg:${tag}`, type: func, component: 0, attribute: false }) as const,
    ),
  ]);
  return {
    ...made,
    btf,
    subprogs: made.subprogs.map((one) => ({ ...one, btfId: one.start === 0 ? 4 : func })),
  };
}
