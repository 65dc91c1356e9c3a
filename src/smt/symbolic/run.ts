/**
 * One concolic run of a program: every insn is executed twice, once on numbers by the VM and once on terms by the same definitional
 * interpreter. The result is the path and the condition under which a run takes it.
 *
 * The VM decides everything that is not arithmetic: what is held, what a call does, which check breaks. So every violation that a
 * symbolic run reports happened in the VM, in the environment of that run.
 */
import type { Op } from '../../isa/insn.js';
import { slots } from '../../isa/insn.js';
import type { FastPath } from '../../patch/rule.js';
import { compare as compareNumbers } from '../../semantics/arith.js';
import { step } from '../../semantics/step.js';
import type { Facts } from '../../verifier/result.js';
import { choiceKey } from '../../vm/call/call.js';
import { goesToPad } from '../../vm/call/invoke.js';
import { packetLoad } from '../../vm/insn/context.js';
import { address, offsetOf, regionOf } from '../../vm/state/address.js';
import type { Code } from '../../vm/state/code.js';
import type { Environment } from '../../vm/state/environment.js';
import { HEADROOM } from '../../vm/state/packet.js';
import { Vm } from '../../vm/vm.js';
import { compare } from '../arith.js';
import type { Term } from '../term/term.js';
import { afterStub, SymbolicCall } from './calls.js';
import type { Inputs } from './inputs.js';
import { TermMachine } from './machine.js';
import { RunState } from './state.js';
import type { Trace } from './trace.js';

/** When to kill one symbolic run, and when to give it up. */
export interface RunOptions {
  /** What happens at call sites after the kill. */
  readonly fastPath?: FastPath;
  /** Whether to kill before this insn; asked at each one until it is answered yes. */
  readonly killAt?: (step: number, slot: number) => boolean;
  readonly facts?: Facts;
  readonly strict?: boolean;
  /** Insns after which the run is given up. */
  readonly maxSteps: number;
}

/** A callback that bpf_loop runs: how often it has been called, and how often it may be. */
interface Loop {
  readonly depth: number;
  readonly count: Term;
  calls: bigint;
}

/** Runs the program in this environment (what it leaves open goes well) to its end, or to `maxSteps`. */
export function runSymbolically(code: Code, inputs: Inputs, env: Environment, options: RunOptions): Trace {
  return new SymbolicRun(code, inputs, env, options).run();
}

class SymbolicRun {
  private readonly vm: Vm;
  private readonly state: RunState;
  private readonly slots: number[] = [];
  private readonly counts = new Map<string, number>();
  private readonly loops: Loop[] = [];
  private mayGotoCount = 0n;
  private killedSlot = -1;

  constructor(
    private readonly code: Code,
    private readonly inputs: Inputs,
    env: Environment,
    private readonly options: RunOptions,
  ) {
    const { fastPath, facts, strict } = options;
    this.vm = new Vm(code, {
      env,
      // Terms follow a run to the first check that it breaks; a replay of what is found tells the rest.
      stopsAtFirst: true,
      ...(fastPath === undefined ? {} : { fastPath }),
      ...(facts === undefined ? {} : { facts }),
      ...(strict === undefined ? {} : { strict }),
    });
    this.state = new RunState(this.vm.machine, inputs, env);
  }

  run(): Trace {
    const { vm, options } = this;
    const { machine } = vm;
    while (vm.running && machine.steps < options.maxSteps) {
      if (!machine.killed && options.killAt?.(machine.steps, machine.pc) === true) {
        this.killedSlot = machine.pc;
        vm.kill();
      }
      this.slots.push(machine.pc);
      this.state.at(machine.pc, machine.steps);
      this.step();
    }
    if (vm.running) this.state.gap(`given up after ${options.maxSteps} insns`);
    const result = vm.result();
    return {
      events: this.state.events,
      slots: this.slots,
      outcomes: this.state.outcomes,
      values: this.state.values,
      result,
      violations: result.violations.map((violation) => ({
        ...violation,
        at: machine.killedAt,
        from: this.killedSlot,
      })),
      r0: (machine.readable & 1) === 0 ? undefined : this.state.shadow.reg(0),
      gaps: this.state.gaps,
    };
  }

  private step(): void {
    const { machine } = this.vm;
    const at = machine.pc;
    const op = this.code.ops[at];
    if (op === undefined) {
      this.vm.step();
      return;
    }
    switch (op.kind) {
      case 'call':
        if (op.target === 'subprog') this.callSubprogram();
        else this.callFunction(at);
        return;
      case 'exit':
      case 'unwind_exit':
        this.exit(at);
        return;
      case 'ld_packet':
        this.loadPacket(op, at);
        return;
      case 'may_goto':
        this.mayGoto(at);
        return;
      case 'unwind_goto':
        // No number decides it.
        this.vm.step();
        return;
      default:
        this.ordinary(op, at);
    }
  }

  /** Arithmetic, memory and jumps. */
  private ordinary(op: Op, at: number): void {
    const { state, vm } = this;
    const { machine } = vm;
    if (op.kind === 'ldx' && machine.memory.get(regionOf(machine.regs[op.src]!))?.kind === 'ctx') {
      state.contextLoad(offsetOf(machine.regs[op.src]!) + op.off);
    }
    const next = step(new TermMachine(machine, state.shadow, state, op), op, at);
    if (next.kind === 'branch') {
      const { left, right, width } = next;
      const condition = compare(this.inputs.t, next.op, width, left, right);
      const right64 =
        'imm' in operandOf(op) ? BigInt.asUintN(64, BigInt(immediateOf(op))) : machine.regs[next.src!]!;
      const taken = compareNumbers(next.op, width, machine.regs[next.dst]!, right64);
      vm.step();
      if (next.slot !== at + slots(op)) state.branch(at, condition, taken);
      return;
    }
    vm.step();
    if (op.kind === 'ld_imm64' && op.as !== 'imm' && vm.running) {
      state.shadow.setReg(op.dst, undefined);
      if (op.as === 'map_value') state.immediateValue(machine.regs[op.dst]!, this.code.program.maps[op.imm]);
    }
  }

  private callSubprogram(): void {
    const { machine } = this.vm;
    const depth = machine.frames.length;
    this.vm.step();
    if (machine.frames.length > depth) this.state.shadow.push();
  }

  private callFunction(at: number): void {
    const { state, vm } = this;
    const { machine } = vm;
    const contract = this.code.contracts[at]!;
    if (goesToPad(machine)) {
      vm.step();
      state.shadow.pop();
      state.shadow.setReg(0, undefined);
      return;
    }
    const args = contract.args.map((_, index) => machine.regs[index + 1]!);
    const packet = machine.packet.region;
    const stub = machine.killed ? this.options.fastPath?.stubs.get(at) : undefined;
    if (stub !== undefined) {
      vm.step();
      if (vm.running) afterStub(state, contract, stub, args, machine);
      return;
    }
    const count = (this.counts.get(contract.name) ?? 0) + 1;
    this.counts.set(contract.name, count);
    state.heldBefore = machine.ledger.holds;
    const depth = machine.frames.length;
    const first = state.shadow.reg(1);
    const call = new SymbolicCall(state, contract, at, choiceKey(contract, `${contract.name}#${count}`));
    vm.step();
    // A trap: the path ends here.
    if (machine.end === 'trap') return;
    if (contract.name === 'bpf_throw') {
      this.unwound(first);
      return;
    }
    if (machine.packet.region !== packet) state.shadow.move(packet, machine.packet.region);
    if (contract.name === 'bpf_loop') this.startLoop(at, first, machine.frames.length > depth);
    if (machine.frames.length > depth) {
      if (contract.name !== 'bpf_loop') state.gap(`callbacks of ${contract.name} are not modelled as terms`);
      this.enterCallback();
      return;
    }
    call.finish();
  }

  /** bpf_throw: the cookie is the program's r0, or the argument of the exception callback if there is one. */
  private unwound(cookie: Term): void {
    const { shadow } = this.state;
    if (!this.vm.running) {
      shadow.setReg(0, cookie);
      return;
    }
    this.loops.length = 0;
    shadow.unwind();
    shadow.setReg(1, cookie);
  }

  private enterCallback(): void {
    const { shadow } = this.state;
    shadow.push();
    shadow.clobber();
    shadow.setReg(0, undefined);
  }

  /** bpf_loop runs its callback iff the count is in range; the flags are a constant in any program that runs it. */
  private startLoop(at: number, loops: Term, runs: boolean): void {
    const { t } = this.inputs;
    const count = t.extract(loops, 0, 32);
    const most = t.constant(32, 8n * 1024n * 1024n);
    const inRange = t.all([t.ult(t.constant(32, 0n), count), t.ule(count, most)]);
    this.state.branch(at, inRange, runs);
    if (runs) this.loops.push({ depth: this.vm.machine.frames.length, count, calls: 1n });
  }

  private exit(at: number): void {
    const { state, vm } = this;
    const { machine } = vm;
    const depth = machine.frames.length;
    const { helper } = machine.frame;
    const r0 = state.shadow.reg(0);
    const returned = machine.regs[0]!;
    const stops = machine.killed && machine.interrupted >= depth;
    vm.step();
    if (!vm.running) return;
    if (depth === 1) {
      // What runs after the program is a run of its own: it is not followed here.
      state.gap('a callback that runs after the program is not followed');
      machine.finish('limit');
      return;
    }
    if (helper === undefined) {
      state.shadow.pop();
      return;
    }
    const { t } = this.inputs;
    if (!stops) {
      state.branch(at, t.eq(r0, t.constant(64, 0n)), returned === 0n);
      if (helper.name === 'bpf_loop' && returned === 0n) this.nextRound(at, machine.frames.length === depth);
    }
    state.shadow.pop();
    state.shadow.setReg(0, undefined);
    if (machine.frames.length === depth) this.enterCallback();
    else if (this.loops.at(-1)?.depth === depth) this.loops.pop();
  }

  private nextRound(at: number, runs: boolean): void {
    const loop = this.loops.at(-1);
    if (loop === undefined || loop.depth !== this.vm.machine.frames.length + (runs ? 0 : 1)) return;
    const { t } = this.inputs;
    this.state.branch(at, t.ult(t.constant(32, loop.calls), loop.count), runs);
    loop.calls += 1n;
  }

  /** Bytes of the packet in network order, or the end of the program. */
  private loadPacket(op: Extract<Op, { kind: 'ld_packet' }>, at: number): void {
    const { state, vm } = this;
    const { machine } = vm;
    const { t } = this.inputs;
    const base = op.src < 0 ? 0n : machine.regs[op.src]!;
    if (op.src >= 0) state.concretize(state.shadow.reg(op.src), base);
    const offset = base + BigInt(op.imm);
    const inside = packetLoad(machine, offset, op.size) !== undefined;
    const start = BigInt.asIntN(32, offset);
    const { region, data } = machine.packet;
    if (start >= 0n) {
      const end = t.constant(64, address(region, data) + start + BigInt(op.size));
      state.branch(at, t.ule(end, state.packetEnd()), inside);
    }
    const bytes = Array.from({ length: op.size }, (_, i) =>
      state.shadow.load(region, HEADROOM + (data - HEADROOM) + Number(start) + i, 1),
    );
    const depth = machine.frames.length;
    vm.step();
    // The function returns 0.
    if (!inside) state.shadow.setReg(0, t.constant(64, 0n));
    if (!vm.running) return;
    if (!inside) {
      state.gap('a packet load ended a subprogram');
      if (machine.frames.length < depth) state.shadow.pop();
      return;
    }
    state.shadow.clobber();
    state.shadow.setReg(
      0,
      t.zext(
        64,
        bytes.reduce((high, low) => t.concat(high, low)),
      ),
    );
  }

  private mayGoto(at: number): void {
    const { state, vm } = this;
    const { t } = this.inputs;
    vm.step();
    const { machine } = vm;
    const goesOn = machine.pc === at + 1;
    const turns = this.inputs.mayGoto();
    state.recordValue(turns, this.mayGotoCount + (machine.mayGoto ?? 0n) + (goesOn ? 1n : 0n));
    state.branch(at, t.ult(t.constant(64, this.mayGotoCount), turns), goesOn);
    if (goesOn) this.mayGotoCount += 1n;
  }
}

function operandOf(op: Op): { readonly reg: number } | { readonly imm: number } {
  return op.kind === 'jmp' ? op.src : { imm: 0 };
}

function immediateOf(op: Op): number {
  const operand = operandOf(op);
  return 'imm' in operand ? operand.imm : 0;
}
