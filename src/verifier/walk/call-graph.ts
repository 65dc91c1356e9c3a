/**
 * Checks of the whole program after it has been walked. Along every chain of calls the frames must fit on the kernel's stack together,
 * and nothing in a callback may throw. Follows check_max_stack_depth of kernel/bpf/verifier.c.
 */
import { STACK_SIZE } from '../../isa/insn.js';
import { subprogTarget } from '../../isa/target.js';
import type { Behaviour } from '../../kernel/profile.js';
import { Btf } from '../../object/btf/read.js';
import { exceptionCallbackOf, type Program, type ProgType } from '../../object/program.js';
import type { Code } from '../text/code.js';
import { fastcallDepths } from '../text/fastcall.js';
import { Refusal } from '../text/refusal.js';

/** What the walk has seen of the subprograms, by their first slots. */
export interface SubprogUse {
  /** Lowest byte of the frame that was touched, below its top. */
  readonly depth: ReadonlyMap<number, number>;
  /** Called back by a function of the kernel, at once or later. */
  readonly callbacks: ReadonlySet<number>;
  /** Called back later, in a context of its own. */
  readonly async: ReadonlySet<number>;
}

/** Frames are laid out in multiples of this many bytes. */
const ROUND = 16;
/** Frames of at least this many bytes get a private stack, where that is possible (BPF_PRIV_STACK_MIN_SIZE). */
const PRIVATE_MIN = 64;
/** Depth from which on a subprogram may not make a tail call. */
const TAIL_CALL_DEPTH = 256;

/** Types of programs that get private stacks for large frames (bpf_enable_priv_stack). */
const PRIVATE: ReadonlySet<ProgType> = new Set([
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
  'tp_btf',
  'fentry',
]);

interface Edge {
  readonly at: number;
  readonly to: number;
  /** The insn takes the function's address, and does not call it. */
  readonly taken: boolean;
}

class Graph {
  private readonly edges = new Map<number, Edge[]>();
  private readonly throws = new Map<number, number>();
  private readonly packetLoads = new Set<number>();
  private readonly tailCalls = new Set<number>();
  private readonly privately: boolean;
  private readonly fastcalls: ReadonlyMap<number, number>;
  /** First slot of the exception callback. */
  private readonly onThrow: number | undefined;

  constructor(
    private readonly program: Program,
    code: Code,
    private readonly use: SubprogUse,
    private readonly kernel: Behaviour,
  ) {
    this.onThrow = exceptionCallbackOf(program)?.start;
    this.fastcalls = fastcallDepths(code.ops, code.contracts, code.subprogStart);
    code.ops.forEach((op, at) => {
      const from = code.subprogStart[at]!;
      const contract = code.contracts[at];
      if (contract?.name === 'bpf_throw' && !this.throws.has(from)) this.throws.set(from, at);
      if (contract?.name === 'bpf_tail_call') this.tailCalls.add(from);
      if (op?.kind === 'ld_packet') this.packetLoads.add(from);
      const taken = op?.kind === 'ld_imm64' && op.as === 'func';
      if (op === undefined || !(taken || (op.kind === 'call' && op.target === 'subprog'))) return;
      const to = subprogTarget(op, at);
      if (to !== undefined) this.edges.set(from, [...(this.edges.get(from) ?? []), { at, to, taken }]);
    });
    this.privately = kernel.privateStack && PRIVATE.has(program.type) && this.tailCalls.size === 0;
  }

  check(): void {
    this.checkReturns();
    const { program, use } = this;
    for (const { start } of [...program.subprogs].reverse()) {
      const main = start === 0;
      // The exception callback runs on a stack of its own, and counts as a callback (mark_subprog_exc_cb).
      if (main || use.async.has(start) || start === this.onThrow)
        this.descend(start, 0, 0, false, main && this.privately);
    }
  }

  /**
   * A tail call or packet load may end a subprogram early with a number. Then its type must say that it returns a number
   * (check_btf_func).
   */
  private checkReturns(): void {
    const { btf } = this.program;
    if (btf === undefined || (this.packetLoads.size === 0 && this.tailCalls.size === 0)) return;
    const types = new Btf(btf, this.program.name);
    for (const { start, btfId } of this.program.subprogs) {
      const what = this.packetLoads.has(start) ? 'LD_ABS' : this.tailCalls.has(start) ? 'tail_call' : '';
      if (start === 0 || what === '') continue;
      if (btfId === undefined) this.fail(`${what} is not allowed in subprogs without BTF`, start);
      const func = types.type(btfId);
      const proto = func.kind === 'func' ? types.type(func.type) : func;
      const returns = proto.kind === 'func_proto' ? types.resolve(proto.returns).type.kind : 'void';
      if (returns !== 'int' && !returns.startsWith('enum'))
        this.fail(`${what} is only allowed in functions that return 'int'.`, start);
    }
  }

  private next(start: number): readonly Edge[] {
    return (this.edges.get(start) ?? []).filter((edge) => !(edge.taken && this.use.async.has(edge.to)));
  }

  private size(start: number): number {
    const depth = Math.max(this.use.depth.get(start) ?? 0, this.fastcalls.get(start) ?? 0);
    return Math.ceil(depth / ROUND) * ROUND;
  }

  /** The calls from where the descent began to where it is. */
  private readonly calls: number[] = [];
  private current = 0;

  /** What was examined already: a subprogram with its depth, the bytes above it, and whether it runs below a callback. */
  private readonly seen = new Set<string>();

  private descend(start: number, frame: number, above: number, below: boolean, privately: boolean): void {
    const key = `${start} ${frame} ${above} ${below}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.current = start;
    const inCallback = below || this.use.callbacks.has(start) || start === this.onThrow;
    if (this.packetLoads.has(start) && inCallback) this.fail('cannot use BPF_LD_[ABS|IND] within callback');
    if (start !== 0 && this.tailCalls.has(start) && above >= TAIL_CALL_DEPTH) {
      this.fail(`tail_calls are not allowed when call stack of previous frames is ${above} bytes. Too large`);
    }
    const size = this.size(start);
    const depth = privately && size >= PRIVATE_MIN ? above : above + size;
    if (depth > STACK_SIZE) this.fail(`combined stack size of ${frame + 1} calls is ${depth}. Too large`);
    const thrown = this.throws.get(start);
    if (thrown !== undefined && inCallback)
      this.fail(
        `bpf_throw kfunc (insn ${thrown}) cannot be called from callback subprog ${this.index(start)}`,
      );
    for (const { to, at } of this.next(start)) {
      this.current = start;
      this.calls.push(at);
      if (to === this.onThrow) this.fail(`insn ${at} cannot call exception cb directly`, to);
      if (frame + 1 >= this.kernel.frames)
        this.fail(`the call stack of ${frame + 1} frames is too deep !`, to);
      this.descend(to, frame + 1, depth, inCallback, privately);
      this.calls.pop();
    }
  }

  private index(start: number): number {
    return this.program.subprogs.findIndex((one) => one.start === start);
  }

  /** `subprog`: first slot of the subprogram at fault; the one that the descent has come to unless told. */
  private fail(message: string, subprog = this.current): never {
    const { calls } = this;
    throw new Refusal(message, 'rejected', -1, { calls: [...calls], ...(subprog > 0 && { subprog }) });
  }
}

/** Refuses a program whose frames do not fit together, or whose callbacks throw. */
export function checkCallGraph(program: Program, code: Code, use: SubprogUse, kernel: Behaviour): void {
  if (program.subprogs.length > 1) new Graph(program, code, use, kernel).check();
}
