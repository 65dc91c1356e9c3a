/** Counts what generated programs are made of: kinds of insns, fragments, functions, maps, calls. */
import type { Fragment } from '../../../generators/fragment.js';
import type { GeneratedProgram } from '../../../generators/program.js';
import { decodeAll } from '../../../src/isa/decode.js';
import type { Op } from '../../../src/isa/insn.js';
import { contractOf } from '../../../src/kernel/catalog.js';
import type { Program } from '../../../src/object/program.js';

/** How often each thing was seen, by its name. */
export type Census = Map<string, number>;

const operand = (src: { readonly reg: number } | { readonly imm: number }): string =>
  'reg' in src ? 'register' : 'constant';

/** The kind of an operation with all that matters of its shape: operator, width, size, sign. */
export function shapeOf(op: Op): string {
  switch (op.kind) {
    case 'alu':
      return `alu ${op.op} ${op.width} ${operand(op.src)}`;
    case 'mov':
      return `mov ${op.width} ${operand(op.src)}`;
    case 'movsx':
      return `movsx ${op.bits} ${op.width}`;
    case 'neg':
      return `neg ${op.width}`;
    case 'end':
      return `end ${op.op} ${op.bits}`;
    case 'ld_imm64':
      return `ld_imm64 ${op.as}`;
    case 'ldx':
      return `ldx ${op.size}${op.signed ? ' signed' : ''}`;
    case 'atomic':
      return `atomic ${op.op} ${op.size}${op.fetch ? ' fetch' : ''}`;
    case 'jmp':
      return `jmp ${op.op} ${op.width} ${operand(op.src)}`;
    case 'call':
      return `call ${op.target}`;
    case 'ld_packet':
      return `ld_packet ${op.size}${op.src < 0 ? '' : ' indirect'}`;
    case 'ja':
      return op.long ? 'ja long' : 'ja';
    default:
      return 'size' in op ? `${op.kind} ${op.size}` : op.kind;
  }
}

export function operations(program: Program): readonly Op[] {
  return decodeAll(program.insns).filter((op): op is Op => op !== undefined);
}

/** Names of the functions that a program calls, one for each call insn. */
export function called(program: Program): readonly string[] {
  return operations(program).flatMap((op) => {
    const contract = op.kind === 'call' ? contractOf(program, op) : undefined;
    return contract === undefined ? [] : [contract.name];
  });
}

/** Calls of subprograms and callbacks that may be open at once, 1 for a program of one function. */
export function frameDepth(program: Program): number {
  const ops = decodeAll(program.insns);
  const starts = program.subprogs.map(({ start }) => start);
  const end = (i: number): number => starts[i + 1] ?? ops.length;
  const calls = starts.map((start, i) => {
    const targets: number[] = [];
    for (let slot = start; slot < end(i); slot++) {
      const op = ops[slot];
      if (op?.kind === 'call' && op.target === 'subprog') targets.push(slot + 1 + op.imm);
      if (op?.kind === 'ld_imm64' && op.as === 'func') targets.push(slot + 1 + op.imm);
    }
    return targets.map((target) => starts.indexOf(target));
  });
  const depth = (i: number): number => 1 + Math.max(0, ...calls[i]!.map(depth));
  return depth(0);
}

/** How deep fragments are nested in each other. */
export function fragmentDepth(body: readonly Fragment[]): number {
  return body.length === 0 ? 0 : 1 + Math.max(...body.map((node) => fragmentDepth(node.body)));
}

/** The family that a fragment is of: its name without what it was drawn with. */
export function familyOf(name: string): string {
  return name
    .replace(/^(call|feature) bpf_.*|^(call|feature) css_.*/, '$1$2')
    .replace(/returns what .*/, 'that acquires');
}

export function add(census: Census, what: string, count = 1): void {
  census.set(what, (census.get(what) ?? 0) + count);
}

/** Counts a program and its tree. */
export function count(census: Census, { program, tree }: GeneratedProgram): void {
  for (const op of operations(program)) add(census, shapeOf(op));
  const walk = (node: Fragment): void => {
    add(census, `fragment ${familyOf(node.name)}`);
    for (const inner of node.body) walk(inner);
  };
  for (const node of tree.body) walk(node);
  for (const { name } of program.maps) add(census, `map ${name}`);
  for (const { name } of program.localTypes) add(census, `struct ${name}`);
  for (const { linkage, exceptionCallback } of program.subprogs.slice(1))
    add(census, exceptionCallback === true ? 'function of exceptions' : `function ${linkage}`);
  add(census, `type ${program.type}`);
  add(census, `frames ${frameDepth(program)}`);
  add(census, `nesting ${Math.min(8, fragmentDepth(tree.body))}`);
  for (const name of new Set(called(program))) add(census, `call of ${name}`);
}
