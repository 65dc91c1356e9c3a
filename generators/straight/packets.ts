/** Statements on packets: direct access, legacy loads, the helpers that copy bytes and move bounds. */
import {
  add,
  and,
  jmp,
  ldAbs,
  ldInd,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  stx,
  xor,
} from '../../src/isa/build.js';
import type { Size } from '../../src/isa/insn.js';
import { label } from '../../src/isa/label.js';
import { BUFFER, BUFFER_SIZE, type Writer } from './writer.js';

/** Offsets of the packet's start and end in the context. */
const BOUNDS: Partial<Record<string, readonly [number, number]>> = {
  xdp: [0, 4],
  tc: [76, 80],
  action: [76, 80],
  cgroup_skb: [76, 80],
  lwt_xmit: [76, 80],
};
/** Types that may not write to packets. */
const READS = new Set<string>(['cgroup_skb']);

/** Reads and writes bytes of the packet, if it has as many. */
export function direct(w: Writer): void {
  const bounds = BOUNDS[w.type];
  if (!w.main) return;
  if (bounds === undefined) {
    legacy(w);
    return;
  }
  const short = w.fresh();
  const length = 1 + w.below(60);
  w.emit(ldx(4, r2, r6, bounds[0]), ldx(4, r3, r6, bounds[1]));
  if (w.oneIn(3)) w.emit(mov(r1, w.scalar()), and(r1, 31), add(r2, r1));
  w.emit(mov(r4, r2), add(r4, length), mov(r5, 0), jmp('gt', r4, r3, short));
  for (let i = w.below(3); i >= 0; i--) {
    const size = w.pick<Size>([1, 2, 4, 8]);
    if (size > length) continue;
    // Packets need not be aligned.
    const at = w.below(length - size + 1);
    if (w.oneIn(2) || READS.has(w.type)) w.emit(ldx(size, r5, r2, at));
    else w.emit(xor(r5, w.scalar()), stx(size, r2, at, r5));
  }
  w.emit(label(short), mov(r0, r5));
  w.refresh();
  w.paths *= 2;
}

/** Types that have them (may_access_skb). */
const LEGACY = new Set<string>(['tc', 'action', 'socket_filter']);

/** LD_ABS and LD_IND, which end the program where there are no such bytes. */
function legacy(w: Writer): void {
  if (!LEGACY.has(w.type) || !w.main || w.nested > 0) return;
  const size = w.pick([1, 2, 4] as const);
  if (w.oneIn(2)) w.emit(ldAbs(size, w.below(w.oneIn(10) ? 200 : 14)));
  else w.emit(mov(r7, w.scalar()), and(r7, 7), ldInd(size, r7, w.below(8)));
  w.keep();
}

/** A number of bytes to move a bound by. */
function step(w: Writer, reg: typeof r2): void {
  if (w.oneIn(3)) w.emit(mov(reg, w.scalar()), and(reg, 15));
  else w.emit(mov(reg, w.oneIn(8) ? w.number() : w.below(40) - 20));
}

/**
 * Writes one call of a packet helper that programs of this type may call, or a legacy load; nothing outside the main program. Sizes
 * and offsets may lie outside of the packet.
 */
export function packetCall(w: Writer): void {
  const names = (NAMES[w.type] ?? []).filter((one) => one === 'legacy' || w.can(one));
  if (!w.main || names.length === 0) return;
  const size = 1 + w.below(BUFFER_SIZE);
  const at = w.oneIn(10) ? w.number() : w.below(70);
  const buffer = (): void => {
    w.emit(mov(r1, r6), mov(r2, at));
    w.address(r3, BUFFER);
    w.emit(mov(r4, size), mov(r5, w.oneIn(8) ? w.below(8) : 0));
  };
  const name = w.pick(names);
  switch (name) {
    case 'legacy':
      legacy(w);
      return;
    case 'bpf_xdp_adjust_head':
    case 'bpf_xdp_adjust_tail':
    case 'bpf_xdp_adjust_meta':
      w.emit(mov(r1, r6));
      step(w, r2);
      break;
    case 'bpf_xdp_get_buff_len':
      w.emit(mov(r1, r6));
      break;
    case 'bpf_skb_change_tail':
    case 'bpf_skb_pull_data':
      w.emit(mov(r1, r6), mov(r2, w.oneIn(8) ? w.number() : w.below(200)), mov(r3, w.oneIn(8) ? 1 : 0));
      break;
    case 'bpf_skb_change_head':
      w.emit(mov(r1, r6), mov(r2, w.oneIn(8) ? w.number() : w.below(40)), mov(r3, w.oneIn(8) ? 1 : 0));
      break;
    case 'bpf_l3_csum_replace':
    case 'bpf_l4_csum_replace': {
      const flags = w.pick([0, 2, 4, 2, 4, 0x12, 0x14, 0x24, 0x64, 1]);
      w.emit(mov(r1, r6), mov(r2, w.below(60)), mov(r3, flags === 0 ? 0 : w.scalar()), mov(r4, w.scalar()));
      w.emit(mov(r5, flags));
      break;
    }
    default:
      buffer();
  }
  w.call(name);
  w.keep();
}

const ON_SKB = [
  'legacy',
  'bpf_skb_load_bytes',
  'bpf_skb_store_bytes',
  'bpf_skb_change_tail',
  'bpf_skb_change_head',
  'bpf_skb_pull_data',
  'bpf_l3_csum_replace',
  'bpf_l4_csum_replace',
];
const NAMES: Partial<Record<string, readonly string[]>> = {
  xdp: [
    'bpf_xdp_load_bytes',
    'bpf_xdp_store_bytes',
    'bpf_xdp_adjust_head',
    'bpf_xdp_adjust_tail',
    'bpf_xdp_adjust_meta',
    'bpf_xdp_get_buff_len',
  ],
  tc: ON_SKB,
  action: ON_SKB,
  socket_filter: ON_SKB,
  cgroup_skb: ON_SKB,
  lwt_xmit: ON_SKB,
};
