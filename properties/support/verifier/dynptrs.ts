/**
 * Dynptrs of every type, given to every function that takes one, right or wrong; and slices of them, used after whatever may end a slice: a release,
 * a write, an overwritten slot.
 */
import {
  callHelper,
  exit,
  jmp,
  ldMap,
  ldMapValue,
  ldx,
  mov,
  mul,
  type Reg,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r10,
  st,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import { contracts } from '../../../src/kernel/catalog.js';
import type { Contract } from '../../../src/kernel/contract.js';
import type { Program, ProgType } from '../../../src/object/program.js';
import { callProgram, callWith } from '../contracts/call.js';
import { array } from '../contracts/things.js';
import { type Names, ringbufMap, stackPointer } from '../kernel/case.js';
import { tried } from './arguments.js';
import { type Family, family, small } from './family.js';

/** Places of the dynptr and of another one. */
const AT = -496;
const OTHER = -512;

const TYPES = ['tc', 'xdp', 'syscall'] as const satisfies readonly ProgType[];

interface Made {
  /** Makes it at AT, with the context in r6. */
  readonly make: (n: Names) => readonly Item[];
  /** Gives it back, if it must be. */
  readonly end?: (n: Names) => readonly Item[];
  readonly types: readonly ProgType[];
}

const data = array('data', 64);

const fromMem = (n: Names, at = AT): Item[] => [
  n.value(r1, data),
  mov(r2, 64),
  mov(r3, 0),
  ...stackPointer(r4, at),
  callHelper(197),
];
const reserved = (n: Names): Item[] => [
  n.map(r1, ringbufMap),
  mov(r2, 64),
  mov(r3, 0),
  ...stackPointer(r4, AT),
  callHelper(198),
];
const give =
  (helper: number, at = AT) =>
  (): Item[] => [...stackPointer(r1, at), mov(r2, 0), callHelper(helper)];
const discard = give(200);
const ofPacket =
  (layer: string) =>
  (n: Names): Item[] => [
    mov(r1, r6),
    mov(r2, 0),
    ...stackPointer(r3, AT),
    n.kfunc(`bpf_dynptr_from_${layer}`),
  ];
const cloned = (n: Names): Item[] => [
  ...stackPointer(r1, AT),
  ...stackPointer(r2, OTHER),
  n.kfunc('bpf_dynptr_clone'),
];

const MADE: Readonly<Record<string, Made>> = {
  local: { make: fromMem, types: TYPES },
  ringbuf: { make: reserved, end: discard, types: TYPES },
  skb: { make: ofPacket('skb'), types: ['tc'] },
  skb_meta: { make: ofPacket('skb_meta'), types: ['tc'] },
  xdp: { make: ofPacket('xdp'), types: ['xdp'] },
  'ringbuf, with a clone': { make: (n) => [...reserved(n), ...cloned(n)], end: discard, types: ['tc'] },
  'ringbuf, given back already': { make: (n) => [...reserved(n), ...discard()], types: ['tc'] },
  'ringbuf, its clone given back': {
    make: (n) => [...reserved(n), ...cloned(n), ...give(201, OTHER)()],
    types: ['tc'],
  },
  'local, half overwritten': { make: (n) => [...fromMem(n), st(8, r10, AT + 8, 0)], types: ['tc'] },
  'never made': { make: () => [st(8, r10, AT, 0), st(8, r10, AT + 8, 0)], types: ['tc'] },
  'unwritten stack': { make: () => [], types: ['tc'] },
};

/** What the argument points to: the dynptr's start, or something near it. */
const WHERE: Readonly<Record<string, (reg: Reg<64>) => Item[]>> = {
  'its start': (reg) => stackPointer(reg, AT),
  'its second half': (reg) => stackPointer(reg, AT + 8),
  'a byte in': (reg) => stackPointer(reg, AT + 1),
  'half before': (reg) => stackPointer(reg, AT - 8),
  'a map value': (reg) => [ldMapValue(reg, 0, 0)],
};

interface Taken {
  readonly contract: Contract;
  readonly index: number;
  readonly type: ProgType;
  readonly made: string;
}

function taken(): readonly Taken[] {
  return contracts().flatMap((contract) =>
    contract.args.flatMap((arg, index) =>
      arg.kind !== 'dynptr'
        ? []
        : TYPES.filter(
            (type) => contract.types.includes(type) && tried(() => callProgram(contract, type)) !== undefined,
          ).flatMap((type) =>
            Object.entries(MADE)
              .filter(([, { types }]) => types.includes(type))
              .map(([made]) => ({ contract, index, type, made })),
          ),
    ),
  );
}

/** A call with each dynptr in place of its own. */
export const dynptrs: Family = family(
  'dynptrs',
  taken().map((one) => ({
    ...one,
    name: `${one.contract.name}, r${one.index + 1}, ${one.type}: ${one.made}`,
  })),
  Object.keys(WHERE),
  ({ contract, index, type, made }, where) => {
    const arg = contract.args[index];
    const { make, end } = MADE[made]!;
    // What takes the record must not leave it to the end.
    const keeps = !(arg?.kind === 'dynptr' && arg.release === true && where === 'its start');
    return tried(() =>
      callWith(contract, type, index, {
        maps: [data, ringbufMap],
        first: (...names) => make(namesOf(...names)),
        load: (reg, [map = 0]) => (where === 'a map value' ? [ldMapValue(reg, map, 0)] : WHERE[where]!(reg)),
        last: (...names) => (keeps ? (end?.(namesOf(...names)) ?? []) : []),
      }),
    );
  },
  ({ made, type }, where) =>
    where === 'its start' && (made === 'local' || made === 'ringbuf') && type !== 'syscall',
);

/** The two maps of this file, by their places in a program's list. */
function namesOf([values = 0, ring = 0]: readonly number[], kfunc: (name: string) => Item): Names {
  return {
    kfunc: kfunc as Names['kfunc'],
    map: (reg) => ldMap(reg, ring),
    value: (reg, _, off = 0) => ldMapValue(reg, values, off),
  };
}

// Slices.

const BUFFER = -64;
const BYTES = 16;

/** r0 = a slice of BYTES, or NULL. */
const SLICED: Readonly<Record<string, (n: Names) => Item[]>> = {
  data: () => [...stackPointer(r1, AT), mov(r2, 0), mov(r3, BYTES), callHelper(203)],
  slice: (n) => bySlice(n, 'bpf_dynptr_slice', true),
  'slice without a buffer': (n) => bySlice(n, 'bpf_dynptr_slice', false),
  'slice to write': (n) => bySlice(n, 'bpf_dynptr_slice_rdwr', true),
  'slice to write without a buffer': (n) => bySlice(n, 'bpf_dynptr_slice_rdwr', false),
};

function bySlice(n: Names, name: string, buffered: boolean): Item[] {
  return [
    ...stackPointer(r1, AT),
    mov(r2, 0),
    ...(buffered ? stackPointer(r3, BUFFER) : [mov(r3, 0)]),
    mov(r4, BYTES),
    n.kfunc(name),
  ];
}

const rest: Item[] = [label('out'), mov(r0, 0), exit()];
const check = jmp('eq', r7, 0, 'none');
const read = ldx(8, r0, r7, 0);

/** r7 is the slice. `end` gives the dynptr back. */
const USES: Readonly<Record<string, (n: Names, end: readonly Item[]) => Item[]>> = {
  'read unchecked': (_, end) => [read, ...end],
  read: (_, end) => [check, read, label('none'), ...end],
  'read its last byte': (_, end) => [check, ldx(1, r0, r7, BYTES - 1), label('none'), ...end],
  'read behind it': (_, end) => [check, ldx(1, r0, r7, BYTES), label('none'), ...end],
  write: (_, end) => [check, st(8, r7, 0, 1), label('none'), ...end],
  'write behind it': (_, end) => [check, st(8, r7, BYTES - 4, 1), label('none'), ...end],
  'read after the end': (_, end) => [check, ...end, read, mov(r0, 0), exit(), label('none'), ...end],
  'read after its dynptr is overwritten': (_, end) => [...end, st(8, r10, AT, 0), check, read, label('none')],
  'read after its buffer is overwritten': (_, end) => [
    st(8, r10, BUFFER, 1),
    check,
    read,
    label('none'),
    ...end,
  ],
  'read after a write to the dynptr': (_, end) => [
    ...stackPointer(r1, AT),
    mov(r2, 0),
    ...stackPointer(r3, BUFFER),
    mov(r4, 8),
    mov(r5, 0),
    callHelper(202),
    check,
    read,
    label('none'),
    ...end,
  ],
  'read after the dynptr is filled': (n, end) => [
    ...stackPointer(r1, AT),
    mov(r2, 0),
    mov(r3, 8),
    mov(r4, 1),
    n.kfunc('bpf_dynptr_memset'),
    check,
    read,
    label('none'),
    ...end,
  ],
  'multiplied after its dynptr is overwritten': (_, end) => [
    ...end,
    st(8, r10, AT, 0),
    mul(r7, 2),
    mov(r0, 0),
    exit(),
  ],
  'read after the dynptr is adjusted': (n, end) => [
    ...stackPointer(r1, AT),
    mov(r2, 0),
    mov(r3, 8),
    n.kfunc('bpf_dynptr_adjust'),
    check,
    read,
    label('none'),
    ...end,
  ],
  'read after it is made anew': (n, end) => [...end, ...fromMem(n), check, read, label('none')],
  'read after another is made': (n, end) => [...fromMem(n, OTHER), check, read, label('none'), ...end],
  'read after a clone is given back': (n, end) => [
    ...cloned(n),
    ...(end.length > 0 ? give(201, OTHER)() : []),
    check,
    read,
    label('none'),
  ],
  'given to a helper that reads': (_, end) => [
    check,
    mov(r1, r7),
    mov(r2, BYTES),
    mov(r3, 0),
    mov(r4, 0),
    mov(r5, 0),
    callHelper(28),
    label('none'),
    ...end,
  ],
  'given to a helper that writes': (_, end) => [
    check,
    mov(r1, r7),
    mov(r2, BYTES),
    callHelper(16),
    label('none'),
    ...end,
  ],
  'given as a record': (_, end) => [check, mov(r1, r7), mov(r2, 0), callHelper(133), label('none'), ...end],
};

/** Slices of each dynptr by each function, and all that may be done with one. */
export const slices: Family = family(
  'slices',
  Object.keys(SLICED).flatMap((how) =>
    Object.entries(MADE).flatMap(([made, { types }]) =>
      types
        .filter((type) => type !== 'syscall')
        .map((type) => ({ name: `${how} of ${made}, ${type}`, how, made, type })),
    ),
  ),
  Object.keys(USES),
  ({ how, made, type }, use): Program => {
    const { make, end } = MADE[made]!;
    return small(type, {}, (n) => [
      mov(r6, r1),
      ...[0, 8].map((off) => st(8, r10, BUFFER + off, 0)),
      ...make(n),
      ...SLICED[how]!(n),
      mov(r7, r0),
      ...USES[use]!(n, end?.(n) ?? []),
      ...rest,
    ]);
  },
  ({ made }) => made === 'local' || made === 'ringbuf',
  // Linux still takes slices that kfuncs made for memory when their dynptr is gone.
  /^R7 !read_ok$/,
);
