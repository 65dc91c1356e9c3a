/** Pointers that a map keeps: what a load of one gives, by kind of field, program and section, and what may be done with it. */
import {
  add,
  callHelper,
  exit,
  jmp,
  ldx,
  mov,
  type Reg,
  r0,
  r1,
  r2,
  r6,
  r7,
  r9,
  r10,
  st,
  stx,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { LocalType, MapDef, ProgType } from '../../../src/object/program.js';
import type { Names } from '../kernel/case.js';
import { arrayMap } from '../kernel/case.js';
import { type Family, family, small } from './family.js';

const plain: LocalType = { name: 'plain', size: 24, fields: [], id: 1 };
const STRUCTS = ['task_struct', 'bpf_cpumask', 'plain'] as const;
const KINDS = ['kptr', 'kptr_untrusted'] as const;

const keeping = (kind: (typeof KINDS)[number], struct: string): MapDef => ({
  ...arrayMap(16),
  name: 'k',
  fields: [{ kind, offset: 8, size: 8, struct }],
});

/** What is entered before the load, and left after it. */
const SECTIONS: Readonly<Record<string, readonly [enter?: string, leave?: string]>> = {
  outside: [],
  'in a RCU section': ['bpf_rcu_read_lock', 'bpf_rcu_read_unlock'],
  'without preemption': ['bpf_preempt_disable', 'bpf_preempt_enable'],
};

const TYPES: readonly ProgType[] = ['tc', 'syscall'];

const ROWS = KINDS.flatMap((kind) =>
  STRUCTS.flatMap((struct) =>
    TYPES.flatMap((type) =>
      Object.keys(SECTIONS).map((section) => ({
        name: `${kind} ${struct} ${type} ${section}`,
        kind,
        struct,
        type,
        section,
      })),
    ),
  ),
);

const checked = (reg: Reg<64>, then: readonly Item[]): Item[] => [jmp('eq', reg, 0, 'null'), ...then];
const call =
  (name: string) =>
  (n: Names): Item[] => [mov(r1, r6), n.kfunc(name)];

/** The loaded pointer is r6, the value of the map r7. `leave`: ends the section. */
const USES: Readonly<Record<string, (n: Names, leave: Item[]) => Item[]>> = {
  nothing: (_, leave) => leave,
  'a field': (_, leave) => [...checked(r6, [ldx(4, r0, r6, 8)]), label('null'), ...leave],
  'a field, not checked': (_, leave) => [ldx(4, r0, r6, 8), ...leave],
  'a field after the section': (_, leave) => [...leave, ...checked(r6, [ldx(4, r0, r6, 8)]), label('null')],
  'a field after the section, not checked': (_, leave) => [...leave, ldx(4, r0, r6, 8)],
  'a copy after the section, not checked': (_, leave) => [
    stx(8, r10, -8, r6),
    ...leave,
    ldx(8, r2, r10, -8),
    ldx(4, r0, r2, 8),
  ],
  'a field, checked before its end': (_, leave) => [
    ...checked(r6, [...leave, ldx(4, r0, r6, 8), mov(r0, 0), exit()]),
    label('null'),
    ...leave,
  ],
  'a store': (_, leave) => [...checked(r6, [st(4, r6, 8, 1)]), label('null'), ...leave],
  'a sum': (_, leave) => [...checked(r6, [add(r6, 8), ldx(4, r0, r6, 0)]), label('null'), ...leave],
  'by the stack': (_, leave) => [
    stx(8, r10, -8, r6),
    ldx(8, r2, r10, -8),
    ...checked(r2, [ldx(4, r0, r2, 8)]),
    label('null'),
    ...leave,
  ],
  'stored back': (_, leave) => [stx(8, r7, 8, r6), ...leave],
  'NULL stored': (_, leave) => [st(8, r7, 8, 0), ...leave],
  'a number stored': (_, leave) => [st(8, r7, 8, 1), ...leave],
  'half of it': (_, leave) => [ldx(4, r6, r7, 8), ...leave],
  'kept elsewhere': (_, leave) => [stx(8, r7, 0, r6), ...leave],
  'given to be acquired': (n, leave) => [
    ...checked(r6, [
      ...call('bpf_task_acquire')(n),
      jmp('eq', r0, 0, 'null'),
      mov(r1, r0),
      n.kfunc('bpf_task_release'),
    ]),
    label('null'),
    ...leave,
  ],
  'given to be released': (n, leave) => [
    ...checked(r6, call('bpf_task_release')(n)),
    label('null'),
    ...leave,
  ],
  'given as a cpumask': (n, leave) => [...checked(r6, call('bpf_cpumask_first')(n)), label('null'), ...leave],
  'given as a bpf_cpumask': (n, leave) => [
    ...checked(r6, call('bpf_cpumask_acquire')(n)),
    label('null'),
    ...leave,
  ],
  exchanged: (_, leave) => [mov(r1, r7), add(r1, 8), mov(r2, r6), callHelper(194), ...leave],
  'exchanged for NULL and leaked': (_, leave) => [
    mov(r1, r7),
    add(r1, 8),
    mov(r2, 0),
    callHelper(194),
    ...leave,
  ],
};

/** Every kind of field in every section, and every use. */
export const kptrs: Family = family(
  'kptrs',
  ROWS,
  Object.keys(USES),
  ({ kind, struct, type, section }, use) => {
    const [enter, leave] = SECTIONS[section]!;
    return small(type, struct === 'plain' ? { localTypes: [plain] } : {}, (n) => [
      mov(r9, r1),
      st(4, r10, -4, 0),
      n.map(r1, keeping(kind, struct)),
      mov(r2, r10),
      add(r2, -4),
      callHelper(1),
      jmp('ne', r0, 0, 'found'),
      exit(),
      label('found'),
      mov(r7, r0),
      ...(enter === undefined ? [] : [n.kfunc(enter)]),
      ldx(8, r6, r7, 8),
      ...USES[use]!(n, leave === undefined ? [] : [n.kfunc(leave)]),
      mov(r0, 0),
      exit(),
    ]);
  },
  () => false,
);
