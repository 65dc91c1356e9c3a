/**
 * Of a kernel struct that a packet program is given, it may write nothing but the mark of a connection, from its first byte on and not beyond its end
 * (nf_conntrack_btf_struct_access of Linux): whatever kind of connection, and in no other type of program. The types of the kernel are made up, because
 * few kernels that can be asked have connections.
 */
import { expect, it } from 'vitest';
import {
  add,
  callKfunc,
  exit,
  jmp,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r10,
  st,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { KernelTypes, Program, ProgType } from '../../../src/object/program.js';
import { verify } from '../../../src/verifier/verify.js';
import { programOf } from '../../support/kernel/programs.js';

const MARK = { offset: 24, size: 4 };

const types = (mark: boolean): KernelTypes => ({
  has: () => true,
  nameOf: () => undefined,
  variable: () => undefined,
  holds: (struct, at, inner) => at === 0 && struct === inner,
  member: (struct, name) => (mark && struct === 'nf_conn' && name === 'mark' ? MARK : undefined),
  access: () => ({ kind: 'scalar' }),
  arguments: () => [{ kind: 'pointer', to: 'nf_conn', trust: 'trusted', nullable: false }],
});

/** Looks a connection up, or allocates one, and writes into it. */
function writing(
  type: ProgType,
  kind: 'lookup' | 'alloc',
  at: number,
  size: 1 | 2 | 4 | 8,
  mark = true,
): Program {
  const of = type === 'xdp' ? 'xdp' : 'skb';
  const give = kind === 'lookup' ? 'bpf_ct_release' : 'bpf_ct_insert_entry';
  const items: Item[] = [
    ...[-8, -16, -24, -32, -40].map((off) => st(8, r10, off, 0)),
    mov(r2, r10),
    add(r2, -16),
    mov(r3, 12),
    mov(r4, r10),
    add(r4, -40),
    mov(r5, 12),
    callKfunc(0),
    jmp('eq', r0, 0, 'out'),
    mov(r6, r0),
    st(size, r6, at, 7),
    mov(r1, r6),
    callKfunc(1),
    ...(kind === 'alloc' ? [jmp('eq', r0, 0, 'out'), mov(r1, r0), callKfunc(2)] : []),
    label('out'),
    mov(r0, 0),
    exit(),
  ];
  const kfuncs = [`bpf_${of}_ct_${kind}`, give, 'bpf_ct_release'];
  return { ...programOf(type, items, { kfuncs }), kernelTypes: types(mark) };
}

const accepted = (program: Program): boolean => verify(program, { facts: false }).ok;

it('the mark, from its first byte and not beyond its last', () => {
  for (const type of ['xdp', 'tc'] as const) {
    for (const kind of ['lookup', 'alloc'] as const) {
      const written: string[] = [];
      for (let at = 0; at <= MARK.offset + 2 * MARK.size; at++)
        for (const size of [1, 2, 4, 8] as const)
          if (at % size === 0 && accepted(writing(type, kind, at, size))) written.push(`${size} at ${at}`);
      expect(written, `${type}, ${kind}`).toEqual(['1 at 24', '2 at 24', '4 at 24']);
      expect(accepted(writing(type, kind, MARK.offset, 4, false)), 'a kernel without marks').toBe(false);
    }
  }
});

it('and in no program that only watches', () => {
  const watching = (items: readonly Item[]): Program => ({
    ...programOf('tp_btf', [ldx(8, r6, r1, 0), ...items, mov(r0, 0), exit()]),
    attach: { type: 23, target: 'made_up' },
    kernelTypes: types(true),
  });
  expect(accepted(watching([ldx(4, r2, r6, MARK.offset)]))).toBe(true);
  expect(accepted(watching([st(4, r6, MARK.offset, 7)]))).toBe(false);
});
