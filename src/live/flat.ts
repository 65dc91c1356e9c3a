/**
 * The text that polls as a program, not as an object: for cases and generated programs, for the VM, and to see what each insn of it was
 * written for.
 */

import { decodeAll } from '../isa/decode.js';
import type { Insn } from '../isa/insn.js';
import { BPF_DW, BPF_IMM, BPF_LD, IMM64_CODES } from '../isa/opcodes.js';
import { subprogTarget } from '../isa/target.js';
import { BPF_F_MMAPABLE } from '../object/map-types.js';
import type { MapDef, Program, Subprog } from '../object/program.js';
import type { Origin } from '../patch/two-mode/lines.js';
import type { Plan } from '../patch/two-mode/plan.js';
import { withStaticFunctions } from './functions.js';
import { PollWriter } from './poll-text.js';
import type { Polls } from './polls.js';
import { type FunctionName, type FunctionText, writeTexts } from './text.js';
import { KILL_SECTION, layoutOf, placesOf, type WordForm } from './words.js';

const LD_IMM64 = BPF_LD | BPF_IMM | BPF_DW;

/** A program that polls, and by slot what its insns were written for. */
export interface Flat {
  readonly program: Program;
  readonly origins: readonly Origin[];
}

/** A function in its place. */
interface Part {
  readonly name: FunctionName;
  readonly insns: readonly Insn[];
  readonly origins: readonly Origin[];
  readonly references: ReadonlyMap<number, FunctionName>;
  readonly subprog: Subprog;
}

const key = ({ variant, start }: FunctionName): string => `${variant} ${start}`;

/** Writes a plan's program with these polls; its word is the first of a map of its own. Throws NoPoll as `PollWriter`. */
export function flatProgram(plan: Plan, polls: Polls, form: WordForm = {}): Flat {
  const { program } = plan;
  const layout = layoutOf(1, form);
  const words: MapDef = {
    name: KILL_SECTION,
    type: 'array',
    keySize: 4,
    valueSize: layout.size,
    maxEntries: 1,
    flags: BPF_F_MMAPABLE,
    fields: [],
  };
  if (!polls.killable.has(0)) {
    const origins = program.insns.map((_, slot): Origin => ({ mode: 'normal', slot }));
    return { program: { ...program, maps: [...program.maps, words] }, origins };
  }
  const texts = writeTexts(plan, polls, new PollWriter(plan.ops, plan.verified, placesOf(layout, 0, form)));
  const parts = texts.map((text) => partOf(text));
  addPlain(plan, parts);
  const starts = new Map<string, number>();
  let size = 0;
  for (const part of parts) {
    starts.set(key(part.name), size);
    size += part.insns.length;
  }
  const insns: Insn[] = [];
  for (const part of parts) {
    part.insns.forEach((insn, slot) => {
      const named = part.references.get(slot);
      const here = insns.length;
      if (named !== undefined) insns.push({ ...insn, imm: starts.get(key(named))! - here - 1 });
      else if (isWord(part, slot))
        insns.push({ ...insn, src: IMM64_CODES.map_value, imm: program.maps.length });
      else if (slot > 0 && isWord(part, slot - 1)) insns.push({ ...insn, imm: part.insns[slot - 1]!.imm });
      else insns.push(insn);
    });
  }
  const { lines: _, ...rest } = program;
  const placed = parts.map((part): Subprog => ({ ...part.subprog, start: starts.get(key(part.name))! }));
  const named = withStaticFunctions(rest, placed);
  return {
    program: { ...named, insns, maps: [...program.maps, words] },
    origins: parts.flatMap(({ origins }) => origins),
  };
}

/** The first slot of a load of an address in the map of words. */
function isWord({ insns, origins }: Part, slot: number): boolean {
  return insns[slot]!.opcode === LD_IMM64 && origins[slot]!.mode === 'switch';
}

function partOf({ start, variant, subprog, insns, origins, references }: FunctionText): Part {
  const name = variant === 'killable' && start === 0 ? subprog.name : `${subprog.name}_${variant}`;
  return { name: { start, variant }, insns, origins, references, subprog: { ...subprog, name } };
}

/** Adds the functions that stay as they were and are called. */
function addPlain(plan: Plan, parts: Part[]): void {
  const ops = decodeAll(plan.program.insns);
  const { subprogs, insns } = plan.program;
  const known = new Set(parts.map(({ name }) => key(name)));
  for (let i = 0; i < parts.length; i++) {
    for (const name of parts[i]!.references.values()) {
      if (known.has(key(name))) continue;
      known.add(key(name));
      const at = subprogs.findIndex(({ start }) => start === name.start);
      const end = subprogs[at + 1]?.start ?? insns.length;
      const references = new Map<number, FunctionName>();
      for (let slot = name.start; slot < end; slot++) {
        const op = ops[slot];
        const start = op && subprogTarget(op, slot);
        if (start !== undefined) references.set(slot - name.start, { variant: 'plain', start });
      }
      const body = insns.slice(name.start, end);
      const origins = body.map((_, slot): Origin => ({ mode: 'normal', slot: name.start + slot }));
      parts.push({ name, insns: body, origins, references, subprog: subprogs[at]! });
    }
  }
}
