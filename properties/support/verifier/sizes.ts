/**
 * Sizes of memory arguments: known and unknown, from 0, beyond the object, negative, known in their low half only. Every function that takes memory
 * with its size in another argument is called with some sizes for its own buffer of 64 bytes; one function of each form with all sizes, and with other memory.
 */
import {
  add,
  alu,
  and,
  callHelper,
  jmp,
  ldMapValue,
  ldx,
  mov,
  type Reg,
  r0,
  r6,
  r7,
  r8,
  r10,
  registers,
  st,
  w0,
  w8,
} from '../../../src/isa/build.js';
import type { Comparison } from '../../../src/isa/insn.js';
import type { Item } from '../../../src/isa/label.js';
import { contracts } from '../../../src/kernel/catalog.js';
import type { Contract } from '../../../src/kernel/contract.js';
import type { ProgType } from '../../../src/object/program.js';
import { callProgram, callWith, type Substitute } from '../contracts/call.js';
import { array } from '../contracts/things.js';
import { LEFT_OUT, TYPES, tried } from './arguments.js';
import { type Family, family } from './family.js';

/** Bytes of the memory. */
const ROOM = 64;
const AT = -512;

interface Sized {
  readonly contract: Contract;
  readonly type: ProgType;
  /** Places of the memory and of its size among the arguments. */
  readonly mem: number;
  readonly size: number;
  /** The first function of its form. */
  readonly first: boolean;
}

function sized(): readonly Sized[] {
  const forms = new Set<string>();
  return contracts()
    .filter(({ name }) => !LEFT_OUT.test(name))
    .flatMap((contract) => {
      const places = contract.args.flatMap((arg, mem) =>
        arg.kind === 'mem' && 'arg' in arg.size ? [{ mem, size: arg.size.arg }] : [],
      );
      const type = TYPES.find(
        (each) => contract.types.includes(each) && tried(() => callProgram(contract, each)) !== undefined,
      );
      if (type === undefined) return [];
      return places.map(({ mem, size }) => {
        const form = JSON.stringify([
          contract.kind,
          contract.packetArgs,
          contract.args[mem],
          contract.args[size],
        ]);
        const first = !forms.has(form);
        forms.add(form);
        return { contract, type, mem, size, first };
      });
    });
}

/** What the memory is: `reg` becomes its address. */
const MEMORY: Readonly<Record<string, Substitute>> = {
  'its own buffer': { load: () => [] },
  'a map value': { maps: [array('sized', ROOM)], load: (reg, [map = 0]) => [ldMapValue(reg, map, 0)] },
  'the end of a map value': {
    maps: [array('sized', 2 * ROOM)],
    load: (reg, [map = 0]) => [ldMapValue(reg, map, ROOM)],
  },
  'a map value from 0 to 8 bytes in': {
    maps: [array('sized', ROOM)],
    load: (reg, [map = 0]) => [mov(r0, r8), and(r0, 8), ldMapValue(reg, map, 0), add(reg, r0)],
  },
  'unwritten stack': { load: (reg) => [mov(reg, r10), add(reg, AT)] },
  'stack of which half is written': {
    first: () => [0, 8, 16, 24].map((off) => st(8, r10, AT + off, 0)),
    load: (reg) => [mov(reg, r10), add(reg, AT)],
  },
  NULL: { load: (reg) => [mov(reg, 0)] },
  'a packet': {
    load: (reg) => [
      ldx(4, reg, r6, 76),
      ldx(4, r0, r6, 80),
      mov(r7, reg),
      add(r7, ROOM),
      jmp('gt', r7, r0, 'after_call'),
    ],
  },
};

const leave = (op: Comparison, reg: Reg<64>, than: number): Item => jmp(op, reg, than, 'after_call');
const leave32 = (op: Comparison, { reg }: Reg<64>, than: number): Item =>
  jmp(op, { reg, width: 32 }, than, 'after_call');
/** `reg` = 64 unknown bits. r8 has 32. */
const word = (reg: Reg<64>): Item[] => [mov(reg, r8), alu('lsh', reg, 32), alu('xor', reg, r8)];

const SIZES: Readonly<Record<string, (reg: Reg<64>) => Item[]>> = {
  '0': (reg) => [mov(reg, 0)],
  '1': (reg) => [mov(reg, 1)],
  '32': (reg) => [mov(reg, 32)],
  '33': (reg) => [mov(reg, 33)],
  '64': (reg) => [mov(reg, ROOM)],
  '65': (reg) => [mov(reg, ROOM + 1)],
  '-1': (reg) => [mov(reg, -1)],
  'less than may be': (reg) => [mov(reg, 1 << 29), add(reg, -1)],
  'as much as may be': (reg) => [mov(reg, 1 << 29)],
  '0 to 32': (reg) => [mov(reg, r8), leave('gt', reg, 32)],
  '0 to 64': (reg) => [mov(reg, r8), leave('gt', reg, ROOM)],
  '0 to 65': (reg) => [mov(reg, r8), leave('gt', reg, ROOM + 1)],
  '1 to 64': (reg) => [mov(reg, r8), leave('gt', reg, ROOM), leave('eq', reg, 0)],
  '1 to 65': (reg) => [mov(reg, r8), leave('gt', reg, ROOM), add(reg, 1)],
  '0 or 64': (reg) => [mov(reg, r8), and(reg, ROOM)],
  '0, 1, 64 or 65': (reg) => [mov(reg, r8), and(reg, ROOM + 1)],
  'odd and below 64': (reg) => [mov(reg, r8), and(reg, ROOM - 2), alu('or', reg, 1)],
  'at least 64': (reg) => [mov(reg, r8), leave('lt', reg, ROOM)],
  'any 32 bits': (reg) => [mov(reg, r8)],
  'any 64 bits': (reg) => word(reg),
  'not negative': (reg) => [...word(reg), leave('slt', reg, 0)],
  'signed, at most 64': (reg) => [...word(reg), leave('sgt', reg, ROOM)],
  'signed, 0 to 64': (reg) => [...word(reg), leave('sgt', reg, ROOM), leave('slt', reg, 0)],
  'signed, -1 to 64': (reg) => [...word(reg), leave('sgt', reg, ROOM), leave('slt', reg, -1)],
  negative: (reg) => [...word(reg), leave('sge', reg, 0)],
  'at most 64 in the low half': (reg) => [...word(reg), leave32('gt', reg, ROOM)],
  '0 to 64 in the signed low half': (reg) => [
    ...word(reg),
    leave32('sgt', reg, ROOM),
    leave32('slt', reg, 0),
  ],
  'at most 64 in the low half of 32 bits': (reg) => [mov(reg, r8), leave32('gt', reg, ROOM)],
  'at most 64 in the signed low half of 32 bits': (reg) => [mov(reg, r8), leave32('sgt', reg, ROOM)],
};

const STRICT: ReadonlySet<string> = new Set([
  '0',
  '64',
  '65',
  '0 to 64',
  '0 to 65',
  '1 to 64',
  'signed, at most 64',
]);

/** Tried with functions whose form was tried with all. */
const FEW: ReadonlySet<string> = new Set([
  ...STRICT,
  '-1',
  'less than may be',
  'any 32 bits',
  'at least 64',
  'negative',
]);

/** Every size for all memory of one function of each form; few sizes for the own buffers of the others. */
export const sizes: Family = family(
  'sizes',
  sized().flatMap((one) =>
    Object.keys(MEMORY)
      .filter((memory, i) => i === 0 || (one.first && (memory !== 'a packet' || one.type === 'tc')))
      .map((memory) => ({ ...one, memory, name: `${one.contract.name}, ${memory} in r${one.mem + 1}` })),
  ),
  Object.keys(SIZES),
  ({ contract, type, mem, size, memory, first: all }, column) => {
    if (!all && !FEW.has(column)) return undefined;
    const { maps, first, load } = MEMORY[memory]!;
    return tried(() =>
      callWith(contract, type, size, {
        ...(maps === undefined ? {} : { maps }),
        first: (...names) => [callHelper(7), mov(w8, w0), ...(first?.(...names) ?? [])],
        load: (reg, ...names) => [...load(registers[mem + 1]!, ...names), ...SIZES[column]!(reg)],
      }),
    );
  },
  (_, column) => STRICT.has(column),
);
