/* Looks for a listening socket over a grid of addresses and ports, with one bpf_loop inside another. */
#include "bpf.h"

struct search {
	struct __sk_buff *skb;
	__u32 address;
	__u32 found;
};

static long try_port(__u64 index, struct search *search)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;

	tuple.ipv4.daddr = search->address;
	tuple.ipv4.dport = __builtin_bswap16(8000 + index);
	sk = bpf_sk_lookup_tcp(search->skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return 0;
	search->found++;
	bpf_sk_release(sk);
	return 1;
}

static long try_address(__u64 index, struct search *search)
{
	search->address = 0x0100007f + (index << 24);
	bpf_loop(8, try_port, search, 0);
	return 0;
}

SEC("tc")
int loop_lookup(struct __sk_buff *skb)
{
	struct search search = { .skb = skb };

	bpf_loop(4, try_address, &search, 0);
	return search.found ? TC_ACT_OK : TC_ACT_SHOT;
}
