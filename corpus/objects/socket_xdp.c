/* Passes TCP packets that belong to a socket of this host and drops the rest. */
#include "bpf.h"

SEC("xdp")
int socket_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct eth_header *eth = data;
	struct ip4_header *ip = (void *)(eth + 1);
	struct ports *ports = (void *)(ip + 1);
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	int verdict = XDP_PASS;

	if ((void *)(ports + 1) > end)
		return XDP_PASS;
	if (eth->protocol != ETH_P_IP_BE || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;

	tuple.ipv4.saddr = ip->source;
	tuple.ipv4.daddr = ip->dest;
	tuple.ipv4.sport = ports->source;
	tuple.ipv4.dport = ports->dest;
	sk = bpf_sk_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return XDP_DROP;
	if (sk->state == BPF_TCP_CLOSE)
		verdict = XDP_DROP;
	bpf_sk_release(sk);
	return verdict;
}
