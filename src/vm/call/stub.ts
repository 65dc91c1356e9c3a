/**
 * A call site after the kill, where the rule set has a stub for it: r0 is set, output memory is zeroed, slots are filled, and r1
 * to r5 are gone as after any call. Output memory that the stub does not write, although the real call would have, is marked.
 */
import type { Arg, Contract } from '../../kernel/contract.js';
import { isOutput } from '../../kernel/describe.js';
import type { Stub } from '../../patch/rule.js';
import { offsetOf, regionOf } from '../state/address.js';
import { CALLER_SAVED, type MachineState } from '../state/machine.js';
import { SHADOW } from '../state/memory.js';

/** Carries a stub out and goes on after the call. Traps where the stub itself writes through a bad pointer. */
export function applyStub(machine: MachineState, contract: Contract, stub: Stub): void {
  // A register that a stub needs nothing of need not have been written: what the kernel ignores, a program leaves as it is.
  for (const { index, at, size } of outputsOf(machine, contract, stub, (arg) => machine.read(arg + 1))) {
    if (!stub.writes.includes(index)) skip(machine, at, size);
    else machine.writeBytes(at, new Uint8Array(size));
  }
  for (const { arg } of stub.slots) placeNull(machine, contract, arg);
  machine.clobber(CALLER_SAVED);
  if (stub.r0 === 'void') machine.clobber(1);
  else machine.write(0, BigInt.asUintN(64, stub.r0));
  machine.pc++;
}

/** Memory that a call writes, by the argument that points to it. */
interface Output {
  readonly index: number;
  readonly at: bigint;
  /** Bytes, at least 1. */
  readonly size: number;
}

/** The output memory of a stubbed call whose arguments `args` tells, by index from 0: what the stub writes, and what the call would have written. */
export function outputsOf(
  machine: MachineState,
  contract: Contract,
  stub: Stub,
  args: (index: number) => bigint,
): readonly Output[] {
  return contract.args.flatMap((arg, index): Output[] => {
    if (!isOutput(arg) && !stub.writes.includes(index)) return [];
    const at = args(index);
    const size = sizeOf(machine, arg, args);
    return size === 0 || at === 0n ? [] : [{ index, at, size }];
  });
}

function sizeOf(machine: MachineState, arg: Arg, args: (index: number) => bigint): number {
  if (arg.kind === 'mem')
    return 'bytes' in arg.size ? arg.size.bytes : Number(args(arg.size.arg) & 0xffff_ffffn);
  const map = machine.memory.get(regionOf(args(0)))?.map ?? -1;
  return machine.code.program.maps[map]?.valueSize ?? 0;
}

/**
 * Marks bytes that the call would have written and the stub does not. Those that the program has not written itself must not be read now.
 */
function skip(machine: MachineState, at: bigint, size: number): void {
  const number = regionOf(at);
  if (machine.options.readsUnwritten || machine.memory.get(number)?.shadow === undefined) return;
  const { shadow } = machine.memory.own(number);
  for (let i = offsetOf(at); i < offsetOf(at) + size; i++) {
    if (shadow?.[i] === SHADOW.never) shadow[i] = SHADOW.skipped;
  }
}

/** Makes a null dynptr. If the contract says that it must be given back, it is held. */
function placeNull(machine: MachineState, contract: Contract, index: number): void {
  const at = machine.read(index + 1);
  const [region, offset] = [regionOf(at), offsetOf(at)];
  const arg = contract.args[index];
  const owed = contract.outcomes.some((outcome) =>
    outcome.effects.some((effect) => effect.kind === 'init_dynptr' && effect.acquires === 'null_dynptr'),
  );
  const hold = owed ? machine.ledger.take('null_dynptr', region, offset, machine.pc, contract.name) : 0;
  const type = arg?.kind === 'dynptr' ? (arg.type ?? 'local') : 'local';
  machine.memory.locateAt(at, 16);
  machine.memory.placeObject(region, offset, {
    kind: 'dynptr',
    type,
    hold,
    region: 0,
    offset: 0,
    size: 0,
    readonly: false,
  });
}
