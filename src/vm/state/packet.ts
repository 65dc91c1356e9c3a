/** The packet: where it lies, and how it moves. Programs hold pointers into it, which die when it is moved. */
import { progType } from '../../kernel/progtypes.js';
import type { ProgType } from '../../object/program.js';
import type { MachineState, PacketPlace } from './machine.js';

/** Free bytes in front of the data: XDP_PACKET_HEADROOM less the struct xdp_frame that lies there. */
export const HEADROOM = 256 - 40;
/** Bytes of packet that fit into a page behind XDP_PACKET_HEADROOM, before the struct skb_shared_info at its end. */
export const PAGE_ROOM = 4096 - 256 - 320;
/** The least that a packet may have (ETH_HLEN). */
export const ETH_HLEN = 14;
/** The longest metadata that fits into struct skb_shared_info. */
const MOST_META = 255;

/** Types whose packet starts at the header of the network. */
const FROM_NETWORK: ReadonlySet<ProgType> = new Set<ProgType>([
  'socket_filter',
  'cgroup_skb',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
]);

/** Puts a packet into the run's memory. */
export function placePacket(machine: MachineState, packet: Uint8Array): void {
  const bytes = new Uint8Array(HEADROOM + Math.max(PAGE_ROOM, packet.length));
  bytes.set(packet, HEADROOM);
  const region = machine.memory.add({ kind: 'packet', bytes, writable: true, name: 'packet' });
  const network = FROM_NETWORK.has(machine.code.program.type) ? 0 : ETH_HLEN;
  machine.packet = { region, meta: HEADROOM, data: HEADROOM, end: HEADROOM + packet.length, network };
}

/** The error with which a helper says why it did not move the packet; undefined if it did. */
export type Refusal = 'EINVAL' | 'EACCES';

/** Copies the packet to a new region. Pointers into the old one are dead. */
export function movePacket(machine: MachineState): void {
  const { region } = machine.packet;
  relocate(machine, machine.memory.get(region)!.bytes.slice(), machine.packet);
}

function relocate(
  machine: MachineState,
  bytes: Uint8Array,
  { meta, data, end, network }: Omit<PacketPlace, 'region'>,
): void {
  const old = machine.packet.region;
  const region = machine.memory.add({ kind: 'packet', bytes, writable: true, name: 'packet' });
  machine.memory.kill(old);
  machine.packet = { region, meta, data, end, network };
}

/**
 * Moves the start of an XDP packet (`head`), with its metadata; its end (`tail`), the new bytes being zero; and the start of
 * the metadata (`meta`). If that does not fit, returns the error and only moves the packet elsewhere. Follows bpf_xdp_adjust_head, _tail
 * and _meta of net/core/filter.c.
 */
export function adjustPacket(
  machine: MachineState,
  head: number,
  tail: number,
  meta: number,
): Refusal | undefined {
  const { region, ...at } = machine.packet;
  const bytes = machine.memory.get(region)!.bytes.slice();
  const next = { ...at, meta: at.meta + head + meta, data: at.data + head, end: at.end + tail };
  const fits =
    next.meta >= 0 && next.meta <= next.data && next.data + ETH_HLEN <= next.end && next.end <= bytes.length;
  const size = next.data - next.meta;
  const refusal = !fits
    ? 'EINVAL'
    : meta !== 0 && (size % 4 !== 0 || size > MOST_META)
      ? 'EACCES'
      : undefined;
  if (refusal === undefined) {
    if (head !== 0) bytes.copyWithin(next.meta, at.meta, at.data);
    bytes.fill(0, at.end, Math.max(at.end, next.end));
  }
  relocate(machine, bytes, refusal === undefined ? next : at);
  return refusal;
}

/** Gives an skb's packet `front` zero bytes more in front, and `length` bytes in all, filled up with zeros. The context's `len` follows. */
export function resizePacket(machine: MachineState, front: number, length: number): void {
  const { region, data, end } = machine.packet;
  const old = machine.memory.get(region)!.bytes;
  replacePacket(machine, front, length, old.subarray(data, Math.min(end, data + length - front)));
}

/** Puts `by` zero bytes into an skb's packet at `at`, or takes -`by` bytes out there. */
export function insertIntoPacket(machine: MachineState, at: number, by: number): void {
  const { region, data, end } = machine.packet;
  const old = machine.memory.get(region)!.bytes.subarray(data, end);
  if (at > old.length || at - by > old.length) return;
  const fresh = new Uint8Array(old.length + by);
  fresh.set(old.subarray(0, at));
  fresh.set(old.subarray(by < 0 ? at - by : at), by < 0 ? at : at + by);
  replacePacket(machine, 0, fresh.length, fresh);
}

function replacePacket(machine: MachineState, front: number, length: number, contents: Uint8Array): void {
  const bytes = new Uint8Array(HEADROOM + Math.max(PAGE_ROOM, length));
  bytes.set(contents, HEADROOM + front);
  const network = machine.packet.network + front;
  relocate(machine, bytes, { meta: HEADROOM, data: HEADROOM, end: HEADROOM + length, network });
  const { members } = progType(machine.code.program.type);
  const len = members.find(({ name }) => name === 'len');
  if (len !== undefined) machine.memory.own(machine.ctx).view.setUint32(len.offset, length, true);
}
