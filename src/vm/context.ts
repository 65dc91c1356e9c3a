/** The context that a program is given in r1: plain bytes, except for the members that hold pointers. */
import { InputError } from '../isa/errors.js';
import type { ContextMember } from '../kernel/progtypes.js';
import { progType } from '../kernel/progtypes.js';
import { address } from './address.js';
import type { Environment } from './environment.js';
import { kernelBytes } from './kernelstruct.js';
import { fault } from './trap.js';
import type { World } from './world.js';

/** An access may start at the context's last byte (syscall programs). */
const SLACK = 8;

/** Lays the context out from the environment and puts its address into r1. The packet has been placed before. */
export function placeContext(world: World, env: Environment): void {
  const info = progType(world.code.program.type);
  const bytes = new Uint8Array(info.size + SLACK);
  const length = world.packet.end - world.packet.data;
  for (const name of ['len', 'wire_len']) put(bytes, info.members, name, BigInt(length));
  bytes.set((env.ctx ?? new Uint8Array(0)).subarray(0, info.size));
  for (const [name, value] of env.ctxFields ?? []) {
    if (!info.members.some((member) => member.name === name)) {
      throw new InputError(`ctx.${name}: the context of a ${info.type} program has no such member`);
    }
    put(bytes, info.members, name, value);
  }
  const sk = info.members.find((member) => member.value === 'sock_common');
  if (sk !== undefined && bytes.subarray(sk.offset, sk.offset + sk.size).some((byte) => byte !== 0)) {
    const sock = world.memory.add({
      kind: 'sock',
      name: 'sock_common',
      bytes: new Uint8Array(80),
      writable: false,
    });
    new DataView(bytes.buffer).setBigUint64(sk.offset, address(sock, 0), true);
  }
  world.ctx = world.memory.add({ kind: 'ctx', name: 'context', bytes, writable: true });
  world.write(1, address(world.ctx, 0));
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
function contextPointer(world: World, offset: number): bigint | undefined {
  const member = progType(world.code.program.type).members.find((one) => one.offset === offset);
  const { region, meta, data, end } = world.packet;
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

/**
 * The pointer that a load from a region yields where its bytes do not say it: a member of the context, or of a kernel struct that the
 * program follows. Undefined where it yields plain bytes. The same load yields the same pointer.
 */
export function hiddenPointer(world: World, number: number, at: number, size: number): bigint | undefined {
  const region = world.memory.get(number)!;
  if (region.kind === 'ctx') return size === 4 ? contextPointer(world, at) : undefined;
  if (region.kind !== 'btf' || size !== 8) return undefined;
  const pointers = world.code.program.kernelPointers;
  const pointer = pointers?.find((one) => one.struct === region.name && one.offset === at);
  if (pointer === undefined) return undefined;
  const key = `${number}:${at}`;
  const known = world.followed.get(key);
  if (known !== undefined) return known;
  const target = world.memory.add({ kind: 'btf', name: pointer.to, bytes: kernelBytes(), writable: false });
  world.followed = new Map(world.followed).set(key, address(target, 0));
  return address(target, 0);
}

/** Legacy packet load: bytes in network order, undefined when they are not in the packet. Negative offsets are not modelled. */
export function packetLoad(world: World, offset: bigint, size: number): bigint | undefined {
  const at = Number(BigInt.asIntN(32, offset));
  const { region, data, end } = world.packet;
  if (at < 0 || at + size > end - data) return undefined;
  const packet = world.memory.get(region);
  if (packet === undefined) throw fault('packet load without a packet');
  let value = 0n;
  for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(packet.bytes[data + at + i]!);
  return value;
}
