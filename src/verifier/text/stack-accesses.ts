/**
 * Which stack slots of its own frame each insn reads, and which it overwrites in full. Found before the walk by following addresses through
 * registers, as constant offsets from the frame pointer or from an argument; a call reads what its callee reads through its arguments.
 * `stack-liveness.ts` makes live slots of it.
 *
 * An address may get lost: it is stored, merged with another one, or moved by an unknown number. It may then be used in any way, so every
 * slot of its frame counts as read everywhere.
 */
import type { Op } from '../../isa/insn.js';
import { FP, STACK_SIZE } from '../../isa/insn.js';
import { subprogTarget } from '../../isa/target.js';
import type { Arg, Contract } from '../../kernel/contract.js';
import { DYNPTR_SIZE, IRQ_FLAG_SIZE, ITER_WORDS } from '../../kernel/structs.js';
import type { Program } from '../../object/program.js';
import { constantOf, FRAME, OTHER, sameValue, type Value } from './register-values.js';

/**
 * Sets of stack slots, one for each slot of the program: two words each, the slots at fp - 8(n + 1) with n from 0 to 31, and those from 32 on.
 */
export type SlotSets = Int32Array;

/** The stack accesses of a whole program, as far as addresses can be followed. */
export interface StackAccesses {
  /** What each insn reads of the frame that runs it. */
  readonly reads: SlotSets;
  /** The slots of which it writes every byte. */
  readonly writes: SlotSets;
  /** First slots of the subprograms that lost track of an address of their own frame: any insn may read any of its slots. */
  readonly escaped: ReadonlySet<number>;
}

/** Bytes read through an argument, by register: offsets relative to it, or `all` when they are not known. */
type Summary = ReadonlyMap<number, 'all' | readonly { readonly off: number; readonly size: number }[]>;

/** The part of `Code` that is ready before stack accesses are worked out. */
export interface Shape {
  readonly ops: readonly (Op | undefined)[];
  readonly contracts: readonly (Contract | undefined)[];
  /** First slot of the subprogram that each slot belongs to. */
  readonly subprogStart: Int32Array;
  /** Registers that are still needed, by slot. */
  readonly live: Uint16Array;
  /** The slots that may run next, by slot. */
  readonly next: readonly (readonly number[])[];
}

/** The stack accesses of every subprogram. */
export function stackAccesses(program: Program, shape: Shape): StackAccesses {
  const analysis = new Analysis(program, shape);
  for (const { start } of program.subprogs) analysis.summarize(start);
  const { reads, writes, escaped } = analysis;
  return { reads, writes, escaped };
}

/** All subprograms: each is followed once, its callees first. */
class Analysis {
  private readonly summaries = new Map<number, Summary>();
  readonly reads: SlotSets;
  readonly writes: SlotSets;
  readonly escaped = new Set<number>();
  private readonly busy = new Set<number>();

  constructor(
    private readonly program: Program,
    private readonly shape: Shape,
  ) {
    this.reads = new Int32Array(2 * shape.ops.length);
    this.writes = new Int32Array(2 * shape.ops.length);
  }

  /** What a subprogram reads through its arguments. Works out the accesses of its insns to its own frame on the way. */
  summarize(start: number): Summary {
    const known = this.summaries.get(start);
    if (known !== undefined) return known;
    // Recursion is refused by the walk; here it only has to end.
    if (this.busy.has(start)) return new Map([1, 2, 3, 4, 5].map((n) => [n, 'all' as const]));
    this.busy.add(start);
    const summary = new Follow(this.program, this.shape, start, (s) => this.summarize(s), this).run();
    this.busy.delete(start);
    this.summaries.set(start, summary);
    return summary;
  }
}

/** Follows addresses through one subprogram. */
class Follow {
  private readonly states = new Map<number, readonly Value[]>();
  private readonly through = new Map<number, 'all' | { off: number; size: number }[]>();

  constructor(
    private readonly program: Program,
    private readonly shape: Shape,
    private readonly start: number,
    private readonly summaryOf: (start: number) => Summary,
    private readonly found: Pick<Analysis, 'reads' | 'writes' | 'escaped'>,
  ) {}

  run(): Summary {
    const entry: Value[] = Array.from({ length: 11 }, (_, n) =>
      n >= 1 && n <= 5
        ? { kind: 'address', base: n, off: 0 }
        : n === FP
          ? { kind: 'address', base: FRAME, off: 0 }
          : OTHER,
    );
    this.states.set(this.start, entry);
    const work = [this.start];
    while (work.length > 0) {
      const at = work.pop()!;
      const op = this.shape.ops[at];
      if (op === undefined) continue;
      const regs = this.states.get(at)!.slice();
      this.found.reads.fill(0, 2 * at, 2 * at + 2);
      this.found.writes.fill(0, 2 * at, 2 * at + 2);
      this.one(op, at, regs);
      for (const next of this.shape.next[at]!) {
        const kept = onlyNeeded(regs, this.shape.live[next] ?? 0);
        const before = this.states.get(next);
        const merged = before === undefined ? kept : this.merge(before, kept);
        if (merged === before) continue;
        this.states.set(next, merged);
        work.push(next);
      }
    }
    return this.through;
  }

  private merge(a: readonly Value[], b: readonly Value[]): readonly Value[] {
    let changed = false;
    const merged = a.map((x, n) => {
      const y = b[n]!;
      if (sameValue(x, y) || x.kind === 'other') {
        if (!sameValue(x, y)) this.lose(y);
        return x;
      }
      changed = true;
      this.lose(x);
      this.lose(y);
      return OTHER;
    });
    return changed ? merged : a;
  }

  /** Notes that this address may be used in ways that are not seen here. */
  private lose(value: Value): void {
    if (value.kind !== 'address') return;
    if (value.base === FRAME) this.found.escaped.add(this.start);
    else this.through.set(value.base, 'all');
  }

  private read(at: number, value: Value, off: number, size: number | undefined): void {
    if (value.kind !== 'address') return;
    if (size === undefined) {
      this.lose(value);
      return;
    }
    if (value.base === FRAME) touched(this.found.reads, at, value.off + off, size);
    else {
      const list = this.through.get(value.base);
      if (list === 'all') return;
      const known = list ?? [];
      if (!known.some((r) => r.off === value.off + off && r.size === size))
        known.push({ off: value.off + off, size });
      // A loop may move the pointer again and again. After some rounds the offset counts as unknown.
      this.through.set(value.base, known.length > 64 ? 'all' : known);
    }
  }

  private write(at: number, value: Value, off: number, size: number): void {
    if (value.kind === 'address' && value.base === FRAME)
      covered(this.found.writes, at, value.off + off, size);
  }

  private one(op: Op, at: number, regs: Value[]): void {
    switch (op.kind) {
      case 'mov':
        if ('imm' in op.src) regs[op.dst] = { kind: 'constant', value: op.src.imm };
        else if (op.width === 64) regs[op.dst] = regs[op.src.reg]!;
        else this.set(regs, op.dst, regs[op.src.reg]!);
        return;
      case 'alu': {
        const left = regs[op.dst]!;
        const right: Value = 'imm' in op.src ? { kind: 'constant', value: op.src.imm } : regs[op.src.reg]!;
        if (op.op === 'add' && op.width === 64) {
          const [address, by] = left.kind === 'address' ? [left, right] : [right, left];
          if (address.kind === 'address' && by.kind === 'constant') {
            regs[op.dst] = { ...address, off: address.off + by.value };
            return;
          }
        }
        if (op.op === 'sub' && op.width === 64 && left.kind === 'address' && right.kind === 'constant') {
          regs[op.dst] = { ...left, off: left.off - right.value };
          return;
        }
        this.lose(right);
        this.set(regs, op.dst, left);
        return;
      }
      case 'ld_imm64':
        if (op.as === 'func') regs[op.dst] = { kind: 'func', start: at + 1 + op.imm };
        else if (op.as === 'map') regs[op.dst] = { kind: 'map', map: op.imm };
        else regs[op.dst] = OTHER;
        return;
      case 'movsx':
      case 'addr_space_cast':
        this.set(regs, op.dst, regs[op.src]!);
        return;
      case 'neg':
      case 'end':
        this.set(regs, op.dst, regs[op.dst]!);
        return;
      case 'ldx':
      case 'load_acquire':
        this.read(at, regs[op.src]!, op.off, op.size);
        regs[op.dst] = OTHER;
        return;
      case 'st':
        this.write(at, regs[op.dst]!, op.off, op.size);
        return;
      case 'stx':
      case 'store_release':
        // An address that is stored is lost. A stored argument still points into the caller's frame.
        this.lose(regs[op.src]!);
        this.write(at, regs[op.dst]!, op.off, op.size);
        return;
      case 'atomic':
        this.lose(regs[op.src]!);
        this.read(at, regs[op.dst]!, op.off, op.size);
        if (op.op === 'cmpxchg') regs[0] = OTHER;
        else if (op.fetch) regs[op.src] = OTHER;
        return;
      case 'call':
        this.call(op, at, regs);
        for (let n = 0; n <= 5; n++) regs[n] = OTHER;
        return;
      case 'ld_packet':
        for (let n = 0; n <= 5; n++) regs[n] = OTHER;
        return;
      case 'exit':
      case 'unwind_exit':
        this.lose(regs[0]!);
        return;
      case 'ja':
      case 'jmp':
      case 'may_goto':
      case 'unwind_goto':
        return;
    }
  }

  /** The register gets a number that was made of this value. */
  private set(regs: Value[], dst: number, from: Value): void {
    this.lose(from);
    regs[dst] = OTHER;
  }

  private call(op: Extract<Op, { kind: 'call' }>, at: number, regs: readonly Value[]): void {
    const target = subprogTarget(op, at);
    if (target !== undefined) {
      this.callee(at, this.summaryOf(target), (n) => regs[n]!);
      return;
    }
    const contract = this.shape.contracts[at];
    if (contract === undefined) {
      for (let n = 1; n <= 5; n++) this.lose(regs[n]!);
      return;
    }
    contract.args.forEach((arg, index) => {
      this.argument(contract, arg, index, at, regs);
    });
  }

  /** The call counts as reading what its callee reads through its arguments. */
  private callee(at: number, summary: Summary, argument: (n: number) => Value): void {
    for (const [n, reads] of summary) {
      const value = argument(n);
      if (reads === 'all') this.lose(value);
      else for (const { off, size } of reads) this.read(at, value, off, size);
    }
  }

  private argument(contract: Contract, arg: Arg, index: number, at: number, regs: readonly Value[]): void {
    const value = regs[index + 1]!;
    switch (arg.kind) {
      case 'map_key':
      case 'map_value':
        this.read(at, value, 0, this.elementSize(contract, arg.kind, regs));
        return;
      case 'mem': {
        const size = 'bytes' in arg.size ? arg.size.bytes : constantOf(regs[arg.size.arg + 1]!);
        // The verifier looks at old pointers and dynptrs in output memory before it is overwritten, so it counts as read.
        this.read(at, value, 0, size);
        return;
      }
      case 'dynptr':
        this.read(at, value, 0, DYNPTR_SIZE);
        return;
      case 'iter':
        this.read(at, value, 0, ITER_WORDS[arg.type] * 8);
        return;
      case 'irq_flag':
        this.read(at, value, 0, IRQ_FLAG_SIZE);
        return;
      case 'stack_or_null': {
        const callback = contract.args.findIndex((a) => a.kind === 'callback');
        const spec = contract.args[callback];
        const func = regs[callback + 1];
        if (spec?.kind !== 'callback' || func?.kind !== 'func') {
          this.lose(value);
          return;
        }
        this.callee(at, this.summaryOf(func.start), (n) =>
          spec.callback.args[n - 1] === 'context' ? value : OTHER,
        );
        return;
      }
      case 'callback':
        if (value.kind === 'func') this.summaryOf(value.start);
        return;
      case 'size':
      case 'alloc_size':
      case 'scalar':
      case 'map':
      case 'ignored':
      case 'ctx':
        return;
      default:
        this.lose(value);
    }
  }

  private elementSize(
    contract: Contract,
    kind: 'map_key' | 'map_value',
    regs: readonly Value[],
  ): number | undefined {
    const index = contract.args.findIndex((a) => a.kind === 'map');
    const value = regs[index + 1];
    const map = value?.kind === 'map' ? this.program.maps[value.map] : undefined;
    if (map === undefined) return undefined;
    return kind === 'map_key' ? map.keySize : map.valueSize;
  }
}

/** The registers that are needed, and the frame pointer; of the others nothing is known. */
function onlyNeeded(regs: readonly Value[], needed: number): readonly Value[] {
  const kept = regs.slice();
  for (let n = 0; n < kept.length; n++) if (n !== FP && (needed & (1 << n)) === 0) kept[n] = OTHER;
  return kept;
}

/** Adds a stack slot to the set of the insn at `at`. A slot beyond the stack is in no set. */
function addSlot(to: SlotSets, at: number, index: number): void {
  if (index >= 0 && index < 64) to[2 * at + (index >> 5)]! |= 1 << (index & 31);
}

/** Adds the slots that an access of `size` bytes at `off` touches. */
function touched(to: SlotSets, at: number, off: number, size: number): void {
  const from = Math.max(off, -STACK_SIZE);
  for (let byte = from; byte < Math.min(off + size, 0); byte++) addSlot(to, at, (-byte - 1) >> 3);
}

/** Adds the slot that it covers in full, if there is one. */
function covered(to: SlotSets, at: number, off: number, size: number): void {
  if (size === 8 && (off & 7) === 0) addSlot(to, at, (-off - 1) >> 3);
}
