/** Things on the stack that are made over one another, in part or as a whole: dynptrs, iterators, saved IRQ states, spills, plain bytes. */
import {
  add,
  callHelper,
  exit,
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
  r10,
  st,
  stx,
} from '../../../src/isa/build.js';
import type { Item } from '../../../src/isa/label.js';
import { arrayMap, type Names } from '../kernel/case.js';
import { type Family, family, small } from './family.js';

type Kind = 'dynptr' | 'iterator' | 'irq' | 'spill' | 'zero' | 'bytes';
interface Made {
  readonly name: string;
  readonly kind: Kind;
  readonly at: number;
}

const PLACES: Readonly<Record<Kind, readonly number[]>> = {
  dynptr: [-16, -24],
  iterator: [-8, -16],
  irq: [-8, -16],
  spill: [-8, -16],
  zero: [-8, -16],
  bytes: [-16],
};
const MADE: readonly Made[] = Object.entries(PLACES).flatMap(([kind, places]) =>
  places.map((at) => ({ name: `${kind} at ${at}`, kind: kind as Kind, at })),
);

const make = ({ kind, at }: Made, n: Names): Item[] => {
  const place = (reg: typeof r1): Item[] => [mov(reg, r10), add(reg, at)];
  switch (kind) {
    case 'dynptr':
      return [mov(r1, r6), mov(r2, 8), mov(r3, 0), ...place(r4), callHelper(197)];
    case 'iterator':
      return [...place(r1), mov(r2, 0), mov(r3, 1), n.kfunc('bpf_iter_num_new')];
    case 'irq':
      return [...place(r1), n.kfunc('bpf_local_irq_save')];
    case 'spill':
      return [stx(8, r10, at, r6)];
    case 'zero':
      return [st(8, r10, at, 0)];
    case 'bytes':
      return [...place(r1), mov(r2, 8), mov(r3, 0), callHelper(113)];
  }
};

const use = ({ kind, at }: Made, n: Names): Item[] => {
  const place = (reg: typeof r1): Item[] => [mov(reg, r10), add(reg, at)];
  switch (kind) {
    case 'dynptr':
      return [mov(r1, r10), add(r1, -64), mov(r2, 4), ...place(r3), mov(r4, 0), mov(r5, 0), callHelper(201)];
    case 'iterator':
      return [...place(r1), n.kfunc('bpf_iter_num_next')];
    case 'spill':
      return [ldx(8, r7, r10, at), ldx(4, r0, r7, 0)];
    default:
      return [ldx(8, r7, r10, at)];
  }
};

const giveBack = ({ kind, at }: Made, n: Names): Item[] => {
  if (kind !== 'iterator' && kind !== 'irq') return [];
  return [
    mov(r1, r10),
    add(r1, at),
    n.kfunc(kind === 'iterator' ? 'bpf_iter_num_destroy' : 'bpf_local_irq_restore'),
  ];
};

/** What is done between the second thing and its end; what was made first is `a`. */
const THEN: Readonly<Record<string, (a: Made, n: Names) => Item[]>> = {
  nothing: () => [],
  'a load at -8': () => [ldx(8, r0, r10, -8)],
  'a load at -16': () => [ldx(8, r0, r10, -16)],
  'a load at -24': () => [ldx(8, r0, r10, -24)],
  'the first one used': use,
};

export const overlaps: Family = family(
  'overlaps',
  MADE.flatMap((a) => MADE.map((b) => ({ name: `${a.name}, then ${b.name}`, a, b }))),
  ['', ', the first given back'].flatMap((more) => Object.keys(THEN).map((then) => `${then}${more}`)),
  ({ a, b }, column) => {
    const [then, more] = column.split(', ');
    return small('tc', {}, (n) => [
      n.value(r6, arrayMap(16)),
      ...make(a, n),
      ...make(b, n),
      ...THEN[then!]!(a, n),
      ...giveBack(b, n),
      ...(more === undefined ? [] : giveBack(a, n)),
      mov(r0, 0),
      exit(),
    ]);
  },
  (_, column) => !column.includes(','),
);
