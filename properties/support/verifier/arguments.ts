/**
 * Every kind of argument of the kernel's functions, given what it is for and everything else: NULL, numbers, the context, other arguments,
 * pointers moved by a little. A correct call is made first, and the register is changed right before it.
 */
import {
  add,
  and,
  ldImm64,
  ldx,
  mov,
  type Reg,
  r0,
  r6,
  r10,
  registers,
  st,
  sub,
} from '../../../src/isa/build.js';
import type { Item } from '../../../src/isa/label.js';
import { contracts } from '../../../src/kernel/catalog.js';
import type { Contract } from '../../../src/kernel/contract.js';
import type { Program, ProgType } from '../../../src/object/program.js';
import { callProgram, callWith } from '../contracts/call.js';
import { NoWay } from '../contracts/things.js';
import { type Family, family } from './family.js';

interface Argument {
  readonly name: string;
  readonly contract: Contract;
  readonly type: ProgType;
  readonly index: number;
}

/** Types in which a call is looked for, in this order. */
export const TYPES: readonly ProgType[] = ['tc', 'xdp', 'syscall', 'cgroup_skb', 'sk_msg', 'sock_ops'];

/** Fails to load, or worse, whatever is wrong with it: Linux takes anything for the map of a work queue. */
export const LEFT_OUT = /^bpf_wq_/;

/** What `make` makes; undefined where there is no way to it. */
export function tried(make: () => Program): Program | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof NoWay) return undefined;
    throw error;
  }
}

/** One function for each argument that differs from all others. */
function distinct(): readonly Argument[] {
  const seen = new Set<string>();
  const found: Argument[] = [];
  for (const contract of contracts()) {
    if (LEFT_OUT.test(contract.name)) continue;
    const type = TYPES.find(
      (each) => contract.types.includes(each) && tried(() => callProgram(contract, each)) !== undefined,
    );
    if (type === undefined) continue;
    contract.args.forEach((arg, index) => {
      const key = `${contract.kind} ${JSON.stringify(arg)}`;
      if (arg.kind === 'ignored' || seen.has(key)) return;
      seen.add(key);
      found.push({ name: `${contract.name}, ${arg.kind} in r${index + 1}`, contract, type, index });
    });
  }
  return found;
}

/** What the register becomes. `other`: the register of another argument, or one that is free. */
const CHANGES: Readonly<Record<string, (reg: Reg<64>, other: Reg<64>) => Item[]>> = {
  'as it should be': () => [],
  NULL: (reg) => [mov(reg, 0)],
  '1': (reg) => [mov(reg, 1)],
  '-1': (reg) => [mov(reg, -1)],
  '512': (reg) => [mov(reg, 512)],
  '65': (reg) => [mov(reg, 65)],
  'more than may be asked for': (reg) => [mov(reg, 1 << 29)],
  'a large number': (reg) => [ldImm64(reg, 1n << 40n)],
  'the context': (reg) => [mov(reg, r6)],
  'the frame pointer': (reg) => [mov(reg, r10)],
  'a slot never written': (reg) => [mov(reg, r10), add(reg, -496)],
  'a slot that is written': (reg) => [
    st(8, r10, -496, 0),
    st(8, r10, -488, 0),
    mov(reg, r10),
    add(reg, -496),
  ],
  'below the frame': (reg) => [mov(reg, r10), add(reg, -513)],
  'another argument': (reg, other) => [mov(reg, other)],
  'moved by 8': (reg) => [add(reg, 8)],
  'moved by 1': (reg) => [add(reg, 1)],
  'moved back by 4': (reg) => [add(reg, -4)],
  'moved by nothing': (reg) => [add(reg, 0)],
  'moved there and back': (reg) => [add(reg, 16), add(reg, -16)],
  'an unknown number': (reg) => [mov(reg, r10), ldx(4, reg, reg, -512)],
  'an unknown number up to 7': (reg) => [mov(reg, r10), ldx(4, reg, reg, -512), and(reg, 7)],
  'moved by an unknown number': (reg) => [ldx(4, r0, r10, -512), and(r0, 8), add(reg, r0)],
  'taken back by an unknown number': (reg) => [ldx(4, r0, r10, -512), and(r0, 8), sub(reg, r0)],
};

/** Each argument, and what is passed instead. */
export const wrongArguments: Family = family(
  'arguments',
  distinct(),
  Object.keys(CHANGES),
  ({ contract, type, index }, change) => {
    const other = index + 1 < contract.args.length ? index + 2 : index === 0 ? 6 : index;
    const load = (reg: Reg<64>): Item[] => CHANGES[change]!(reg, registers[other]!);
    return tried(() => callWith(contract, type, index, { load }));
  },
);
