/** Measures cases. Every step of shrinking makes this measure smaller, so shrinking ends. */

import { decodeAll } from '../../isa/decode.js';
import type { Op } from '../../isa/insn.js';
import type { Program } from '../../object/program.js';
import type { Environment } from '../../vm/state/environment.js';

/** A program, its world, and the kill: together they show a broken check. */
export interface Scenario {
  readonly program: Program;
  readonly env: Environment;
  /** Steps before the kill. */
  readonly step: number;
}

/** Insns as they are written: a 64-bit immediate, which takes two slots, counts once. */
export function insnCount({ insns }: Program): number {
  return decodeAll(insns).filter((op) => op !== undefined).length;
}

/** Compared from the left: insns as written, slots, weight of the insns, size of what they name, size of the environment, steps. */
export type Size = readonly number[];

/** Measures a scenario, so that `isSmaller` can compare it with another of the same shrinking. */
export function sizeOf({ program, env, step }: Scenario): Size {
  const weight = decodeAll(program.insns).reduce((sum, op) => sum + (op === undefined ? 0 : weightOf(op)), 0);
  return [
    insnCount(program),
    program.insns.length,
    weight,
    weightOfProgram(program),
    weightOfEnvironment(env),
    step,
  ];
}

/** Whether `a` is smaller than `b`. */
export function isSmaller(a: Size, b: Size): boolean {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value < b[i]!;
  return false;
}

/** Operations that are easier to read weigh less. */
export function weightOf(op: Op): number {
  return BASE[op.kind] + weightOfNumbers(op);
}

const BASE: Readonly<Record<Op['kind'], number>> = {
  exit: 0,
  unwind_exit: 50,
  mov: 100,
  st: 200,
  ldx: 300,
  stx: 300,
  ja: 350,
  ld_imm64: 350,
  alu: 400,
  neg: 400,
  movsx: 500,
  end: 500,
  jmp: 600,
  load_acquire: 700,
  store_release: 700,
  atomic: 800,
  ld_packet: 900,
  may_goto: 900,
  unwind_goto: 900,
  addr_space_cast: 900,
  call: 1000,
};

/** Small numbers weigh little, and an immediate less than a register; offsets are what they must be. */
function weightOfNumbers(op: Op): number {
  let sum = 0;
  if ('src' in op && typeof op.src === 'object') sum += 'reg' in op.src ? 70 : bitsOf(op.src.imm);
  if (op.kind === 'st') sum += bitsOf(op.imm);
  if (op.kind === 'ld_imm64' && op.as === 'imm') sum += bitsOf(op.imm) + bitsOf(op.hi);
  if (op.kind === 'jmp') sum += op.op === 'eq' ? 0 : op.op === 'ne' ? 1 : 2;
  if ('width' in op && op.width === 32) sum += 1;
  return sum;
}

/** Bits that a number needs, one more for a negative one. */
function bitsOf(value: number): number {
  return value === 0 ? 0 : 33 - Math.clz32(Math.abs(value)) + (value < 0 ? 1 : 0);
}

function weightOfProgram({ name, maps, localTypes, kfuncs, subprogs, section, license }: Program): number {
  const of = maps.map(
    (map) =>
      100 + 20 * map.fields.length + bitsOf(map.maxEntries) + bitsOf(map.valueSize) + bitsOf(map.keySize),
  );
  const structs = localTypes.map((type) => 50 + 20 * type.fields.length);
  const sum = [...of, ...structs].reduce((total, one) => total + one, name === 'case' ? 0 : 1);
  return (
    sum +
    kfuncs.length +
    10 * subprogs.length +
    (section === undefined ? 0 : 1) +
    (license === undefined ? 0 : 1)
  );
}

function weightOfEnvironment({ packet, ctx, ctxFields, maps, choices }: Environment): number {
  let sum = (packet === undefined ? 0 : 10 + packet.length) + (ctx === undefined ? 0 : 10 + ctx.length);
  sum += 10 * (ctxFields?.size ?? 0);
  for (const entries of maps?.values() ?? [])
    for (const [key, value] of entries) sum += 10 + key.length + value.length;
  for (const [key, choice] of choices) sum += 10 + key.length + choice.length;
  return sum;
}
