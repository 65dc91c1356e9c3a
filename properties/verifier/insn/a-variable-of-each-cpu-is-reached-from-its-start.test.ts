/** The address of a variable of the kernel: what may be done with it, by whether it is a struct and whether each CPU has its own. Linux refuses the same (check_pseudo_btf_id, percpu_btf_ptr_types). */
import { describe, expect, it } from 'vitest';
import type { KernelTypes } from '../../../src/object/program.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';

type Variable = ReturnType<KernelTypes['variable']>;
const VARIABLES: Readonly<Record<number, Variable>> = {
  1: { struct: 'rq', size: 64, percpu: true },
  2: { struct: undefined, size: 8, percpu: true },
  3: { struct: 'rq', size: 64, percpu: false },
  4: { struct: undefined, size: 8, percpu: false },
};
const kernelTypes = {
  has: () => true,
  variable: (id: number) => VARIABLES[id],
  access: () => ({ kind: 'scalar' }),
} as unknown as KernelTypes;

function said(id: number, uses: string, types: KernelTypes | null = kernelTypes): string {
  const { program } = parseCase(`.type tracepoint\n r6 = btf_id ${id}\n${uses}\n r0 = 0\n exit\n`);
  const verdict = verify({ ...program, ...(types === null ? {} : { kernelTypes: types }) }, { facts: false });
  return verdict.ok ? 'accepted' : verdict.message;
}

const PERCPU = 'R1 type=.* expected=percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_';
const mine = ' r1 = r6\n call bpf_this_cpu_ptr\n';
const other = ' r1 = r6\n r2 = 1\n call bpf_per_cpu_ptr\n';
/** What is done with the variable, and what is said of each: a struct of each CPU, a number of each CPU, a struct, a number. */
const USES: readonly (readonly [string, string, readonly string[]])[] = [
  ['nothing', '', ['accepted', 'accepted', 'accepted', 'accepted']],
  ['read', ' r0 = *(u64 *)(r6 +0)', ['access percpu memory', 'percpu', 'accepted', 'accepted']],
  ['written', ' *(u64 *)(r6 +0) = 1', ['.', '.', '.', 'cannot write into']],
  [
    'read past its end',
    ' r0 = *(u64 *)(r6 +8)',
    ['.', '.', 'accepted', 'outside of the allowed memory range'],
  ],
  ['of this CPU', `${mine} r0 = *(u64 *)(r0 +0)`, ['accepted', 'accepted', PERCPU, PERCPU]],
  [
    'of this CPU, past its end',
    `${mine} r0 = *(u64 *)(r0 +8)`,
    ['accepted', 'outside of the allowed memory range', PERCPU, PERCPU],
  ],
  [
    'of another CPU',
    `${other} if r0 == 0 goto +1\n r0 = *(u64 *)(r0 +0)`,
    ['accepted', 'accepted', PERCPU, PERCPU],
  ],
  ['of another CPU, unchecked', `${other} r0 = *(u64 *)(r0 +0)`, ['_or_null_', '_or_null', PERCPU, PERCPU]],
  [
    'of this CPU, from the middle',
    ` r6 += 8\n${mine}`,
    ['dereference of modified', 'dereference of modified', PERCPU, PERCPU],
  ],
  [
    'of this CPU, from before it',
    ` r6 += -8\n${mine}`,
    ['negative offset', 'negative offset', 'negative offset', PERCPU],
  ],
  [
    'of this CPU, moved there and back',
    ` r6 += 8\n r6 += -8\n${mine}`,
    ['accepted', 'accepted', PERCPU, PERCPU],
  ],
];

describe('a variable of the kernel', () => {
  it.each(USES)('%s', (_, uses, expected) => {
    expected.forEach((words, i) => {
      const message = said(i + 1, uses);
      expect(message).toMatch(new RegExp(words));
      if (words === '.') expect(message).not.toBe('accepted');
    });
  });
  it('is one that there is, and needs the types of the kernel', () => {
    expect(said(9, '')).toMatch(/invalid btf_id 9/);
    expect(said(1, '', null)).toMatch(/without the BTF of the kernel/);
  });
});
