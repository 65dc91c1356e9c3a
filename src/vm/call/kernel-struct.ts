/** What a program sees when it reads a kernel object: zero bytes, or those that the environment has recorded for the call that found it. */
import { structOps } from '../../kernel/struct-ops.js';
import type { Program } from '../../object/program.js';
import { operationOf } from '../../object/struct-ops.js';
import { address } from '../state/address.js';
import type { MachineState } from '../state/machine.js';
import type { RegionInit } from '../state/memory.js';
import type { Call } from './call.js';

/** Bytes of an object whose struct has no table: more than any offset that the verifier allows a program to read. */
const LARGE = 1 << 16;
const ZERO = new Uint8Array(LARGE);

/**
 * Whether programs may write members of a kernel struct (btf_struct_access): the mark of a connection, and what the struct of operations allows. Which
 * members is for the verifier to say.
 */
function isWritten({ type, attach }: Program, struct: string): boolean {
  if (type !== 'struct_ops') return struct === 'nf_conn' || struct === 'nf_conn___init';
  return structOps(operationOf(attach?.target)?.struct).writes.some((allowed) => allowed.struct === struct);
}

/** A kernel struct with these bytes, or with zero bytes. */
export function kernelStruct(
  program: Program,
  name: string,
  bytes: Uint8Array = kernelBytes(),
  life: Pick<RegionInit, 'parent' | 'owners'> = {},
): RegionInit {
  const writable = isWritten(program, name);
  return { kind: 'btf', name, bytes: writable && bytes === ZERO ? bytes.slice() : bytes, writable, ...life };
}

/** The contents of a kernel object that this call has found; read-only, and shared where they are all zero. Without a call: one that nothing is recorded of. */
export function kernelBytes(call?: Call): Uint8Array {
  const given = call?.someBytes();
  if (given === undefined) return ZERO;
  const bytes = new Uint8Array(LARGE);
  bytes.set(given.subarray(0, LARGE));
  return bytes;
}

/**
 * Puts a kernel struct into memory and answers its address. Each of its pointers that the program follows leads to a new struct. A
 * pointer from a struct to its own type leads back to the same struct.
 */
export function addKernelStruct(
  machine: MachineState,
  struct: string,
  bytes: Uint8Array,
  life: Pick<RegionInit, 'parent' | 'owners'> = {},
): bigint {
  const pointers = machine.code.program.kernelPointers?.filter((p) => p.struct === struct) ?? [];
  if (pointers.length === 0) return add(machine, struct, bytes, life);
  const filled = bytes.slice();
  const view = new DataView(filled.buffer);
  for (const pointer of pointers) view.setBigUint64(pointer.offset, addPointee(machine, pointer.to), true);
  return add(machine, struct, filled, life);
}

function add(
  machine: MachineState,
  name: string,
  bytes: Uint8Array,
  life: Pick<RegionInit, 'parent' | 'owners'>,
): bigint {
  return address(machine.memory.add(kernelStruct(machine.code.program, name, bytes, life)), 0);
}

function addPointee(machine: MachineState, struct: string): bigint {
  const own =
    machine.code.program.kernelPointers?.filter((p) => p.struct === struct && p.to === struct) ?? [];
  if (own.length === 0) return add(machine, struct, ZERO, {});
  const bytes = new Uint8Array(LARGE);
  const at = add(machine, struct, bytes, {});
  const view = new DataView(bytes.buffer);
  for (const { offset } of own) view.setBigUint64(offset, at, true);
  return at;
}
