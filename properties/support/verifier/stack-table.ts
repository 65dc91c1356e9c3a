/**
 * Every kind of thing that a stack slot may hold x every way to write over it or beside it x every load afterwards. One program asks about one
 * load; loads that are accepted share a program. The three slots at fp-24, fp-16 and fp-8 are looked at.
 */
import {
  add,
  and,
  callHelper,
  exit,
  ldImm64,
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
} from '../../../src/isa/build.js';
import type { Size } from '../../../src/isa/insn.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { Program } from '../../../src/object/program.js';
import { loadProgram } from '../../../src/oracle/load.js';
import type { LogValue } from '../../../src/oracle/walk-log/value.js';
import { readWalk } from '../../../src/oracle/walk-log/walk.js';
import { format } from '../../../src/verifier/scalar/set.js';
import type { Reg as Held } from '../../../src/verifier/state/state.js';
import { verify } from '../../../src/verifier/verify.js';
import { arrayMap, kernelCase, lookedUp, type Names, ringbufMap, stackPointer } from '../kernel/case.js';

/** Something that is done to the stack. `end` undoes what must not be left behind. */
interface Act {
  readonly name: string;
  readonly items: (names: Names) => readonly Item[];
  readonly end?: (names: Names) => readonly Item[];
}

const bytes = (off: number, count: number, imm: number): Item[] =>
  Array.from({ length: count }, (_, i) => st(1, r10, off + i, imm));

/** Fills `size` bytes at `off` with numbers that are not known: bpf_skb_load_bytes. */
const filled = (off: number, size: number): Item[] => [
  ...[mov(r1, r6), mov(r2, 0)],
  ...[...stackPointer(r3, off), mov(r4, size), callHelper(26)],
];
const dynptrOfMemory = (off: number): Item[] => [
  ...[mov(r1, r7), mov(r2, 16), mov(r3, 0)],
  ...[...stackPointer(r4, off), callHelper(197)],
];
const record = (off: number): Pick<Act, 'items' | 'end'> => ({
  items: ({ map }) => [
    map(r1, ringbufMap),
    mov(r2, 8),
    mov(r3, 0),
    ...stackPointer(r4, off),
    callHelper(198),
  ],
  end: () => [...stackPointer(r1, off), mov(r2, 0), callHelper(199)],
});
const destroy = ({ kfunc }: Names): Item[] => [...stackPointer(r1, -8), kfunc('bpf_iter_num_destroy')];
const restore = ({ kfunc }: Names): Item[] => [...stackPointer(r1, -8), kfunc('bpf_local_irq_restore')];

const CONTENTS: readonly Act[] = [
  { name: 'nothing', items: () => [] },
  { name: 'zeroes', items: () => [-24, -16, -8].map((off) => st(8, r10, off, 0)) },
  { name: 'zero bytes', items: () => bytes(-24, 24, 0) },
  { name: 'bytes', items: () => filled(-24, 24) },
  { name: 'constants', items: () => [-24, -16, -8].map((off) => st(8, r10, off, 0x0102_0304)) },
  { name: 'long constants', items: () => [-24, -16, -8].map((off) => stx(8, r10, off, r5)) },
  { name: 'unknown numbers', items: () => [-24, -16, -8].map((off) => stx(8, r10, off, r9)) },
  { name: 'unknown words', items: () => [-24, -16, -8].map((off) => stx(4, r10, off, r9)) },
  { name: 'small numbers', items: () => [and(r9, 15), ...[-24, -16, -8].map((off) => stx(8, r10, off, r9))] },
  { name: 'half words of a constant', items: () => [-24, -16, -8].map((off) => stx(2, r10, off, r5)) },
  { name: 'pointers', items: () => [-24, -16, -8].map((off) => stx(8, r10, off, r6)) },
  { name: 'a dynptr at fp-16', items: () => dynptrOfMemory(-16) },
  { name: 'a dynptr at fp-24', items: () => dynptrOfMemory(-24) },
  { name: 'a record at fp-16', ...record(-16) },
  { name: 'a record at fp-24', ...record(-24) },
  {
    name: 'an iterator',
    items: ({ kfunc }) => [...stackPointer(r1, -8), mov(r2, 0), mov(r3, 4), kfunc('bpf_iter_num_new')],
    end: destroy,
  },
  {
    name: 'an IRQ state',
    items: ({ kfunc }) => [...stackPointer(r1, -8), kfunc('bpf_local_irq_save')],
    end: restore,
  },
];

const SIZES: readonly Size[] = [8, 4, 2, 1];

/** Where stores of each size go: at both ends of slots, and inside. */
const PLACES: Readonly<Record<Size, readonly number[]>> = {
  8: [-24, -16, -8],
  4: [-20, -16, -8, -4],
  2: [-16, -10, -8],
  1: [-17, -16, -8, -5, -1],
};

const fixedStores: readonly Act[] = SIZES.flatMap((size) =>
  PLACES[size].flatMap((off): Act[] => [
    { name: `u${size} fp${off} = 0`, items: () => [st(size, r10, off, 0)] },
    { name: `u${size} fp${off} = 7`, items: () => [st(size, r10, off, 7)] },
    { name: `u${size} fp${off} = unknown`, items: () => [stx(size, r10, off, r9)] },
    {
      name: `u${size} fp${off} = long constant`,
      items: () => [ldImm64(r8, 0x5_0000_0300n), stx(size, r10, off, r8)],
    },
    ...(size === 8 || off === -8
      ? [
          { name: `u${size} fp${off} = pointer`, items: () => [stx(size, r10, off, r6)] },
          { name: `u${size} fp${off} = zero register`, items: () => [mov(r8, 0), stx(size, r10, off, r8)] },
        ]
      : []),
  ]),
);

/** r8 = fp + off + (a number of which only the bits of `mask` are unknown). */
const somewhere = (off: number, mask: number): Item[] => [
  callHelper(7),
  and(r0, mask),
  mov(r8, r10),
  add(r8, off),
  add(r8, r0),
];

const variableStores: readonly Act[] = (
  [
    [8, -16, 8],
    [8, -24, 8],
    [4, -16, 12],
    [2, -8, 6],
    [1, -16, 15],
    [1, -9, 1],
  ] as const
).flatMap(([size, off, mask]): Act[] => [
  { name: `u${size} fp${off}+(x & ${mask}) = 0`, items: () => [...somewhere(off, mask), st(size, r8, 0, 0)] },
  { name: `u${size} fp${off}+(x & ${mask}) = 7`, items: () => [...somewhere(off, mask), st(size, r8, 0, 7)] },
  {
    name: `u${size} fp${off}+(x & ${mask}) = unknown`,
    items: () => [...somewhere(off, mask), stx(size, r8, 0, r9)],
  },
  ...(size === 8
    ? [
        {
          name: `u8 fp${off}+(x & ${mask}) = pointer`,
          items: () => [...somewhere(off, mask), stx(8, r8, 0, r6)],
        },
      ]
    : []),
]);

const functionWrites: readonly Act[] = [
  { name: 'nothing', items: () => [] },
  ...(
    [
      [-24, 8],
      [-20, 8],
      [-16, 16],
      [-12, 4],
      [-8, 8],
      [-5, 2],
      [-1, 1],
    ] as const
  ).map(
    ([off, size]): Act => ({
      name: `a function fills ${size} bytes at fp${off}`,
      items: () => filled(off, size),
    }),
  ),
  {
    name: 'a function fills 4 bytes at fp-16+(x & 8)',
    items: () => [...somewhere(-16, 8), mov(r1, r6), mov(r2, 0), mov(r3, r8), mov(r4, 4), callHelper(26)],
  },
  { name: 'a dynptr is made at fp-16', items: () => dynptrOfMemory(-16) },
  { name: 'a dynptr is made at fp-24', items: () => dynptrOfMemory(-24) },
  { name: 'an iterator is made', items: CONTENTS.find(({ name }) => name === 'an iterator')!.items },
  { name: 'an IRQ state is saved', items: CONTENTS.find(({ name }) => name === 'an IRQ state')!.items },
];

const STORES: readonly Act[] = [...functionWrites, ...fixedStores, ...variableStores];

interface Load {
  readonly name: string;
  readonly items: (names: Names) => readonly Item[];
  /** A load into r8, whose value is compared. */
  readonly isValue: boolean;
}

/** Where loads of each size come from: every place in one slot, and the ends of the others. */
const LOADED: Readonly<Record<Size, readonly number[]>> = {
  8: [-24, -16, -8],
  4: [-24, -20, -16, -12, -8, -4],
  2: [-18, -16, -10, -8, -6, -4, -2],
  1: [-24, -17, -16, -9, -8, -7, -6, -5, -4, -3, -2, -1],
};

const fixedLoads: readonly Load[] = SIZES.flatMap((size) =>
  LOADED[size].map((off): Load => {
    return { name: `u${size} fp${off}`, items: () => [ldx(size, r8, r10, off)], isValue: true };
  }),
);
const variableLoads: readonly Load[] = (
  [
    [8, -24, 8],
    [8, -16, 8],
    [4, -8, 4],
    [1, -16, 15],
    [1, -9, 1],
  ] as const
).map(([size, off, mask]) => ({
  name: `u${size} fp${off}+(x & ${mask})`,
  items: () => [...somewhere(off, mask), ldx(size, r8, r8, 0)],
  isValue: true,
}));
const uses: readonly Load[] = [
  { name: 'the dynptr at fp-16', items: () => slice(-16), isValue: false },
  { name: 'the dynptr at fp-24', items: () => slice(-24), isValue: false },
  { name: 'read by a function', items: () => readBy(-16, 16), isValue: false },
  { name: 'one byte read by a function', items: () => readBy(-5, 1), isValue: false },
  {
    name: 'a number added in memory',
    items: () => [mov(r1, 1), { kind: 'atomic', op: 'add', size: 8, fetch: false, dst: 10, src: 1, off: -8 }],
    isValue: false,
  },
];

function slice(off: number): Item[] {
  return [...stackPointer(r1, off), mov(r2, 0), mov(r3, 8), callHelper(203)];
}
/** bpf_skb_store_bytes. */
function readBy(off: number, size: number): Item[] {
  return [mov(r1, r6), mov(r2, 0), ...stackPointer(r3, off), mov(r4, size), mov(r5, 0), callHelper(9)];
}

export const LOADS: readonly Load[] = [...fixedLoads, ...variableLoads, ...uses];

/** r6 the context, r7 a map's value, r9 any number, r5 a constant of more than 32 bits. */
const prologue = (names: Names): Item[] => [
  mov(r6, r1),
  ...lookedUp(names, arrayMap(16), { at: -36, into: r7 }),
  callHelper(7),
  mov(r9, r0),
  ldImm64(r5, 0x1122_3344_0000_0506n),
];

interface Asked {
  readonly program: Program;
  /** Slots right after each load, where r8 holds what was loaded. */
  readonly after: readonly number[];
}

function asking(content: Act, store: Act, loads: readonly Load[]): Asked {
  const after: number[] = [];
  const { program } = kernelCase('stack: asked', 'tc', {}, (names) => {
    const items: Item[] = [...prologue(names), ...content.items(names), ...store.items(names)];
    for (const load of loads) {
      items.push(...load.items(names));
      if (!load.isValue) continue;
      items.push(mov(r1, r8));
      after.push(slotsOf(items) - 1);
    }
    return [...items, ...(content.end?.(names) ?? []), label('out'), mov(r0, 0), exit()];
  });
  return { program, after };
}

/** Slots that the items take. */
function slotsOf(items: readonly Item[]): number {
  let count = 0;
  for (const item of items) {
    if ('kind' in item && item.kind === 'ld_imm64') count += 2;
    else if (!('label' in item)) count += 1;
  }
  return count;
}

/** A message without ids, and without the words that Linux has for each way of reading what must not be read. */
const anonymous = (message: string): string =>
  message.startsWith('invalid read from stack')
    ? 'invalid read from stack'
    : message.replace(/(\bid=|alloc_insn=)\d+/g, '$1N');

type Judge = (asked: Asked) => { readonly refused: string } | { readonly values: readonly string[] };

/** A number as the kernel prints it; a pointer by its kind. */
const textOf = (type: string, num: Held['num']): string => (type === 'scalar' ? format(num) : type);

export const ours: Judge = ({ program, after }) => {
  const verdict = verify(program);
  if (!verdict.ok) return { refused: anonymous(verdict.message) };
  const values = after.map((slot) => {
    const seen = verdict.facts.at(slot).map(({ state }) => {
      const { type, num } = state.frames[0]!.regs[8]!;
      return textOf(type, num);
    });
    return [...new Set(seen)].join(' or ');
  });
  return { values };
};

export const linux: Judge = ({ program, after }) => {
  const loaded = loadProgram(program, after.length > 0 ? { logLevel: 2 } : {});
  if (!loaded.ok) return { refused: anonymous(loaded.message) };
  loaded.close();
  const seen = new Map<number, Set<string>>();
  readWalk(loaded.log, program, ({ slot, regs }) => {
    const value: LogValue | undefined = regs.get(8);
    if (value === undefined) return;
    const texts = seen.get(slot) ?? new Set<string>();
    seen.set(slot, texts.add(textOf(value.type, value.num)));
  });
  return { values: after.map((slot) => [...(seen.get(slot) ?? [])].join(' or ')) };
};

/** A row of the table: what was on the stack, how it was written to, and what each load gives: a value, or `!` and a message. */
export interface Row {
  readonly title: string;
  readonly outcomes: readonly string[];
}

/** Outcomes of all loads. `known`: what they are expected to be, so that those that are accepted are asked about in one program. */
function rowOf(judge: Judge, content: Act, store: Act, known?: readonly string[]): Row {
  const title = `${content.name} | ${store.name}`;
  const one = (loads: readonly Load[]) => judge(asking(content, store, loads));
  if (known === undefined || known.length === 1) {
    const base = one([]);
    if ('refused' in base) return { title, outcomes: [`!${base.refused}`] };
  }
  const outcomes: string[] = LOADS.map(() => '');
  const isAccepted = (i: number): boolean =>
    known === undefined ? !('refused' in one([LOADS[i]!])) : !known[i]!.startsWith('!');
  const accepted = LOADS.flatMap((_, i) => (isAccepted(i) ? [i] : []));
  const together = one(accepted.map((i) => LOADS[i]!));
  let next = 0;
  for (const i of LOADS.keys()) {
    if (!accepted.includes(i)) {
      const alone = one([LOADS[i]!]);
      outcomes[i] = 'refused' in alone ? `!${alone.refused}` : 'accepted';
    } else if ('refused' in together) outcomes[i] = `!${together.refused}`;
    else outcomes[i] = LOADS[i]!.isValue ? together.values[next++]! : 'accepted';
  }
  return { title, outcomes };
}

/**
 * Rows as `judge` sees them: all, or every `step`-th. With `known`, loads that are known to be accepted are asked about in one program.
 */
export function rows(judge: Judge, known?: ReadonlyMap<string, readonly string[]>, step = 1): Row[] {
  return CONTENTS.flatMap((content, i) =>
    STORES.filter((_, j) => (i + j) % step === 0).map((store) =>
      rowOf(judge, content, store, known?.get(`${content.name} | ${store.name}`)),
    ),
  );
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The table as text: what each letter stands for; then by content the outcomes of all loads, and the stores after which they are so. */
export function printTable(table: readonly Row[]): string {
  const outcomes = [...new Set(table.flatMap((row) => row.outcomes))];
  const lines = outcomes.map((outcome, i) => `${LETTERS[i]} = ${outcome}`);
  for (const { name } of CONTENTS) {
    const groups = new Map<string, string[]>();
    for (const row of table) {
      const [content, store] = row.title.split(' | ') as [string, string];
      if (content !== name) continue;
      const letters = row.outcomes.map((outcome) => LETTERS[outcomes.indexOf(outcome)]).join('');
      groups.set(letters, [...(groups.get(letters) ?? []), store]);
    }
    lines.push(
      '',
      `${name}:`,
      ...[...groups].map(([letters, stores]) => `  ${letters} ${stores.join('; ')}`),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Outcomes by the title of the row. */
export function parseTable(text: string): ReadonlyMap<string, readonly string[]> {
  const meaning = new Map<string, string>();
  const table = new Map<string, readonly string[]>();
  let content = '';
  for (const line of text.split('\n')) {
    const row = /^ {2}(\w+) (.*)$/.exec(line);
    const letter = /^(\w) = (.*)$/.exec(line);
    if (letter !== null) meaning.set(letter[1]!, letter[2]!);
    else if (row === null) content = line.replace(/:$/, '');
    else
      for (const store of row[2]!.split('; '))
        table.set(
          `${content} | ${store}`,
          [...row[1]!].map((l) => meaning.get(l)!),
        );
  }
  return table;
}
