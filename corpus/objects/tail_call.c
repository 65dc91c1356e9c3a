/* Two stages joined by a tail call; the socket is given back before it. */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} stages SEC(".maps");

SEC("tc")
int tail_call_second(struct __sk_buff *skb)
{
	return skb->mark ? TC_ACT_OK : TC_ACT_SHOT;
}

SEC("tc")
int tail_call_first(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;

	tuple.ipv4.daddr = skb->cb[0];
	tuple.ipv4.dport = skb->cb[1];
	sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (sk) {
		skb->mark = sk->mark;
		bpf_sk_release(sk);
	}
	bpf_tail_call(skb, &stages, 1);
	return TC_ACT_OK;
}
