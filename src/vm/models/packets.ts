/** Packet helpers that copy bytes or move the packet's bounds, for real: the packet is one linear buffer. */
import { address } from '../address.js';
import type { Call } from '../call.js';
import { ERRNO } from '../maps.js';
import { movePacket } from '../packet.js';
import { type Model, type Models, signed } from './model.js';

const EFAULT = -14n;

/** Where `size` bytes at `offset` lie in the packet; undefined when they are not all in it. */
function inPacket(call: Call, offset: number, size: number): bigint | undefined {
  const { region, data, end } = call.world.packet;
  return offset + size <= end - data ? address(region, data + offset) : undefined;
}

/** (ctx, offset, to, len) */
const load: Model = {
  run(call) {
    const size = call.size(3);
    const from = inPacket(call, call.size(1), size);
    const bytes = from === undefined ? new Uint8Array(size) : call.world.bytesAt(from, size).slice();
    if (size > 0) call.world.writeBytes(call.arg(2), bytes);
    return signed(from === undefined ? EFAULT : 0n);
  },
};

/** (ctx, offset, from, len, ...) */
const store: Model = {
  run(call, _outcome, rest) {
    const size = call.size(3);
    const bytes = size === 0 ? new Uint8Array(0) : call.world.bytesAt(call.arg(2), size).slice();
    rest();
    const to = inPacket(call, call.size(1), size);
    if (to === undefined) return signed(EFAULT);
    if (size > 0) call.world.writeBytes(to, bytes);
    return 0n;
  },
};

/** Moves a bound of the packet by a signed number of bytes in argument 1. */
const adjust = (move: (call: Call, by: number) => boolean): Model => ({
  run: (call) => signed(move(call, Number(BigInt.asIntN(32, call.arg(1)))) ? 0n : ERRNO.EINVAL),
});

export const PACKET_MODELS: Models = {
  bpf_skb_load_bytes: load,
  bpf_xdp_load_bytes: load,
  bpf_skb_store_bytes: store,
  bpf_xdp_store_bytes: store,
  bpf_xdp_adjust_head: adjust((call, by) => movePacket(call.world, by)),
  bpf_xdp_adjust_tail: adjust((call, by) => movePacket(call.world, 0, by)),
  bpf_xdp_adjust_meta: adjust((call, by) => movePacket(call.world, 0, 0, by)),
  bpf_skb_change_tail: adjust((call, length) => {
    const { data, end } = call.world.packet;
    return movePacket(call.world, 0, length - (end - data));
  }),
  bpf_skb_change_head: adjust((call, by) => movePacket(call.world, -by)),
};
