/**
 * Contexts of programs on sockets and drivers: xdp_md, bpf_sock_ops, sk_msg_md, bpf_sk_lookup, sk_reuseport_md, bpf_nf_ctx. Follows
 * the is_valid_access functions in net/core/filter.c and nf_is_valid_access in net/netfilter/nf_bpf_link.c.
 */
import { ATTACH } from './attach.js';
import { type ContextMember, LONG, member, NARROW, NONE, onlyFor, WORD, words, writable } from './member.js';

/** struct xdp_md. Words only. */
export const XDP_MD: readonly ContextMember[] = onlyFor(
  [
    member('data', 0, 4, WORD, NONE, 'packet'),
    member('data_end', 4, 4, WORD, NONE, 'packet_end'),
    member('data_meta', 8, 4, WORD, NONE, 'packet_meta'),
    ...words(12, 'ingress_ifindex rx_queue_index egress_ifindex'),
  ],
  'egress_ifindex',
  [ATTACH.XDP_DEVMAP],
);

/** struct bpf_sock_ops, 224 bytes. */
export const SOCK_OPS: readonly ContextMember[] = [
  ...writable(
    [
      ...words(
        0,
        'op reply args[1] args[2] args[3] family remote_ip4 local_ip4 remote_ip6[0] remote_ip6[1] remote_ip6[2] remote_ip6[3] local_ip6[0] local_ip6[1] local_ip6[2] local_ip6[3] remote_port local_port is_fullsock snd_cwnd srtt_us cb_flags state rtt_min snd_ssthresh rcv_nxt snd_nxt snd_una mss_cache ecn_flags rate_delivered rate_interval_us packets_out retrans_out total_retrans segs_in data_segs_in segs_out data_segs_out lost_out sacked_out sk_txhash',
      ),
    ],
    { reply: WORD, sk_txhash: WORD },
  ),
  member('bytes_received', 168, 8, LONG),
  member('bytes_acked', 176, 8, LONG),
  member('sk', 184, 8, LONG, NONE, 'sock_or_null'),
  member('skb_data', 192, 8, LONG, NONE, 'packet'),
  member('skb_data_end', 200, 8, LONG, NONE, 'packet_end'),
  member('skb_len', 208, 4, WORD),
  { ...member('skb_tcp_flags', 212, 4, NARROW), pieces: 'start' },
  member('skb_hwtstamp', 216, 8, LONG),
];

/** struct sk_msg_md, 80 bytes. */
export const SK_MSG: readonly ContextMember[] = [
  member('data', 0, 8, LONG, NONE, 'packet'),
  member('data_end', 8, 8, LONG, NONE, 'packet_end'),
  ...words(
    16,
    'family remote_ip4 local_ip4 remote_ip6[0] remote_ip6[1] remote_ip6[2] remote_ip6[3] local_ip6[0] local_ip6[1] local_ip6[2] local_ip6[3] remote_port local_port size',
  ),
  member('sk', 72, 8, LONG, NONE, 'sock'),
];

/** struct bpf_sk_lookup, 72 bytes. The word at remote_port is open for programs from before it was two bytes. */
export const SK_LOOKUP: readonly ContextMember[] = [
  member('sk', 0, 8, LONG, NONE, 'sock_or_null'),
  ...words(
    8,
    'family protocol remote_ip4 remote_ip6[0] remote_ip6[1] remote_ip6[2] remote_ip6[3] remote_port local_ip4 local_ip6[0] local_ip6[1] local_ip6[2] local_ip6[3] local_port ingress_ifindex',
    NARROW,
  ),
];

/** struct sk_reuseport_md, 56 bytes. */
export const SK_REUSEPORT: readonly ContextMember[] = [
  member('data', 0, 8, LONG, NONE, 'packet'),
  member('data_end', 8, 8, LONG, NONE, 'packet_end'),
  member('len', 16, 4, NARROW),
  member('eth_protocol', 20, 4, [2, 4]),
  ...words(24, 'ip_protocol bind_inany', NARROW),
  member('hash', 32, 4, WORD),
  member('sk', 40, 8, LONG, NONE, 'sock'),
  member('migrating_sk', 48, 8, LONG, NONE, 'sock_common'),
];

/** struct bpf_nf_ctx, 16 bytes: two trusted pointers. */
export const NETFILTER: readonly ContextMember[] = [
  { ...member('state', 0, 8, LONG, NONE, 'btf'), struct: 'nf_hook_state' },
  { ...member('skb', 8, 8, LONG, NONE, 'btf'), struct: 'sk_buff' },
];
