/** The packet: where it lies, and how it moves. Programs hold pointers into it, which die when it is moved. */
import type { World } from './world.js';

/** Free bytes in front of the data: XDP_PACKET_HEADROOM less the struct xdp_frame that lies there. Behind it, some of a page's rest. */
export const HEADROOM = 256 - 40;
export const TAILROOM = 320;

/** Puts a packet into the run's memory. */
export function placePacket(world: World, packet: Uint8Array): void {
  const bytes = new Uint8Array(HEADROOM + packet.length + TAILROOM);
  bytes.set(packet, HEADROOM);
  const region = world.memory.add({ kind: 'packet', bytes, writable: true, name: 'packet' });
  world.packet = { region, meta: HEADROOM, data: HEADROOM, end: HEADROOM + packet.length };
}

/**
 * The packet is somewhere else now, with its start and end moved by this many bytes; pointers into the old place are dead. Answers
 * false, and only moves it, when the new bounds do not fit.
 */
export function movePacket(world: World, head = 0, tail = 0, meta = 0): boolean {
  const { region, ...at } = world.packet;
  const next = { meta: at.meta + head + meta, data: at.data + head, end: at.end + tail };
  const bytes = world.memory.get(region)!.bytes;
  const fits =
    next.meta >= 0 && next.meta <= next.data && next.data + 14 <= next.end && next.end <= bytes.length;
  const fresh = world.memory.add({ kind: 'packet', bytes: bytes.slice(), writable: true, name: 'packet' });
  world.memory.kill(region);
  world.packet = { region: fresh, ...(fits ? next : at) };
  return fits;
}
