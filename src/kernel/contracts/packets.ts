/** Packets. Follows net/core/filter.c; bpf_helper_changes_pkt_data lists what may move them. */
import type { Contract } from '../contract.js';
import { any, ctx, helper, INTEGER, mem, outcome, size, writes } from './define.js';

export const PACKET_CONTRACTS: readonly Contract[] = [
  // Fills the buffer with zeros when it fails.
  helper('bpf_skb_load_bytes', [ctx, any, mem('write', 3), size], [outcome('done', INTEGER, writes(2))]),
];
