/**
 * Functions for programs that stand in for a struct of the kernel's own functions: congestion control, packet schedulers, HID devices. Follows
 * net/ipv4/{tcp_cong,tcp_cubic,tcp_dctcp,tcp_bbr,bpf_tcp_ca}.c, net/sched/bpf_qdisc.c, drivers/hid/bpf/hid_bpf_dispatch.c. No type of program
 * that is modelled may call them.
 */
import type { Arg, Contract } from '../contract.js';
import {
  acquired,
  any,
  btf,
  btfReleased,
  derived,
  failed,
  helper,
  INTEGER,
  kfunc,
  mem,
  memOf,
  NULL,
  outcome,
  releases,
  scalar,
  sizeOrZero,
  slow,
  struct,
  VOID,
} from './define.js';

const done = [outcome('done', VOID)];
const number = [outcome('done', INTEGER)];
const sk = btf('any', 'sock');
const trustedSk = btf('trusted', 'sock');

/** They compute on what they are given, and take no lock. */
export const CONGESTION_CONTRACTS: readonly Contract[] = [
  // Sends one packet.
  helper('bpf_tcp_send_ack', [btf('any', 'tcp_sock'), any], [failed(), slow('done', INTEGER)]),

  kfunc('tcp_reno_ssthresh', [sk], number),
  kfunc('tcp_reno_cong_avoid', [sk, scalar, scalar], done),
  kfunc('tcp_reno_undo_cwnd', [sk], number),
  kfunc('tcp_slow_start', [btf('any', 'tcp_sock'), scalar], number),
  kfunc('tcp_cong_avoid_ai', [btf('any', 'tcp_sock'), scalar, scalar], done),

  kfunc('cubictcp_init', [sk], done),
  kfunc('cubictcp_recalc_ssthresh', [sk], number),
  kfunc('cubictcp_cong_avoid', [sk, scalar, scalar], done),
  kfunc('cubictcp_state', [sk, scalar], done),
  kfunc('cubictcp_cwnd_event', [sk, scalar], done),
  kfunc('cubictcp_cwnd_event_tx_start', [trustedSk], done),
  kfunc('cubictcp_acked', [sk, btf('any', 'ack_sample')], done),

  kfunc('dctcp_init', [sk], done),
  kfunc('dctcp_update_alpha', [sk, scalar], done),
  kfunc('dctcp_cwnd_event', [sk, scalar], done),
  kfunc('dctcp_cwnd_event_tx_start', [trustedSk], done),
  kfunc('dctcp_ssthresh', [sk], number),
  kfunc('dctcp_cwnd_undo', [sk], number),
  kfunc('dctcp_state', [sk, scalar], done),

  kfunc('bbr_init', [sk], done),
  kfunc('bbr_main', [sk, scalar, scalar, btf('any', 'rate_sample')], done),
  kfunc('bbr_sndbuf_expand', [sk], number),
  kfunc('bbr_undo_cwnd', [sk], number),
  kfunc('bbr_cwnd_event', [sk, scalar], done),
  kfunc('bbr_cwnd_event_tx_start', [trustedSk], done),
  kfunc('bbr_ssthresh', [sk], number),
  kfunc('bbr_min_tso_segs', [sk], number),
  kfunc('bbr_set_state', [sk, scalar], done),
];

const qdisc = btf('trusted', 'Qdisc');

export const QDISC_CONTRACTS: readonly Contract[] = [
  kfunc('bpf_skb_get_hash', [btf('trusted', 'sk_buff')], number),
  kfunc('bpf_kfree_skb', [btfReleased('sk_buff')], [outcome('done', VOID, releases(0))]),
  // Puts the packet on a list; whoever owns the list frees it. KF_RELEASE wants trusted arguments (is_kfunc_trusted_args).
  kfunc(
    'bpf_qdisc_skb_drop',
    [btfReleased('sk_buff'), btf('trusted', 'bpf_sk_buff_ptr')],
    [outcome('done', VOID, releases(0))],
  ),
  kfunc('bpf_qdisc_watchdog_schedule', [qdisc, scalar, scalar], done),
  kfunc(
    'bpf_qdisc_init_prologue',
    [qdisc, btf('trusted', 'netlink_ext_ack')],
    [failed(), outcome('done', INTEGER)],
  ),
  // Waits for a timer that is running.
  kfunc('bpf_qdisc_reset_destroy_epilogue', [qdisc], [outcome('idle', VOID), slow('done', VOID)]),
  kfunc('bpf_qdisc_bstats_update', [qdisc, btf('trusted', 'sk_buff')], done),
];

const device = btf('any', 'hid_bpf_ctx');
const buffer = (at: number): readonly Arg[] => [mem('readwrite', at + 1), sizeOrZero];
/** Talks to the device, and waits for its answer. */
const asks = [failed(), slow('done', INTEGER)];

export const HID_CONTRACTS: readonly Contract[] = [
  // NULL where the piece lies outside the report. The size is a known number (rdwr_buf_size).
  kfunc(
    'hid_bpf_get_data',
    [device, scalar, { kind: 'alloc_size' }],
    [outcome('null', NULL), outcome('found', derived(memOf({ arg: 2 }), 0))],
  ),
  kfunc(
    'hid_bpf_allocate_context',
    [scalar],
    [outcome('null', NULL), slow('allocated', acquired(struct('hid_bpf_ctx'), 'hid_bpf_ctx'))],
  ),
  kfunc('hid_bpf_release_context', [btfReleased('hid_bpf_ctx')], [slow('done', VOID, releases(0))]),
  kfunc('hid_bpf_hw_request', [device, ...buffer(1), scalar, scalar], asks),
  kfunc('hid_bpf_hw_output_report', [device, ...buffer(1)], asks),
  kfunc('hid_bpf_input_report', [device, scalar, ...buffer(2)], asks),
  // Gives up where the device is in use.
  kfunc('hid_bpf_try_input_report', [device, scalar, ...buffer(2)], [failed(), outcome('done', INTEGER)]),
];
