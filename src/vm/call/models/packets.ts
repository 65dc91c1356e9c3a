/**
 * Packet helpers that copy bytes or move the packet's bounds, for real: the packet is one linear buffer. Follows net/core/filter.c,
 * error numbers included.
 */
import { address } from '../../state/address.js';
import { ERRNO } from '../../state/maps.js';
import { adjustPacket, movePacket, resizePacket } from '../../state/packet.js';
import type { Call } from '../call.js';
import { touch } from '../effects.js';
import { type Model, type Models, signed } from './model.js';

const EFAULT = -14n;
const EACCES = -13n;
const INT_MAX = 0x7fff_ffff;
/** The greatest length of one piece of an XDP buffer. */
const XDP_LONGEST = 0xffff;
/** SKB_MAX_ALLOC. */
const SKB_LONGEST = 16_384 - 320;
/** BPF_F_RECOMPUTE_CSUM and BPF_F_INVALIDATE_HASH. */
const STORE_FLAGS = 3n;

/** Where `size` bytes at `offset` lie in the packet; undefined when they are not all in it. */
function inPacket(call: Call, offset: number, size: number): bigint | undefined {
  const { region, data, end } = call.machine.packet;
  return offset + size <= end - data ? address(region, data + offset) : undefined;
}

function copyOut(call: Call, from: bigint, size: number): void {
  if (size > 0) call.machine.writeBytes(call.arg(2), call.machine.bytesAt(from, size).slice());
}

/** (ctx, offset, to, len): the buffer is cleared where there are no such bytes. */
const skbLoad: Model = {
  run(call) {
    const size = call.size(3);
    const from = inPacket(call, call.size(1), size);
    if (from !== undefined) copyOut(call, from, size);
    else if (size > 0) call.machine.writeBytes(call.arg(2), new Uint8Array(size));
    return signed(from === undefined ? EFAULT : 0n);
  },
};

/** Why these bytes of an XDP buffer cannot be reached. */
function xdpError(call: Call): bigint {
  return call.size(1) > XDP_LONGEST || call.size(3) > XDP_LONGEST ? EFAULT : ERRNO.EINVAL;
}

/** (ctx, offset, to, len): the buffer stays as it was where there are no such bytes. */
const xdpLoad: Model = {
  run(call) {
    const size = call.size(3);
    const from = inPacket(call, call.size(1), size);
    if (from !== undefined) copyOut(call, from, size);
    else touch(call, 2, size);
    return signed(from === undefined ? xdpError(call) : 0n);
  },
};

/** (ctx, offset, from, len, ...) */
const store = (flags: boolean, error: (call: Call) => bigint): Model => ({
  run(call, _outcome, rest) {
    const size = call.size(3);
    const bytes = size === 0 ? new Uint8Array(0) : call.machine.bytesAt(call.arg(2), size).slice();
    rest();
    if (flags && (call.arg(4) & ~STORE_FLAGS) !== 0n) return signed(ERRNO.EINVAL);
    const to = inPacket(call, call.size(1), size);
    if (to === undefined) return signed(error(call));
    if (size > 0) call.machine.writeBytes(to, bytes);
    return 0n;
  },
});

const int32 = (value: bigint): number => Number(BigInt.asIntN(32, value));

/** Moves a bound of an XDP packet by a signed number of bytes in argument 1. */
const adjust = (move: (call: Call, by: number) => ReturnType<typeof adjustPacket>): Model => ({
  run(call) {
    const refusal = move(call, int32(call.arg(1)));
    return signed(refusal === undefined ? 0n : refusal === 'EINVAL' ? ERRNO.EINVAL : EACCES);
  },
});

const length = (call: Call): number => call.machine.packet.end - call.machine.packet.data;

/**
 * (ctx, new length, flags). How short an skb may become depends on its transport header offset in Linux. That offset may be nonsense
 * after the skb was moved to get room, because an unset offset is moved too. So a recorded result is taken as it is.
 */
const changeTail: Model = {
  run(call) {
    const wanted = call.size(1);
    movePacket(call.machine);
    if (
      call.arg(2) !== 0n ||
      wanted > SKB_LONGEST ||
      (wanted < call.machine.packet.network && call.givenValue !== 0n)
    )
      return signed(ERRNO.EINVAL);
    resizePacket(call.machine, 0, wanted);
    return call.narrow(0n, 64);
  },
};

/** (ctx, bytes more in front, flags) */
const changeHead: Model = {
  run(call) {
    const more = call.size(1);
    movePacket(call.machine);
    if (call.arg(2) !== 0n || more > INT_MAX || length(call) + more > SKB_LONGEST)
      return signed(ERRNO.EINVAL);
    resizePacket(call.machine, more, length(call) + more);
    return 0n;
  },
};

export const PACKET_MODELS: Models = {
  bpf_skb_load_bytes: skbLoad,
  bpf_xdp_load_bytes: xdpLoad,
  bpf_skb_store_bytes: store(true, () => EFAULT),
  bpf_xdp_store_bytes: store(false, xdpError),
  bpf_xdp_adjust_head: adjust((call, by) => adjustPacket(call.machine, by, 0, 0)),
  bpf_xdp_adjust_tail: adjust((call, by) => adjustPacket(call.machine, 0, by, 0)),
  bpf_xdp_adjust_meta: adjust((call, by) => adjustPacket(call.machine, 0, 0, by)),
  bpf_skb_change_tail: changeTail,
  bpf_skb_change_head: changeHead,
};
