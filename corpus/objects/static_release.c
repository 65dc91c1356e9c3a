/* A static subprogram gives back what its caller took; the address to look for is in the control block. */
#include "bpf.h"

static __attribute__((noinline)) int finish(struct bpf_sock *sk, int keep)
{
	int state = sk->state;

	bpf_sk_release(sk);
	return keep ? state : 0;
}

SEC("tc")
int static_release(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;

	tuple.ipv4.daddr = skb->cb[0];
	tuple.ipv4.dport = skb->cb[1];
	sk = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (sk)
		return finish(sk, skb->len > 100) ? TC_ACT_SHOT : TC_ACT_OK;
	return TC_ACT_OK;
}
