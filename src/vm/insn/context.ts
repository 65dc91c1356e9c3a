/** The context that a program is given in r1: plain bytes, except for the members that hold pointers. */
import { InputError } from '../../isa/errors.js';
import type { ContextMember, ContextValue } from '../../kernel/progtypes.js';
import { progType } from '../../kernel/progtypes.js';
import type { Program } from '../../object/program.js';
import { kernelBytes, kernelStruct } from '../call/kernel-struct.js';
import { address } from '../state/address.js';
import type { Environment } from '../state/environment.js';
import type { MachineState } from '../state/machine.js';
import type { RegionInit } from '../state/memory.js';
import { fault } from '../state/trap.js';

/** An access may start at the context's last byte (syscall programs). */
const SLACK = 8;

/** Loads that give NULL unless the environment has a number other than 0 for them. */
const MAYBE_NULL: ReadonlySet<ContextValue> = new Set(['sock_common', 'sock_or_null']);

/** Size of a buffer whose real size is known only when the program is attached: as much as any constant offset can reach. */
const BUFFER_SIZE = 0x8000 + SLACK;

/** What members that are pointers lead to, besides those into the packet. */
const POINTED: Readonly<Partial<Record<ContextValue, (struct?: string) => RegionInit>>> = {
  sock_common: () => ({ kind: 'sock', name: 'sock_common', bytes: new Uint8Array(80), writable: false }),
  sock: () => ({ kind: 'sock', name: 'sock', bytes: new Uint8Array(80), writable: false }),
  sock_or_null: () => ({ kind: 'sock', name: 'sock', bytes: new Uint8Array(80), writable: false }),
  flow_keys: () => ({ kind: 'mem', name: 'flow_keys', bytes: new Uint8Array(56), writable: true }),
  tp_buffer: () => ({ kind: 'mem', name: 'buffer', bytes: new Uint8Array(BUFFER_SIZE), writable: true }),
  btf: (struct) => ({ kind: 'btf', name: struct ?? '', bytes: kernelBytes(), writable: false }),
};

/**
 * Arguments that the verifier takes for pointers, of the function that the program attaches to. Nullable ones are NULL unless the
 * environment says otherwise.
 */
function placeArguments({ code: { program }, memory }: MachineState, view: DataView): void {
  const { type, attach, kernelTypes } = program;
  const args = attach === undefined ? undefined : kernelTypes?.arguments(type, attach);
  for (const [i, arg] of (args ?? []).entries()) {
    if (8 * i + 8 > view.byteLength) return;
    if (arg.kind !== 'pointer' || (arg.nullable && view.getBigUint64(8 * i, true) === 0n)) continue;
    const target = memory.add(kernelStruct(program, arg.to));
    view.setBigUint64(8 * i, address(target, 0), true);
  }
}

/** Lays the context out from the environment and puts its address into r1. The packet has been placed before. */
export function placeContext(machine: MachineState, env: Environment): void {
  const info = progType(machine.code.program.type);
  const bytes = new Uint8Array(info.size + SLACK);
  const length = machine.packet.end - machine.packet.data;
  for (const name of ['len', 'wire_len']) put(bytes, info.members, name, BigInt(length));
  bytes.set((env.ctx ?? new Uint8Array(0)).subarray(0, info.size));
  for (const [name, value] of env.ctxFields ?? []) {
    if (!info.members.some((member) => member.name === name)) {
      throw new InputError(`ctx.${name}: the context of a ${info.type} program has no such member`);
    }
    put(bytes, info.members, name, value);
  }
  const view = new DataView(bytes.buffer);
  for (const { value, offset, size, struct } of info.members) {
    if (MAYBE_NULL.has(value) && bytes.subarray(offset, offset + size).every((byte) => byte === 0)) continue;
    const target = POINTED[value]?.(struct);
    if (target !== undefined) view.setBigUint64(offset, address(machine.memory.add(target), 0), true);
  }
  if (info.arguments === true) placeArguments(machine, view);
  machine.ctx = machine.memory.add({ kind: 'ctx', name: 'context', bytes, writable: true });
  machine.write(1, address(machine.ctx, 0));
}

function put(bytes: Uint8Array, members: readonly ContextMember[], name: string, value: bigint): void {
  const member = members.find((one) => one.name === name);
  if (member === undefined) return;
  let rest = BigInt.asUintN(8 * member.size, value);
  for (let i = 0; i < member.size; i++) {
    bytes[member.offset + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

/** The pointer that a load at `offset` of the context yields; undefined where it yields plain bytes. */
function contextPointer(machine: MachineState, offset: number, size: number): bigint | undefined {
  const { members } = progType(machine.code.program.type);
  const member = members.find((one) => one.offset === offset && one.size === size);
  const { region, meta, data, end } = machine.packet;
  switch (member?.value) {
    case 'packet':
      return address(region, data);
    case 'packet_end':
      return address(region, end);
    case 'packet_meta':
      return address(region, meta);
    default:
      return undefined;
  }
}

/** The struct that a member of a kernel struct points to, by the kernel's own types. */
function typedPointer(
  { kernelTypes }: Program,
  struct: string,
  at: number,
  size: number,
): { to: string } | undefined {
  if (kernelTypes?.has(struct) !== true) return undefined;
  const access = kernelTypes.access(struct, at, size);
  return access.kind === 'pointer' ? access : undefined;
}

/**
 * The pointer that a load from a region yields where its bytes do not say it: a member of the context, or of a kernel struct that the
 * program follows. Undefined where it yields plain bytes. The same load yields the same pointer.
 */
export function hiddenPointer(
  machine: MachineState,
  number: number,
  at: number,
  size: number,
): bigint | undefined {
  const region = machine.memory.get(number)!;
  if (region.kind === 'ctx') return size >= 4 ? contextPointer(machine, at, size) : undefined;
  if (region.kind !== 'btf' || size !== 8) return undefined;
  const pointers = machine.code.program.kernelPointers;
  const pointer =
    pointers?.find((one) => one.struct === region.name && one.offset === at) ??
    typedPointer(machine.code.program, region.name, at, size);
  if (pointer === undefined) return undefined;
  const key = `${number}:${at}`;
  const known = machine.followed.get(key);
  if (known !== undefined) return known;
  const target = machine.memory.add(kernelStruct(machine.code.program, pointer.to));
  machine.followed = new Map(machine.followed).set(key, address(target, 0));
  return address(target, 0);
}

/** Legacy packet load: bytes in network order, undefined when they are not in the packet. Negative offsets are not modelled. */
export function packetLoad(machine: MachineState, offset: bigint, size: number): bigint | undefined {
  const at = Number(BigInt.asIntN(32, offset));
  const { region, data, end } = machine.packet;
  if (at < 0 || at + size > end - data) return undefined;
  const packet = machine.memory.get(region);
  if (packet === undefined) throw fault('packet load without a packet');
  let value = 0n;
  for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(packet.bytes[data + at + i]!);
  return value;
}
