/** Packets: what a comparison with the end tells, and what is left of it where the packet may have moved. */

import {
  add,
  and,
  callHelper,
  callSub,
  exit,
  ja,
  jmp,
  ldFunc,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
  r9,
  r10,
  st,
  stx,
  sub,
  w6,
  w7,
} from '../../../src/isa/build.js';
import type { Comparison } from '../../../src/isa/insn.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { MapDef, ProgType } from '../../../src/object/program.js';
import { type Names, stackPointer } from '../kernel/case.js';
import { type Family, family, small } from './family.js';
import { packetPairs } from './packet-pairs.js';

const JUMPS: readonly Comparison[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'sgt', 'slt'];
const end: Item[] = [mov(r0, 0), exit()];

interface Bounds {
  readonly name: string;
  readonly start: number;
  readonly finish: number;
}
/** Offsets in the context of XDP. */
const BOUNDS: readonly Bounds[] = [
  { name: 'packet', start: 0, finish: 4 },
  { name: 'metadata', start: 8, finish: 0 },
  { name: 'metadata against the end', start: 8, finish: 4 },
];

/** How the pointer that is compared (r7) comes from the start of the packet (r6). */
const MOVED: Readonly<Record<string, Item[]>> = {
  'not moved': [mov(r7, r6)],
  'moved by 8': [mov(r7, r6), add(r7, 8)],
  'moved back by 8': [mov(r7, r6), sub(r7, 8)],
  'moved by an unknown number': [ldx(4, r8, r9, 12), and(r8, 8), add(r6, r8), mov(r7, r6), add(r7, 8)],
  'moved by an unknown number up to 65535': [
    ldx(4, r8, r9, 12),
    and(r8, 0xffff),
    add(r6, r8),
    mov(r7, r6),
    add(r7, 8),
  ],
  'moved by an unknown number up to 65519': [
    ldx(4, r8, r9, 12),
    jmp('gt', r8, 0xffff - 16, 'out'),
    add(r6, r8),
    mov(r7, r6),
    add(r7, 8),
  ],
  'and another one, each moved by an unknown number': [
    mov(r7, r6),
    ldx(4, r8, r9, 12),
    and(r8, 8),
    add(r7, r8),
    ldx(4, r8, r9, 16),
    and(r8, 8),
    add(r6, r8),
    add(r7, 8),
  ],
  'moved by 65535': [mov(r7, r6), add(r7, 0xffff)],
  'moved by 8, and by an unknown number after': [
    mov(r7, r6),
    add(r7, 8),
    ldx(4, r8, r9, 12),
    and(r8, 8),
    mov(r1, r7),
    add(r1, r8),
  ],
  'moved by more than a packet has': [mov(r7, r6), add(r7, 0x10001)],
};

/** What is accessed where the jump has led. */
const READ: Readonly<Record<string, Item[]>> = {
  'byte 0': [ldx(1, r0, r6, 0)],
  'byte 7': [ldx(1, r0, r6, 7)],
  'byte 8': [ldx(1, r0, r6, 8)],
  '8 bytes': [ldx(8, r0, r6, 0)],
  'byte at the pointer': [ldx(1, r0, r7, 0)],
  'byte before the pointer': [ldx(1, r0, r7, -1)],
  'byte 7 after a move': [mov(r1, r6), add(r1, 7), ldx(1, r0, r1, 0)],
  'byte 0 after an unknown move': [
    ldx(4, r8, r9, 16),
    and(r8, 1),
    mov(r1, r6),
    add(r1, r8),
    ldx(1, r0, r1, 0),
  ],
  'byte 0 after an unknown move back by what may be negative': [
    ldx(4, r8, r9, 16),
    and(r8, 1),
    sub(r8, 1),
    mov(r1, r6),
    sub(r1, r8),
    ldx(1, r0, r1, 0),
  ],
  'byte 0 after an unknown move back': [
    ldx(4, r8, r9, 16),
    and(r8, 1),
    mov(r1, r6),
    sub(r1, r8),
    ldx(1, r0, r1, 1),
  ],
};

interface Range {
  readonly name: string;
  readonly bounds: Bounds;
  readonly moved: string;
  readonly flipped: boolean;
}

const RANGES: readonly Range[] = BOUNDS.flatMap((bounds) =>
  Object.keys(MOVED).flatMap((moved) =>
    [false, true].map((flipped) => ({
      name: `${bounds.name} ${moved}${flipped ? ', on the right' : ''}`,
      bounds,
      moved,
      flipped,
    })),
  ),
);

/** Every comparison with the end, both ways on, and what may be read there. */
export const ranges: Family = family(
  'packet-ranges',
  RANGES,
  JUMPS.flatMap((op) =>
    ['then', 'else'].flatMap((where) => Object.keys(READ).map((what) => `${op} ${where} ${what}`)),
  ),
  ({ bounds, moved, flipped }, column) => {
    const [, op, where, what] = /^(\w+) (then|else) (.*)$/.exec(column)!;
    const jump = flipped ? jmp(op as Comparison, r2, r7, 'taken') : jmp(op as Comparison, r7, r2, 'taken');
    const read = READ[what!]!;
    return small('xdp', {}, () => [
      mov(r9, r1),
      ldx(4, r6, r9, bounds.start),
      ldx(4, r2, r9, bounds.finish),
      ...MOVED[moved]!,
      jump,
      ...(where === 'else' ? [...read, ja('out')] : [ja('out')]),
      label('taken'),
      ...(where === 'then' ? read : []),
      label('out'),
      ...end,
    ]);
  },
);

/** A second comparison, where the first one led: the pointer is known to be at the end or past it, or is not. */
export const twice: Family = family(
  'packet-compared-twice',
  JUMPS.flatMap((first) => ['then', 'else'].map((where) => ({ name: `${first} ${where}`, first, where }))),
  JUMPS.flatMap((op) => ['', ' flipped', ' of the low half', ' by a copy'].map((how) => `${op}${how}`)),
  ({ first, where }, column) => {
    const [, op, how] = /^(\w+)(.*)$/.exec(column)!;
    const [left, right] = how === ' flipped' ? [r2, r7] : [how === ' by a copy' ? r8 : r7, r2];
    // What reads through a number is refused wherever the walk gets there.
    const second: Item[] = [
      mov(r8, r7),
      how === ' of the low half'
        ? jmp(op as Comparison, w7, w6, 'here')
        : jmp(op as Comparison, left, right, 'here'),
      ja('out'),
      label('here'),
      mov(r0, 0),
      ldx(1, r0, r0, 0),
      ja('out'),
    ];
    return small('xdp', {}, () => [
      mov(r9, r1),
      ldx(4, r6, r9, 0),
      ldx(4, r2, r9, 4),
      mov(r7, r6),
      add(r7, 8),
      ...(how === ' by a copy' ? [mov(r8, r7)] : []),
      jmp(first as Comparison, r7, r2, 'taken'),
      ...(where === 'else' ? second.slice(how === ' by a copy' ? 1 : 0) : [ja('out')]),
      label('taken'),
      ...(where === 'then' ? second.slice(how === ' by a copy' ? 1 : 0) : []),
      label('out'),
      ...end,
    ]);
  },
);

/** What may move the packet, or not, with the context in r9. */
interface Mover {
  readonly name: string;
  readonly type: ProgType;
  readonly call: (n: Names) => Item[];
}

const numbers = (...values: number[]): Item[] => values.map((value, i) => mov([r2, r3, r4, r5][i]!, value));
const helper = (name: string, type: ProgType, id: number, ...values: number[]): Mover => ({
  name,
  type,
  call: () => [mov(r1, r9), ...numbers(...values), callHelper(id)],
});

const TABLE: MapDef = {
  name: 't',
  type: 'prog_array',
  keySize: 4,
  valueSize: 4,
  maxEntries: 4,
  flags: 0,
  fields: [],
};

const MOVERS: readonly Mover[] = [
  { name: 'nothing', type: 'tc', call: () => [] },
  {
    name: 'bpf_skb_store_bytes',
    type: 'tc',
    call: () => [
      st(8, r10, -8, 0),
      mov(r1, r9),
      mov(r2, 0),
      ...stackPointer(r3, -8),
      mov(r4, 8),
      mov(r5, 0),
      callHelper(9),
    ],
  },
  helper('bpf_l3_csum_replace', 'tc', 10, 0, 0, 0, 2),
  helper('bpf_l4_csum_replace', 'tc', 11, 0, 0, 0, 2),
  helper('bpf_clone_redirect', 'tc', 13, 1, 0),
  helper('bpf_skb_vlan_push', 'tc', 18, 8, 1),
  helper('bpf_skb_vlan_pop', 'tc', 19),
  helper('bpf_skb_change_proto', 'tc', 31, 8, 0),
  helper('bpf_skb_change_type', 'tc', 32, 0),
  helper('bpf_skb_change_tail', 'tc', 38, 64, 0),
  helper('bpf_skb_pull_data', 'tc', 39, 64),
  helper('bpf_csum_update', 'tc', 40, 0),
  helper('bpf_set_hash_invalid', 'tc', 41),
  helper('bpf_skb_change_head', 'tc', 43, 8, 0),
  helper('bpf_skb_adjust_room', 'tc', 50, 8, 0, 0),
  helper('bpf_redirect', 'tc', 23, 0, 0),
  helper('bpf_xdp_adjust_head', 'xdp', 44, 8),
  helper('bpf_xdp_adjust_meta', 'xdp', 54, 8),
  helper('bpf_xdp_adjust_tail', 'xdp', 65, 8),
  helper('bpf_xdp_get_buff_len', 'xdp', 188),
  { name: 'bpf_ktime_get_ns', type: 'xdp', call: () => [callHelper(5)] },
  {
    name: 'bpf_dynptr_write to the packet',
    type: 'tc',
    call: (n) => [
      st(8, r10, -8, 0),
      mov(r1, r9),
      mov(r2, 0),
      ...stackPointer(r3, -24),
      n.kfunc('bpf_dynptr_from_skb'),
      ...stackPointer(r1, -24),
      mov(r2, 0),
      ...stackPointer(r3, -8),
      mov(r4, 8),
      mov(r5, 0),
      callHelper(202),
    ],
  },
  {
    name: 'bpf_dynptr_write to the packet of XDP',
    type: 'xdp',
    call: (n) => [
      st(8, r10, -8, 0),
      mov(r1, r9),
      mov(r2, 0),
      ...stackPointer(r3, -24),
      n.kfunc('bpf_dynptr_from_xdp'),
      ...stackPointer(r1, -24),
      mov(r2, 0),
      ...stackPointer(r3, -8),
      mov(r4, 8),
      mov(r5, 0),
      callHelper(202),
    ],
  },
  {
    name: 'bpf_tail_call',
    type: 'tc',
    call: (n) => [mov(r1, r9), n.map(r2, TABLE), mov(r3, 0), callHelper(12)],
  },
];

/** Where the packet moves. `main`: the program after the pointers were made; the functions come behind it. */
const WHERE: Readonly<
  Record<string, (call: (n: Names) => Item[], n: Names) => { main: Item[]; functions: Item[] }>
> = {
  here: (call, n) => ({ main: call(n), functions: [] }),
  'in a function': (call, n) => ({
    main: [mov(r1, r9), callSub('one')],
    functions: [label('one'), mov(r9, r1), ...call(n), ...end],
  }),
  'three functions down': (call, n) => ({
    main: [mov(r1, r9), callSub('one')],
    functions: [
      label('one'),
      callSub('two'),
      ...end,
      label('two'),
      callSub('three'),
      ...end,
      label('three'),
      mov(r9, r1),
      ...call(n),
      ...end,
    ],
  }),
  'in a global function': (call, n) => ({
    main: [mov(r1, r9), callSub('global')],
    functions: [label('global'), mov(r9, r1), ...call(n), ...end],
  }),
  'in a function of a global function': (call, n) => ({
    main: [mov(r1, r9), callSub('global')],
    functions: [label('global'), callSub('one'), ...end, label('one'), mov(r9, r1), ...call(n), ...end],
  }),
  'in a global function of a global function': (call, n) => ({
    main: [mov(r1, r9), callSub('global')],
    functions: [label('global'), callSub('other'), ...end, label('other'), mov(r9, r1), ...call(n), ...end],
  }),
  'in a callback': (call, n) => ({
    main: [
      stx(8, r10, -64, r9),
      mov(r1, 1),
      ldFunc(r2, 'one'),
      ...stackPointer(r3, -64),
      mov(r4, 0),
      callHelper(181),
    ],
    functions: [label('one'), ldx(8, r9, r2, 0), ...call(n), ...end],
  }),
  'in a callback of a global function': (call, n) => ({
    main: [mov(r1, r9), callSub('global')],
    functions: [
      label('global'),
      stx(8, r10, -64, r1),
      mov(r1, 1),
      ldFunc(r2, 'one'),
      ...stackPointer(r3, -64),
      mov(r4, 0),
      callHelper(181),
      ...end,
      label('one'),
      ldx(8, r9, r2, 0),
      ...call(n),
      ...end,
    ],
  }),
  'on one of two ways': (call, n) => ({
    main: [ldx(4, r1, r9, 40), jmp('eq', r1, 0, 'on'), ...call(n), label('on')],
    functions: [],
  }),
};

/** What is used afterwards. */
const USED: Readonly<Record<string, Item[]>> = {
  'pointer in a register': [ldx(1, r0, r6, 0)],
  'end in a register': [mov(r1, r6), jmp('gt', r1, r7, 'out')],
  'pointer on the stack': [ldx(8, r1, r10, -40), ldx(1, r0, r1, 0)],
  'a number': [add(r6, 1), mov(r0, r6)],
  'the packet anew': [
    ldx(4, r6, r9, 76),
    ldx(4, r7, r9, 80),
    mov(r1, r6),
    add(r1, 1),
    jmp('gt', r1, r7, 'out'),
    ldx(1, r0, r6, 0),
  ],
  'the packet anew, against the end as it was': [
    ldx(4, r6, r9, 76),
    mov(r1, r6),
    add(r1, 1),
    jmp('gt', r1, r7, 'out'),
    ldx(1, r0, r6, 0),
  ],
  'the packet as it was, against the end anew': [
    ldx(4, r7, r9, 80),
    mov(r1, r6),
    add(r1, 1),
    jmp('gt', r1, r7, 'out'),
    ldx(1, r0, r6, 0),
  ],
};

export const moved: Family = family(
  'packet-moved',
  MOVERS.flatMap((mover) =>
    Object.keys(WHERE).map((where) => ({ name: `${mover.name} ${where}`, mover, where })),
  ),
  Object.keys(USED),
  ({ mover, where }, used) =>
    small(mover.type, { globals: ['global', 'other'], takeContext: ['global', 'other'] }, (n) => {
      const [start, finish] = mover.type === 'tc' ? [76, 80] : [0, 4];
      const { main, functions } = WHERE[where]!(mover.call, n);
      if (mover.type === 'xdp' && used.includes('anew')) return end;
      // Linux 6.18 does not see that a global function moves the packet in this way; docs/stricter-than-linux.md.
      if (mover.name.startsWith('bpf_dynptr_write') && where.includes('global')) return end;
      return [
        mov(r9, r1),
        ldx(4, r6, r9, start),
        ldx(4, r7, r9, finish),
        mov(r1, r6),
        add(r1, 8),
        jmp('gt', r1, r7, 'out'),
        stx(8, r10, -40, r6),
        ...main.map((item) =>
          item.kind === 'ldx' && item.off === 40 && mover.type === 'xdp' ? ldx(4, r1, r9, 12) : item,
        ),
        ...USED[used]!,
        label('out'),
        ...end,
        ...functions,
      ];
    }),
);

/** What the dynptr of a packet gives, before and after the packet moved. */
export const slices: Family = family(
  'packet-slices',
  MOVERS.filter(({ type, name }) => type === 'tc' && !name.includes('dynptr_write')).flatMap((mover) =>
    Object.keys(WHERE).map((where) => ({ name: `${mover.name} ${where}`, mover, where })),
  ),
  ['read before', 'read after', 'read-only slice, read after', 'dynptr read after', 'slice anew'],
  ({ mover, where }, used) =>
    small('tc', { globals: ['global', 'other'], takeContext: ['global', 'other'] }, (n) => {
      const { main, functions } = WHERE[where]!(mover.call, n);
      const slice = used === 'read-only slice, read after' ? 'bpf_dynptr_slice' : 'bpf_dynptr_slice_rdwr';
      const take: Item[] = [
        ...stackPointer(r1, -88),
        mov(r2, 0),
        ...stackPointer(r3, -104),
        mov(r4, 8),
        n.kfunc(slice),
        jmp('eq', r0, 0, 'out'),
        mov(r6, r0),
      ];
      const before = used === 'read before' ? [ldx(1, r0, r6, 0)] : [];
      const after =
        used === 'dynptr read after'
          ? [
              ...stackPointer(r1, -112),
              mov(r2, 8),
              ...stackPointer(r3, -88),
              mov(r4, 0),
              mov(r5, 0),
              callHelper(201),
            ]
          : used === 'slice anew'
            ? [...take, ldx(1, r0, r6, 0)]
            : used === 'read before'
              ? []
              : [ldx(1, r0, r6, 0)];
      return [
        mov(r9, r1),
        mov(r2, 0),
        ...stackPointer(r3, -88),
        n.kfunc('bpf_dynptr_from_skb'),
        ...take,
        ...before,
        ...main,
        ...after,
        label('out'),
        ...end,
        ...functions,
      ];
    }),
);

export const PACKETS: readonly Family[] = [ranges, packetPairs, twice, moved, slices];
