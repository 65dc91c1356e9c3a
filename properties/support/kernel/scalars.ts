/**
 * What the kernel's verifier knows of r6 to r9 along a straight line of scalar insns: the program is loaded with
 * log_level 2 and the log is read. Each conditional jump leads to an exit of its own, so that nothing is pruned.
 */
import { callHelper, exit, mov, r0, registers } from '../../../src/isa/build.js';
import { encode } from '../../../src/isa/encode.js';
import type { Insn, Op } from '../../../src/isa/insn.js';
import type { Program } from '../../../src/object/program.js';
import { loadProgram } from '../../../src/oracle/load.js';

const PRANDOM = 7;
export const FIRST = 6;
export const LAST = 9;

/** Registers by number, each as the log prints it, without `P` and ids. */
export type Printed = ReadonlyMap<number, string>;

/** What was printed about one insn: after it (or after falling through), and where its jump leads. */
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
  const log = walk(ops.flatMap((op): readonly Insn[] => encode(op)));
  return body.map((op, i) => {
    const slot = prologue.length + i;
    const target = op.kind === 'jmp' ? slot + 1 + op.off : -1;
    const printed = log.at.get(slot);
    const fell = log.walked.get(slot)?.has(slot + 1) === true;
    const always = log.walked.get(slot)?.has(target) === true;
    return {
      after: fell ? printed : undefined,
      jumped: log.from.get(`${slot} to ${target}`) ?? (always ? printed : undefined),
    };
  });
}

interface Log {
  readonly at: Map<number, Printed>;
  readonly from: Map<string, Printed>;
  /** From each slot, the slots printed directly after it. */
  readonly walked: Map<number, Set<number>>;
}

function walk(insns: readonly Insn[]): Log {
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
  const log: Log = { at: new Map(), from: new Map(), walked: new Map() };
  let previous = -1;
  // Where the kernel splits a register in two it comes back to the same slot later: that second walk is left out.
  let split = insns.length;
  for (const text of loaded.log.split('\n')) {
    const from = /^from (\d+) to (\d+): (.*)$/.exec(text);
    if (from !== null) {
      const [source, target] = [Number(from[1]), Number(from[2])];
      if (source === target) split = Math.min(split, source);
      if (source < split) log.from.set(`${source} to ${target}`, registersIn(from[3]!));
      previous = -1;
      continue;
    }
    if (split < insns.length) continue;
    const insn = /^(\d+): \([0-9a-f]{2}\) [^;]*(?:; (.*))?$/.exec(text);
    if (insn === null) continue;
    const slot = Number(insn[1]);
    if (!log.at.has(slot)) log.at.set(slot, registersIn(insn[2] ?? ''));
    if (previous >= 0) log.walked.set(previous, (log.walked.get(previous) ?? new Set()).add(slot));
    previous = slot;
  }
  return log;
}

function registersIn(text: string): Printed {
  const found = new Map<number, string>();
  for (const m of text.matchAll(/\bR(\d+)=P?((?:[a-z_]*\([^ ]*(?: 0x[0-9a-f]+\)\))?|[-0-9a-fx]+))/g)) {
    found.set(Number(m[1]), m[2]!.replace(/id=\d+(?:[+-]\w+)?,?/, ''));
  }
  return found;
}
