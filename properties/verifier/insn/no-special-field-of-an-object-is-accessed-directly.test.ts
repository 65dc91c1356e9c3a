/**
 * In an object that the program allocated, no load and no store touches a byte of a special field: not of one that only functions may use, and not of a kptr,
 * which in a map value may be loaded. The bytes beside it may be accessed. Linux says the same.
 */
import { describe, expect, it } from 'vitest';
import { loadProgram } from '../../../src/oracle/load.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';

/** Fields as `.struct` writes them, at byte 8, with their sizes and names. */
const FIELDS: readonly (readonly [string, number, string])[] = [
  ['refcount', 4, 'bpf_refcount'],
  ['kptr:task_struct', 8, 'kptr'],
  ['spin_lock', 4, 'bpf_spin_lock'],
  ['list_node', 24, 'bpf_list_node'],
  ['rb_node', 32, 'bpf_rb_node'],
];
const ACCESSES: readonly (readonly [string, (at: number) => string])[] = [
  ['a load', (at) => `r6 = *(u8 *)(r0 +${at})`],
  ['a store', (at) => `*(u8 *)(r0 +${at}) = 1`],
];

function program(field: string, access: string) {
  const text = `.type tc
.struct box size=48 ${field}@8
    r1 = 1
    r2 = 0
    call bpf_obj_new_impl
    if r0 == 0 goto out
    ${access}
    r1 = r0
    r2 = 0
    call bpf_obj_drop_impl
out:
    r0 = 0
    exit
`;
  return parseCase(text, 'field.bpf').program;
}

const places = FIELDS.flatMap(([field, size, name]) =>
  ACCESSES.flatMap(([way, access]) => [
    { what: `${way} before ${name}`, program: program(field, access(7)), says: '' },
    {
      what: `${way} at the start of ${name}`,
      program: program(field, access(8)),
      says: `direct access to ${name} is disallowed`,
    },
    {
      what: `${way} at the end of ${name}`,
      program: program(field, access(8 + size - 1)),
      says: `direct access to ${name} is disallowed`,
    },
    { what: `${way} behind ${name}`, program: program(field, access(8 + size)), says: '' },
  ]),
);

describe('by our verifier', () => {
  it.each(places)('$what', (one) => {
    const verdict = verify(one.program);
    expect(verdict.ok ? '' : verdict.message).toBe(one.says);
  });
});

describeKnownKernel('by Linux', () => {
  it.each(places)('$what', (one) => {
    const result = loadProgram(one.program, { logLevel: 0, explain: true });
    if (result.ok) result.close();
    expect(result.ok ? '' : result.message).toBe(one.says);
  });
});
