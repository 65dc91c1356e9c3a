/**
 * Helpers that change the headers of an skb. The environment decides whether they succeed, because that depends on more than the skb's
 * bytes. What they do on success follows net/core/filter.c, include/net/checksum.h and include/net/inet_ecn.h.
 */
import { progType } from '../../../kernel/progtypes.js';
import { insertIntoPacket } from '../../state/packet.js';
import type { Call } from '../call.js';
import type { Model, Models } from './model.js';

const ETH_HLEN = 14;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const ETH_P_8021Q = 0x8100;
const ETH_P_8021AD = 0x88a8;
const VLAN_HLEN = 4;
/** Bytes of the two MAC addresses, which come before the protocol. */
const MAC_ADDRESSES = 12;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const CE = 3;
const CSUM_MANGLED_0 = 0xffff;
/** BPF_F_MARK_MANGLED_0 and BPF_F_MARK_ENFORCE. */
const MARK_MANGLED_0 = 0x20n;
const MARK_ENFORCE = 0x40n;

/** Changes the packet if the environment says that the helper succeeded. The packet has moved in any case. */
const onSuccess = (success: bigint, act: (call: Call) => void): Model => ({
  run(call, _outcome, rest) {
    const r0 = rest();
    if (r0 === success) act(call);
    return r0;
  },
});

interface Bytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly start: number;
  readonly length: number;
}

function packetOf(call: Call): Bytes {
  const { region, data, end } = call.machine.packet;
  const { bytes, view } = call.machine.memory.own(region);
  return { bytes, view, start: data, length: end - data };
}

/** skb->protocol, which is set when the packet comes in. */
function protocolOf(call: Call): number {
  const { machine } = call;
  const member = progType(machine.code.program.type).members.find(({ name }) => name === 'protocol');
  const raw =
    member === undefined ? 0 : machine.memory.get(machine.ctx)!.view.getUint16(member.offset, false);
  return raw;
}

/** Sets a member of the context, where the context stores it as bytes. */
function setMember(call: Call, name: string, value: bigint): void {
  const { machine } = call;
  const member = progType(machine.code.program.type).members.find((one) => one.name === name);
  if (member === undefined) return;
  const { view } = machine.memory.own(machine.ctx);
  if (member.size === 8) view.setBigUint64(member.offset, value, true);
  else if (member.size === 4) view.setUint32(member.offset, Number(value & 0xffff_ffffn), true);
  else view.setUint8(member.offset, Number(value & 0xffn));
}

const setting = (members: (call: Call) => Readonly<Record<string, bigint>>): Model =>
  onSuccess(0n, (call) => {
    for (const [name, value] of Object.entries(members(call))) setMember(call, name, value);
  });

/** bpf_skb_ecn_set_ce: marks congestion if the transport says that it can be marked. */
function setCe(call: Call): void {
  const { view, start, length } = packetOf(call);
  const { network: header } = call.machine.packet;
  const at = start + header;
  const protocol = protocolOf(call);
  if (protocol === ETH_P_IP && length >= header + IPV4_HEADER) {
    const tos = view.getUint8(at + 1);
    const ecn = (tos + 1) & CE;
    if ((ecn & 2) === 0) return;
    // The sum of the header as the machine reads it, little endian.
    const sum = view.getUint16(at + 10, true) + swap16(0xfffb) + swap16(ecn);
    view.setUint16(at + 10, (sum + (sum >= 0xffff ? 1 : 0)) & 0xffff, true);
    view.setUint8(at + 1, tos | CE);
  } else if (protocol === ETH_P_IPV6 && length >= header + IPV6_HEADER) {
    view.setUint8(at + 1, view.getUint8(at + 1) | (CE << 4));
  }
}

const swap16 = (value: number): number => ((value & 0xff) << 8) | (value >> 8);

/** Ones' complement sums: 32 bits with end-around carry (csum_add), then folded into 16 bits (csum_fold, before the complement). */
const add32 = (a: number, b: number): number => {
  const sum = (a >>> 0) + (b >>> 0);
  return ((sum >>> 0) + (sum > 0xffff_ffff ? 1 : 0)) >>> 0;
};
function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return ((once & 0xffff) + (once >>> 16)) & 0xffff;
}
const add16 = (a: number, b: number): number => {
  const sum = a + b;
  return (sum & 0xffff) + (sum > 0xffff ? 1 : 0);
};

/** A checksum after a change of `from` to `to`; `size` 0: `to` is the difference (csum_replace_by_diff, csum_replace2, csum_replace4). */
export function replaceChecksum(old: number, from: number, to: number, size: number): number {
  const inverse = ~old & 0xffff;
  if (size === 2) return ~add16(add16(inverse, ~from & 0xffff), to & 0xffff) & 0xffff;
  // csum_unfold of a complement of 16 bits leaves the upper bits set.
  const wide = ~old >>> 0;
  if (size === 0) return ~fold(add32(to, wide)) & 0xffff;
  return ~fold(add32(add32(wide, ~from >>> 0), to)) & 0xffff;
}

/** (ctx, offset, from, to, flags) */
function replaceAt(call: Call, mangled: boolean): void {
  const { view, start, length } = packetOf(call);
  const at = call.size(1);
  if (at + 2 > length) return;
  const flags = call.arg(4);
  const old = view.getUint16(start + at, true);
  const marked = mangled && (flags & MARK_MANGLED_0) !== 0n;
  if (marked && (flags & MARK_ENFORCE) === 0n && old === 0) return;
  let sum = replaceChecksum(old, call.size(2), call.size(3), Number(flags & 0xfn));
  if (marked && sum === 0) sum = CSUM_MANGLED_0;
  view.setUint16(start + at, sum, true);
}

/** Arguments: (ctx, bytes to add or remove, mode, flags). Mode 1: after the Ethernet header; mode 0: after the network header. */
function adjustRoom(call: Call): void {
  const protocol = protocolOf(call);
  const network = protocol === ETH_P_IP ? IPV4_HEADER : protocol === ETH_P_IPV6 ? IPV6_HEADER : 0;
  const by = Number(BigInt.asIntN(32, call.arg(1)));
  insertIntoPacket(call.machine, call.machine.packet.network + (call.size(2) === 0 ? network : 0), by);
}

/** A member of the context as a number. 16-bit members are in network order, as the program reads them. */
function member(call: Call, name: string): number {
  const { machine } = call;
  const found = progType(machine.code.program.type).members.find((one) => one.name === name);
  return found === undefined ? 0 : machine.memory.get(machine.ctx)!.view.getUint32(found.offset, true);
}

const isVlan = (protocol: number): boolean => protocol === ETH_P_8021Q || protocol === ETH_P_8021AD;

/** Sets the VLAN tag in the context's members, outside of the packet, where network cards leave it. */
function setTag(call: Call, protocol: number, tci: number): void {
  setMember(call, 'vlan_present', 1n);
  setMember(call, 'vlan_proto', BigInt(swap16(protocol)));
  setMember(call, 'vlan_tci', BigInt(tci));
}

/** Arguments: (ctx, protocol, tag). A tag outside of the packet is first written into the packet. */
function pushVlan(call: Call): void {
  if (member(call, 'vlan_present') !== 0) {
    const inner = swap16(member(call, 'vlan_proto') & 0xffff);
    insertIntoPacket(call.machine, MAC_ADDRESSES, VLAN_HLEN);
    const { view, start } = packetOf(call);
    view.setUint16(start + MAC_ADDRESSES, inner, false);
    view.setUint16(start + MAC_ADDRESSES + 2, member(call, 'vlan_tci'), false);
    setMember(call, 'protocol', BigInt(swap16(inner)));
  }
  const protocol = swap16(call.size(1) & 0xffff);
  setTag(call, isVlan(protocol) ? protocol : ETH_P_8021Q, call.size(2) & 0xffff);
}

/** Takes a tag out of the packet and answers it. */
function takeTag(call: Call): number {
  const { view, start } = packetOf(call);
  const tci = view.getUint16(start + ETH_HLEN, false);
  const inner = view.getUint16(start + ETH_HLEN + 2, false);
  insertIntoPacket(call.machine, MAC_ADDRESSES, -VLAN_HLEN);
  setMember(call, 'protocol', BigInt(swap16(inner)));
  return tci;
}

function popVlan(call: Call): void {
  if (member(call, 'vlan_present') !== 0) {
    for (const name of ['vlan_present', 'vlan_proto', 'vlan_tci']) setMember(call, name, 0n);
  } else {
    if (!isVlan(protocolOf(call))) return;
    takeTag(call);
  }
  const outer = protocolOf(call);
  if (isVlan(outer)) setTag(call, outer, takeTag(call));
}

/** Arguments: (ctx, protocol, flags). The network header becomes that of the other IP version. New bytes are zero. */
function changeProtocol(call: Call): void {
  const to = swap16(call.size(1) & 0xffff);
  const from = protocolOf(call);
  if (to === from) return;
  insertIntoPacket(
    call.machine,
    call.machine.packet.network,
    to === ETH_P_IPV6 ? IPV6_HEADER - IPV4_HEADER : IPV4_HEADER - IPV6_HEADER,
  );
  setMember(call, 'protocol', BigInt(swap16(to)));
}

export const HEADER_MODELS: Models = {
  bpf_skb_ecn_set_ce: onSuccess(1n, setCe),
  bpf_l3_csum_replace: onSuccess(0n, (call) => replaceAt(call, false)),
  bpf_l4_csum_replace: onSuccess(0n, (call) => replaceAt(call, true)),
  bpf_skb_adjust_room: onSuccess(0n, adjustRoom),
  bpf_skb_vlan_push: onSuccess(0n, pushVlan),
  bpf_skb_vlan_pop: onSuccess(0n, popVlan),
  bpf_skb_change_proto: onSuccess(0n, changeProtocol),
  bpf_skb_set_tstamp: setting((call) => ({ tstamp: call.arg(1), tstamp_type: call.arg(2) })),
  // The environment decides the hash. It then stands in the context too.
  bpf_get_hash_recalc: {
    run(call, _, rest) {
      const hash = rest() ?? 0n;
      setMember(call, 'hash', hash & 0xffff_ffffn);
      return hash;
    },
  },
  bpf_set_hash_invalid: setting(() => ({ hash: 0n })),
  bpf_set_hash: setting((call) => ({ hash: call.arg(1) })),
  bpf_skb_change_type: setting((call) => ({ pkt_type: call.arg(1) })),
};
