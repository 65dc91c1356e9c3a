/**
 * struct __sk_buff, as each type of program that is given one may use it. Follows bpf_skb_is_valid_access and those that call it
 * in net/core/filter.c.
 */
import { type ContextMember, LONG, member, NARROW, NONE, WORD, without, words, writable } from './member.js';

/** Bytes of struct __sk_buff. */
export const SK_BUFF_SIZE = 192;

const CB: readonly number[] = [1, 2, 4, 8];

/** Every member that some program may read; read-only but for `cb`. */
const ALL: readonly ContextMember[] = [
  ...words(
    0,
    'len pkt_type mark queue_mapping protocol vlan_present vlan_tci vlan_proto priority ingress_ifindex ifindex tc_index',
    NARROW,
  ),
  member('cb', 48, 20, CB, CB),
  ...words(68, 'hash tc_classid', NARROW),
  member('data', 76, 4, WORD, NONE, 'packet'),
  member('data_end', 80, 4, WORD, NONE, 'packet_end'),
  ...words(84, 'napi_id family', NARROW),
  ...words(92, 'remote_ip4 local_ip4'),
  ...['remote_ip6', 'local_ip6'].flatMap((name, i) =>
    [0, 1, 2, 3].map((n) => member(`${name}[${n}]`, 100 + 16 * i + 4 * n, 4, WORD)),
  ),
  ...words(132, 'remote_port local_port', NARROW),
  member('data_meta', 140, 4, WORD, NONE, 'packet_meta'),
  member('tstamp', 152, 8, LONG),
  member('wire_len', 160, 4, NARROW),
  member('gso_segs', 164, 4, NARROW),
  member('sk', 168, 8, LONG, NONE, 'sock_common'),
  member('gso_size', 176, 4, NARROW),
  member('tstamp_type', 180, 1, [1]),
  member('hwtstamp', 184, 8, LONG),
];

const ADDRESSES =
  'family remote_ip4 local_ip4 remote_ip6[0] remote_ip6[1] remote_ip6[2] remote_ip6[3] local_ip6[0] local_ip6[1] local_ip6[2] local_ip6[3] remote_port local_port';

/** tc_cls_act_is_valid_access. */
export const TC = writable(without(ALL, ADDRESSES), {
  mark: WORD,
  tc_index: WORD,
  priority: WORD,
  tc_classid: WORD,
  queue_mapping: WORD,
  tstamp: LONG,
});

/** sk_filter_is_valid_access. */
export const SOCKET_FILTER = without(
  ALL,
  `${ADDRESSES} tc_classid data data_meta data_end tstamp wire_len tstamp_type hwtstamp`,
);

/** cg_skb_is_valid_access. */
export const CGROUP_SKB = writable(without(ALL, 'tc_classid data_meta wire_len tstamp_type'), {
  mark: WORD,
  priority: WORD,
  tstamp: LONG,
});

/** lwt_is_valid_access. */
export const LWT = writable(
  without(ALL, `${ADDRESSES} tc_classid data_meta tstamp wire_len tstamp_type hwtstamp`),
  { mark: WORD, priority: WORD },
);

/** sk_skb_is_valid_access. Unlike the others, these programs may not write `cb`. */
export const SK_SKB = writable(
  without(ALL, 'tc_classid data_meta tstamp wire_len tstamp_type hwtstamp mark'),
  {
    cb: NONE,
    tc_index: WORD,
    priority: WORD,
  },
);

/** flow_dissector_is_valid_access. */
export const FLOW_DISSECTOR: readonly ContextMember[] = [
  member('data', 76, 4, WORD, NONE, 'packet'),
  member('data_end', 80, 4, WORD, NONE, 'packet_end'),
  member('flow_keys', 144, 8, LONG, NONE, 'flow_keys'),
];
