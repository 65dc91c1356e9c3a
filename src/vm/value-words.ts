/** Values of a run in words that a person can follow: what a pointer points to, and numbers as numbers. */
import { STACK_SIZE } from '../isa/insn.js';
import { offsetOf, regionOf } from './state/address.js';
import type { MachineState } from './state/machine.js';
import { type Region, SHADOW } from './state/memory.js';
import type { SlotObject } from './state/slot-object.js';

/** A pointer farther from its region than this is a number that looks like one (BPF_MAX_VAR_OFF). */
const FARTHEST = 1n << 29n;
/** Numbers up to this are written as decimals. */
const DECIMAL = 1n << 20n;

/** `fp-8`, `value of map locked+4`, `ctx`, `-1`, `0x80001234`: a 64-bit value (unsigned) as it is in this run now. */
export function valueInWords(machine: MachineState, value: bigint): string {
  const number = regionOf(value);
  const region = number === 0 ? undefined : machine.memory.get(number);
  const offset = offsetOf(value);
  if (region === undefined || BigInt(Math.abs(offset)) > FARTHEST) return numberInWords(value);
  if (region.kind === 'stack') return `${framePointer(machine, number - 1)}${signed(offset - STACK_SIZE)}`;
  if (region.kind === 'func') return `function at insn ${offset}`;
  return `${region.kind === 'ctx' ? 'ctx' : region.name}${signed(offset)}${region.alive ? '' : ' (given back)'}`;
}

/** Of a stack: `fp`, or `fp[2]` where the program has several functions. */
const framePointer = (machine: MachineState, depth: number): string =>
  machine.code.program.subprogs.length > 1 ? `fp[${depth}]` : 'fp';

const signed = (offset: number): string => (offset === 0 ? '' : offset < 0 ? `${offset}` : `+${offset}`);

function numberInWords(value: bigint): string {
  const asSigned = BigInt.asIntN(64, value);
  if (asSigned > -DECIMAL && asSigned < DECIMAL) return `${asSigned}`;
  // An error of 32 bits is easier to read as one.
  const low = BigInt.asIntN(32, value);
  if (value >> 32n === 0n && low < 0n && low > -4096n) return `${low} (32 bits)`;
  return `0x${value.toString(16)}`;
}

/** Where a word of a stack is: `fp-16`, `fp[1]-16`. `offset`: of its first byte from the lowest byte of the stack. */
export const stackPlace = (machine: MachineState, depth: number, offset: number): string =>
  `${framePointer(machine, depth)}${offset - STACK_SIZE}`;

/**
 * The 8 bytes of a stack at `offset` in words; undefined where nothing of them was written. A byte that nobody wrote is `__`, one that a stub
 * left unwritten though the call would have written it is `??`.
 */
export function stackWordInWords(machine: MachineState, region: Region, offset: number): string | undefined {
  const object = objectAt(region, offset);
  if (object !== undefined) return object;
  const { bytes, shadow, view } = region;
  let written = 0;
  let skipped = 0;
  for (let i = offset; i < offset + 8; i++) {
    if (shadow?.[i] === SHADOW.written) written++;
    else if (shadow?.[i] === SHADOW.skipped) skipped++;
  }
  if (written + skipped === 0) return undefined;
  if (written === 8) return valueInWords(machine, view.getBigUint64(offset, true));
  return Array.from({ length: 8 }, (_, i) => {
    const of = shadow?.[offset + i];
    if (of === SHADOW.skipped) return '??';
    return of === SHADOW.written ? bytes[offset + i]!.toString(16).padStart(2, '0') : '__';
  }).join(' ');
}

function objectAt({ objects }: Region, offset: number): string | undefined {
  const object = objects?.get(offset);
  return object === undefined ? undefined : objectInWords(object);
}

function objectInWords(object: SlotObject): string {
  switch (object.kind) {
    case 'dynptr':
      return object.region === 0 ? 'null dynptr' : `dynptr (${object.type}), ${object.size} bytes`;
    case 'iter':
      return `iterator (${object.type}), ${object.state}`;
    case 'irq':
      return 'saved interrupt flags';
  }
}
