/**
 * What the kernel's verifier knows of r6 to r9 along a straight line of scalar insns: the program is loaded with
 * log_level 2 and the log is read. Each conditional jump leads to an exit of its own, so that nothing is pruned.
 */
import { callHelper, exit, mov, r0, registers } from '../../../src/isa/build.js';
import { encode } from '../../../src/isa/encode.js';
import type { Insn, Op } from '../../../src/isa/insn.js';
import type { Program } from '../../../src/object/program.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { readWalk } from '../../../src/oracle/walk-log/walk.js';
import { format } from '../../../src/verifier/scalar/set.js';

const PRANDOM = 7;
export const FIRST = 6;
export const LAST = 9;

/** Registers by number, each as `format` prints it; those that are known. */
export type Printed = ReadonlyMap<number, string>;

/** What is known after one insn: after falling through, and where its jump leads. */
export interface Seen {
  /** Undefined where the kernel never fell through. */
  readonly after: Printed | undefined;
  /** Undefined where the kernel never jumped. */
  readonly jumped: Printed | undefined;
}

/**
 * Loads unknown scalars into r6 to r9, then runs `line` (insns without jumps, or jumps whose `off` is filled in here).
 * Returns what the log says about each insn of the line. Throws if the kernel refuses the program.
 */
export function kernelScalars(line: readonly Op[]): Seen[] {
  const prologue: Op[] = [];
  for (let r = FIRST; r <= LAST; r++) prologue.push(callHelper(PRANDOM), mov(registers[r]!, r0));
  prologue.push(mov(r0, 0));
  const exits = prologue.length + line.length + 2;
  const targets: number[] = [];
  const body = line.map((op, i): Op => {
    if (op.kind !== 'jmp') return op;
    const target = exits + 2 * targets.length;
    targets.push(target);
    return { ...op, off: target - (prologue.length + i) - 1 };
  });
  const ends = targets.flatMap((_, i): Op[] => [mov(r0, i + 1), exit()]);
  const ops = [...prologue, ...body, mov(r0, 0), exit(), ...ends];
  const edges = walk(ops.flatMap((op): readonly Insn[] => encode(op)));
  return body.map((op, i) => {
    const slot = prologue.length + i;
    const target = op.kind === 'jmp' ? slot + 1 + op.off : -1;
    return { after: edges.get(`${slot} to ${slot + 1}`), jumped: edges.get(`${slot} to ${target}`) };
  });
}

/** By edge of the control flow, `slot to slot`, what was known of scalars when the kernel went along it. */
function walk(insns: readonly Insn[]): ReadonlyMap<string, Printed> {
  const program: Program = {
    name: 'scalars',
    type: 'socket_filter',
    insns,
    maps: [],
    kfuncs: [],
    subprogs: [{ name: 'scalars', start: 0, linkage: 'global' }],
    localTypes: [],
  };
  const loaded = loadProgram(program, { logLevel: 2 });
  if (!loaded.ok) throw new Error(`the kernel refuses: ${loaded.message}\n${loaded.log}`);
  loaded.close();
  const edges = new Map<string, Printed>();
  // Where the kernel splits a register in two it comes to the same slot later: that second walk is left out.
  let split = insns.length;
  readWalk(loaded.log, program, ({ from, slot, regs }) => {
    if (from === slot) split = Math.min(split, slot);
    if (from < split)
      edges.set(`${from} to ${slot}`, new Map([...regs].map(([n, { num }]) => [n, format(num)])));
  });
  return edges;
}
