/**
 * Raw slots to assembly text, in the spelling of the kernel's verifier log (kernel/bpf/disasm.c). Where the log
 * leaves something out, the text says more, so that it assembles to the same slots again: a 64-bit immediate ends
 * in `ll`, and maps, functions and BTF objects are named as such.
 */
import { decodeAll } from './decode.js';
import type { Insn, Op, Operand, Size, Width } from './insn.js';
import { isReserved, NAME, NO_SYMBOLS, type Symbols } from './symbols.js';
import { subprogTarget, targetOf } from './target.js';
import { ALU_MARKS, COMPARISON_MARKS } from './words.js';

/** Which names to print. Without any, all jumps, calls, maps and helpers are printed as numbers. */
export interface DisassembleOptions {
  readonly symbols?: Symbols;
  /** Labels in place of pc-relative targets. Where a slot has no name in `names`, it is called `L<slot>` or `sub_<slot>`. */
  readonly labels?: boolean;
  /** Names by slot, for `labels`: `Subprog.name` and the like. Names that text cannot hold are passed over. */
  readonly names?: ReadonlyMap<number, string>;
  /** Lines to print above the insn of a slot, by slot: comments. */
  readonly above?: ReadonlyMap<number, readonly string[]>;
}

/**
 * The text of one operation, without label. `target` names a slot that a jump, a call or a function reference leads
 * to; where it returns nothing the text is pc-relative.
 */
export function formatOp(
  op: Op,
  symbols: Symbols = NO_SYMBOLS,
  target: (offset: number) => string | undefined = () => undefined,
): string {
  const to = (offset: number) => target(offset) ?? `pc${plus(offset)}`;
  switch (op.kind) {
    case 'alu':
      return `${reg(op.dst, op.width)} ${ALU_MARKS[op.op]} ${operand(op.src, op.width)}`;
    case 'mov':
      return `${reg(op.dst, op.width)} = ${operand(op.src, op.width)}`;
    case 'movsx':
      return `${reg(op.dst, op.width)} = (s${op.bits})${reg(op.src, op.width)}`;
    case 'neg':
      return `${reg(op.dst, op.width)} = -${reg(op.dst, op.width)}`;
    case 'end':
      return `r${op.dst} = ${op.op}${op.bits} r${op.dst}`;
    case 'addr_space_cast':
      return `r${op.dst} = addr_space_cast(r${op.src}, ${op.imm >>> 16}, ${op.imm & 0xffff})`;
    case 'ld_imm64':
      return `r${op.dst} = ${imm64(op, symbols, to)}`;
    case 'ldx':
      return `r${op.dst} = *(${op.signed ? 's' : 'u'}${op.size * 8} *)${memory(op.src, op.off)}`;
    case 'stx':
      return `*${cast(op.size)}${memory(op.dst, op.off)} = r${op.src}`;
    case 'st':
      return `*${cast(op.size)}${memory(op.dst, op.off)} = ${op.imm}`;
    case 'atomic':
      return atomic(op);
    case 'load_acquire':
      return `r${op.dst} = load_acquire(${cast(op.size)}${memory(op.src, op.off)})`;
    case 'store_release':
      return `store_release(${cast(op.size)}${memory(op.dst, op.off)}, r${op.src})`;
    case 'ld_packet':
      return `r0 = *${cast(op.size)}skb[${op.src < 0 ? '' : `r${op.src} + `}${op.imm}]`;
    case 'ja':
      return `${op.long ? 'gotol' : 'goto'} ${to(op.off)}`;
    case 'jmp': {
      const right = 'reg' in op.src ? reg(op.src.reg, op.width) : `0x${(op.src.imm >>> 0).toString(16)}`;
      return `if ${reg(op.dst, op.width)} ${COMPARISON_MARKS[op.op]} ${right} goto ${to(op.off)}`;
    }
    case 'may_goto':
      return `may_goto ${to(op.off)}`;
    case 'unwind_goto':
      return `unwind_goto ${to(op.off)}`;
    case 'call':
      return `call ${callee(op, symbols, to)}`;
    case 'exit':
    case 'unwind_exit':
      return op.kind;
  }
}

/** The text of one insn of a program, pc-relative; `undefined` at the second slot of a 64-bit immediate. */
export function formatSlots(insns: readonly Insn[], symbols: Symbols = NO_SYMBOLS): (string | undefined)[] {
  return decodeAll(insns).map((op) => op && formatOp(op, symbols));
}

/**
 * The text of a program, an insn a line, indented by four blanks below its labels. Assembling it with the same
 * symbols gives the same slots. Throws InputError as `decode` for undefined encodings.
 */
export function disassemble(insns: readonly Insn[], options: DisassembleOptions = {}): string {
  const { symbols = NO_SYMBOLS } = options;
  const ops = decodeAll(insns);
  const names = options.labels
    ? labelsOf(ops, symbols, options.names ?? new Map())
    : new Map<number, string>();
  const lines: string[] = [];
  ops.forEach((op, slot) => {
    const name = names.get(slot);
    if (name !== undefined) lines.push(`${name}:`);
    if (op === undefined) return;
    for (const line of options.above?.get(slot) ?? []) lines.push(`    ${line}`);
    lines.push(`    ${formatOp(op, symbols, (offset) => names.get(slot + 1 + offset))}`);
  });
  const last = names.get(ops.length);
  if (last !== undefined) lines.push(`${last}:`);
  return lines.map((line) => `${line}\n`).join('');
}

/** A name for every slot that is led to, and for given names. No label may hide a helper or kfunc that a call names. */
function labelsOf(
  ops: readonly (Op | undefined)[],
  symbols: Symbols,
  given: ReadonlyMap<number, string>,
): Map<number, string> {
  const labels = new Map<number, string>();
  const taken = new Set(symbols.kfuncs);
  const free = (name: string) =>
    NAME.test(name) && !isReserved(name) && !taken.has(name) && symbols.helperId(name) === undefined;
  const put = (slot: number, name: string) => {
    // The second slot of a 64-bit immediate has no line of its own that a label could stand before.
    const labelled = slot === ops.length || ops[slot] !== undefined;
    if (!labelled || labels.has(slot) || !free(name)) return;
    taken.add(name);
    labels.set(slot, name);
  };
  for (const [slot, name] of given) put(slot, name);
  ops.forEach((op, slot) => {
    const to = op && subprogTarget(op, slot);
    if (to !== undefined) put(to, `sub_${to}`);
  });
  ops.forEach((op, slot) => {
    const to = op && targetOf(op, slot);
    if (to !== undefined) put(to, `L${to}`);
  });
  return labels;
}

function reg(number: number, width: Width): string {
  return `${width === 64 ? 'r' : 'w'}${number}`;
}

function operand(src: Operand, width: Width): string {
  return 'reg' in src ? reg(src.reg, width) : `${src.imm}`;
}

function plus(number: number): string {
  return number < 0 ? `${number}` : `+${number}`;
}

function cast(size: Size): string {
  return `(u${size * 8} *)`;
}

function memory(base: number, off: number): string {
  return `(r${base} ${plus(off)})`;
}

function atomic(op: Extract<Op, { kind: 'atomic' }>): string {
  const where = `${cast(op.size)}${memory(op.dst, op.off)}`;
  const prefix = op.size === 8 ? 'atomic64' : 'atomic';
  switch (op.op) {
    case 'xchg':
      return `r${op.src} = ${prefix}_xchg(${where}, r${op.src})`;
    case 'cmpxchg':
      return `r0 = ${prefix}_cmpxchg(${where}, r0, r${op.src})`;
    default:
      if (op.fetch) return `r${op.src} = ${prefix}_fetch_${op.op}(${where}, r${op.src})`;
      return `lock *${where} ${ALU_MARKS[op.op]} r${op.src}`;
  }
}

function imm64(
  op: Extract<Op, { kind: 'ld_imm64' }>,
  symbols: Symbols,
  to: (offset: number) => string,
): string {
  const offset = op.hi === 0 ? '' : ` ${plus(op.hi)}`;
  switch (op.as) {
    case 'imm': {
      const value = (BigInt(op.hi >>> 0) << 32n) | BigInt(op.imm >>> 0);
      return `0x${value.toString(16)} ll`;
    }
    case 'map':
      return `map ${indexed(op.imm, symbols.maps)}`;
    case 'map_value':
      return `mapvalue ${indexed(op.imm, symbols.maps)}${offset}`;
    case 'map_fd':
      return `map_fd ${op.imm}`;
    case 'map_fd_value':
      return `mapvalue_fd ${op.imm}${offset}`;
    case 'btf_id':
      return `btf_id ${op.imm}${op.hi === 0 ? '' : ` of ${op.hi}`}`;
    case 'func':
      return `func ${to(op.imm)}`;
  }
}

function callee(op: Extract<Op, { kind: 'call' }>, symbols: Symbols, to: (offset: number) => string): string {
  if (op.target === 'subprog') return to(op.imm);
  if (op.target === 'helper') return `${symbols.helperName(op.imm) ?? 'unknown'}#${op.imm}`;
  const name = symbols.kfuncs[op.imm];
  const plain = name !== undefined && symbols.kfuncs.indexOf(name) === op.imm && NAME.test(name);
  if (!plain || isReserved(name) || symbols.helperId(name) !== undefined) return `kfunc#${op.imm}`;
  // A name that the assembler would refuse stays a number.
  return symbols.isKfunc?.(name) === false ? `kfunc#${op.imm}` : name;
}

/** The name at an index, or `#index` where that name is missing, is not the first of its kind, or cannot stand in text. */
function indexed(index: number, names: readonly string[]): string {
  const name = names[index];
  return name !== undefined && NAME.test(name) && names.indexOf(name) === index ? name : `#${index}`;
}
