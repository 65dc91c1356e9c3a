/**
 * The definitional tier: one insn at a time through semantics/step.ts, on 64-bit values. Slow and plainly right; the fast tier is
 * checked against it, and leaves to it whatever is rare.
 */
import type { AtomicOp, Imm64Kind, Size } from '../../isa/insn.js';
import { FP } from '../../isa/insn.js';
import { subprogTarget } from '../../isa/target.js';
import { binary, compare, concrete } from '../../semantics/arith.js';
import type { Machine } from '../../semantics/machine.js';
import { step } from '../../semantics/step.js';
import { callFunction, callSubprogram, leave, leaveUnwinding } from '../call/invoke.js';
import { address, highOf, lowOf, offsetOf, regionOf } from '../state/address.js';
import { CALLER_SAVED, type MachineState } from '../state/machine.js';
import type { Region } from '../state/memory.js';
import { fault } from '../state/trap.js';
import { hiddenPointer, packetLoad } from './context.js';

function get(region: Region, at: number, size: Size): bigint {
  switch (size) {
    case 1:
      return BigInt(region.view.getUint8(at));
    case 2:
      return BigInt(region.view.getUint16(at, true));
    case 4:
      return BigInt(region.view.getUint32(at, true));
    case 8:
      return region.view.getBigUint64(at, true);
  }
}

function put(region: Region, at: number, size: Size, value: bigint): void {
  switch (size) {
    case 1:
      region.view.setUint8(at, Number(value & 0xffn));
      return;
    case 2:
      region.view.setUint16(at, Number(value & 0xffffn), true);
      return;
    case 4:
      region.view.setUint32(at, Number(value & 0xffff_ffffn), true);
      return;
    case 8:
      region.view.setBigUint64(at, value, true);
      return;
  }
}

/** Loads a value, zero-extended. A word of the context may be a pointer. Used by both tiers. */
export function load(machine: MachineState, base: bigint, off: number, size: Size): bigint {
  const region = machine.memory.forRead(highOf(base), lowOf(base), off, size);
  const at = offsetOf(base) + off;
  if (region.kind === 'ctx' || region.kind === 'btf') {
    const pointer = hiddenPointer(machine, regionOf(base), at, size);
    if (pointer !== undefined) return pointer;
  }
  return get(region, at, size);
}

/** Writes the low `size` bytes of `value` to `base + off`. Throws a Trap if the memory is not there, is dead or read-only. */
export function store(machine: MachineState, base: bigint, off: number, size: Size, value: bigint): void {
  const region = machine.memory.forWrite(highOf(base), lowOf(base), off, size);
  put(region, offsetOf(base) + off, size, value);
}

class Concrete implements Machine<bigint> {
  /** The run whose insn is executed. */
  machine!: MachineState;
  readonly constant = concrete.constant;
  readonly binary = concrete.binary;
  readonly negate = concrete.negate;
  readonly zeroExtend = concrete.zeroExtend;
  readonly signExtend = concrete.signExtend;
  readonly swap = concrete.swap;

  read(reg: number): bigint {
    return this.machine.read(reg);
  }

  copy(reg: number): bigint {
    return this.machine.read(reg);
  }

  write(reg: number, value: bigint): void {
    if (reg === FP) throw fault('write to r10, the frame pointer');
    this.machine.write(reg, value);
  }

  immediate(as: Imm64Kind, imm: number, hi: number, at: number): bigint {
    const { machine } = this;
    switch (as) {
      case 'imm':
        return (BigInt(hi >>> 0) << 32n) | BigInt(imm >>> 0);
      case 'map':
        this.requireMap(imm);
        return address(machine.mapHandle(imm), 0);
      case 'map_value': {
        this.requireMap(imm);
        const value = machine.maps.lookup(machine.memory, imm, new Uint8Array(4));
        if (value === 0) throw fault(`map ${imm} has no value to point into`);
        return address(value, hi);
      }
      case 'func':
        return address(machine.functions, subprogTarget(machine.code.ops[at]!, at)!);
      case 'btf_id':
        // All kernel functions share one region, after the regions of the maps. Each has its own address there.
        return address(machine.mapHandle(machine.code.program.maps.length), imm);
      case 'map_fd':
      case 'map_fd_value':
        throw fault(`a 64-bit immediate of kind ${as} has no meaning here`);
    }
  }

  private requireMap(index: number): void {
    if (this.machine.code.program.maps[index] === undefined)
      throw fault(`the program has no map number ${index}`);
  }

  load(base: bigint, off: number, size: Size, signed: boolean): bigint {
    const value = load(this.machine, base, off, size);
    return signed && size !== 8 ? concrete.signExtend((8 * size) as 8 | 16 | 32, value) : value;
  }

  store(base: bigint, off: number, size: Size, value: bigint): void {
    store(this.machine, base, off, size, value);
  }

  atomic(
    op: AtomicOp,
    base: bigint,
    off: number,
    size: 4 | 8,
    value: bigint,
    expected: bigint | undefined,
  ): bigint {
    const old = load(this.machine, base, off, size);
    const width = size === 8 ? 64 : 32;
    if (op === 'cmpxchg') {
      const matches = old === BigInt.asUintN(width, expected ?? 0n);
      store(this.machine, base, off, size, matches ? value : old);
    } else {
      const fresh = op === 'xchg' ? value : binary(op, width, old, value);
      store(this.machine, base, off, size, fresh);
    }
    return old;
  }

  /** Arenas are not modelled; an address is what it is. */
  cast(value: bigint): bigint {
    return value;
  }
}

/** For all runs: an insn is executed in one go. */
const here = new Concrete();

/** Executes the insn at pc. `machine.steps` is the caller's to count. Throws Trap; pc is then where the trap shows. */
export function execute(machine: MachineState): void {
  const { code } = machine;
  const at = machine.pc;
  const op = code.ops[at];
  if (op === undefined) throw fault(`there is no insn at slot ${at}`);
  here.machine = machine;
  const next = step(here, op, at);
  switch (next.kind) {
    case 'next':
      machine.pc = at + (op.kind === 'ld_imm64' ? 2 : 1);
      return;
    case 'jump':
      machine.pc = next.slot;
      return;
    case 'branch':
      machine.pc = compare(next.op, next.width, next.left, next.right) ? next.slot : at + 1;
      return;
    case 'may_goto':
      machine.pc = goesOn(machine) ? at + 1 : next.slot;
      return;
    case 'unwind_goto':
      machine.pc = machine.unwound ? next.slot : at + 1;
      machine.unwound = false;
      return;
    case 'call':
      callFunction(machine);
      return;
    case 'subprog':
      callSubprogram(machine, next.slot);
      return;
    case 'packet': {
      if (regionOf(machine.read(6)) !== machine.ctx) throw fault('packet load without the context in r6');
      const base = next.src < 0 ? 0n : machine.read(next.src);
      const value = packetLoad(machine, base + BigInt(next.imm), next.size);
      machine.clobber(CALLER_SAVED);
      machine.write(0, value ?? 0n);
      if (value === undefined) leave(machine);
      else machine.pc = at + 1;
      return;
    }
    case 'exit':
      leave(machine);
      return;
    case 'unwind_exit':
      leaveUnwinding(machine);
      return;
  }
}

/** may_goto is among what the kill reaches, here. */
function isCut({ killed, options, frames, interrupted }: MachineState): boolean {
  const where = killed ? options.sampled?.mayGoto : undefined;
  return where === 'all' || (where === 'open' && frames.length <= interrupted);
}

/** may_goto goes on until its budget is spent; the environment says how large that is. */
function goesOn(machine: MachineState): boolean {
  if (isCut(machine)) {
    machine.takesEffect();
    return false;
  }
  const { choices } = machine;
  if (machine.mayGoto === undefined) {
    const key = choices.next('may_goto');
    const given = choices.recorded(key).value;
    machine.mayGoto = given ?? choices.chooser.number(key, 1n, 8n);
    choices.record(key, { value: machine.mayGoto });
  }
  if (machine.mayGoto <= 0n) return false;
  machine.mayGoto--;
  return true;
}
