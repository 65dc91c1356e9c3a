/** Differences between the program types that can be test-run. Follows net/bpf/test_run.c. */
import type { MapDef, MapType, ProgType } from '../../../object/program.js';

/** Types whose packet is an skb. */
const SKB: ReadonlySet<ProgType> = new Set<ProgType>([
  'tc',
  'action',
  'socket_filter',
  'cgroup_skb',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
]);
/** Types that see the packet from its Ethernet header on; all others from the network's. */
const WHOLE: ReadonlySet<ProgType> = new Set<ProgType>(['xdp', 'tc', 'action']);

/** Bytes of an Ethernet header. */
export const ETH_HLEN = 14;

/** Maps whose elements are set before a run and compared after it. */
const COMPARED: ReadonlySet<MapType> = new Set<MapType>([
  'array',
  'hash',
  'lru_hash',
  'percpu_array',
  'percpu_hash',
  'lpm_trie',
]);

/**
 * Whether the contents of a map after a test run are compared between the VM and Linux: it is of a type that user space can read back.
 */
export const isCompared = (map: MapDef): boolean => COMPARED.has(map.type);
/** Whether test runs give programs of this type a `struct __sk_buff`. */
export const isSkb = (type: ProgType): boolean => SKB.has(type);
/** Whether test runs give programs of this type a packet: XDP, and all that get a `struct __sk_buff`. */
export const hasPacket = (type: ProgType): boolean => type === 'xdp' || SKB.has(type);

/** The part of a packet, as user space gives it or gets it back, that programs of this type see. */
export function seenPart(type: ProgType, packet: Uint8Array): Uint8Array {
  return WHOLE.has(type) ? packet.slice() : packet.slice(ETH_HLEN);
}
