/**
 * What a contract does not say about its arguments: flags that a function insists on, sizes of the structs that it takes. Most are
 * checked only when the call runs, so a wrong one would be accepted but make every run of the call fail in the same way.
 */

export interface ArgumentRule {
  /** Always this value. */
  readonly constant?: number;
  /** A constant from 0 up to this one, exclusive. */
  readonly below?: number;
  /** One of these sizes in bytes. */
  readonly sizes?: readonly number[];
  /** The constant of a `__k` scalar. */
  readonly size?: number;
}

const TUPLE = { sizes: [12, 36] };
const ZERO = { constant: 0 };

const RULES: Readonly<Record<string, Readonly<Record<number, ArgumentRule>>>> = {
  bpf_map_update_elem: { 3: { below: 3 } },
  bpf_sk_lookup_tcp: { 2: TUPLE, 3: ZERO, 4: ZERO },
  bpf_sk_lookup_udp: { 2: TUPLE, 3: ZERO, 4: ZERO },
  bpf_skc_lookup_tcp: { 2: TUPLE, 3: ZERO, 4: ZERO },
  bpf_ringbuf_output: { 3: ZERO },
  bpf_ringbuf_query: { 1: { below: 4 } },
  bpf_ringbuf_reserve: { 1: { sizes: [8, 16, 24, 64] }, 2: ZERO },
  bpf_ringbuf_reserve_dynptr: { 1: { below: 64 }, 2: ZERO },
  bpf_ringbuf_submit: { 1: { below: 3 } },
  bpf_ringbuf_discard: { 1: { below: 3 } },
  bpf_dynptr_from_mem: { 1: { sizes: [64, 32, 16] }, 2: ZERO },
  bpf_dynptr_read: { 3: { below: 8 }, 4: ZERO },
  bpf_dynptr_write: { 1: { below: 8 }, 4: ZERO },
  bpf_dynptr_data: { 1: { below: 8 }, 2: { sizes: [8, 16] } },
  bpf_dynptr_slice: { 1: { below: 8 }, 3: { sizes: [8, 16] } },
  bpf_dynptr_slice_rdwr: { 1: { below: 8 }, 3: { sizes: [8, 16] } },
  bpf_dynptr_from_skb: { 1: ZERO },
  bpf_dynptr_from_xdp: { 1: ZERO },
  bpf_dynptr_from_skb_meta: { 1: ZERO },
  bpf_fib_lookup: { 2: { sizes: [64] }, 3: ZERO },
  bpf_check_mtu: { 4: ZERO },
  bpf_csum_diff: { 1: { sizes: [8, 4, 16] }, 3: { sizes: [8, 4, 16] } },
  bpf_get_ns_current_pid_tgid: { 3: { sizes: [8] } },
  bpf_skb_get_tunnel_key: { 2: { sizes: [28, 44] }, 3: ZERO },
  bpf_skb_set_tunnel_key: { 2: { sizes: [28, 44] }, 3: ZERO },
  bpf_skb_get_xfrm_state: { 3: { sizes: [28] }, 4: ZERO },
  bpf_skb_load_bytes_relative: { 4: { below: 2 } },
  bpf_skb_store_bytes: { 4: { below: 2 } },
  bpf_skb_change_proto: { 2: ZERO },
  bpf_skb_change_tail: { 2: ZERO },
  bpf_skb_change_head: { 2: ZERO },
  bpf_skb_adjust_room: { 2: { below: 2 }, 3: ZERO },
  bpf_redirect: { 1: ZERO },
  bpf_redirect_peer: { 1: ZERO },
  bpf_redirect_neigh: { 2: { sizes: [20] }, 3: ZERO },
  bpf_clone_redirect: { 2: ZERO },
  bpf_sk_assign: { 2: ZERO },
  bpf_get_stack: { 3: ZERO },
  bpf_get_task_stack: { 3: ZERO },
  bpf_strtol: { 2: ZERO },
  bpf_strtoul: { 2: ZERO },
  bpf_snprintf: { 3: ZERO, 4: ZERO },
  bpf_snprintf_btf: { 3: { sizes: [16] }, 4: ZERO },
  bpf_trace_vprintk: { 3: { sizes: [8, 16] } },
  bpf_xdp_ct_lookup: { 2: TUPLE, 4: { sizes: [12, 16] } },
  bpf_skb_ct_lookup: { 2: TUPLE, 4: { sizes: [12, 16] } },
  bpf_xdp_ct_alloc: { 2: TUPLE, 4: { sizes: [12, 16] } },
  bpf_skb_ct_alloc: { 2: TUPLE, 4: { sizes: [12, 16] } },
  bpf_xdp_get_xfrm_state: { 2: { sizes: [32] } },
  bpf_crypto_ctx_create: { 1: { sizes: [408] } },
  bpf_copy_from_user_task: { 4: ZERO },
  bpf_tcp_check_syncookie: { 2: { sizes: [20, 40] }, 4: { sizes: [20] } },
  bpf_tcp_gen_syncookie: { 2: { sizes: [20, 40] }, 4: { sizes: [20] } },
};

/** What is known of argument `arg` (from 0) of the function, beyond its contract. */
export function argumentRule(name: string, arg: number): ArgumentRule | undefined {
  return RULES[name]?.[arg];
}
