/* Marks packets of known UDP sockets with the socket's mark; counts the hits. */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} hits SEC(".maps");

SEC("tc")
int socket_tc(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct eth_header *eth = data;
	struct ip4_header *ip = (void *)(eth + 1);
	struct ports *ports = (void *)(ip + 1);
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk;
	__u32 zero = 0;
	__u64 *count;

	if ((void *)(ports + 1) > end)
		return TC_ACT_OK;
	if (eth->protocol != ETH_P_IP_BE || ip->protocol != IPPROTO_UDP)
		return TC_ACT_OK;

	tuple.ipv4.saddr = ip->source;
	tuple.ipv4.daddr = ip->dest;
	tuple.ipv4.sport = ports->source;
	tuple.ipv4.dport = ports->dest;
	sk = bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return TC_ACT_OK;
	skb->mark = sk->mark;
	bpf_sk_release(sk);

	count = bpf_map_lookup_elem(&hits, &zero);
	if (count)
		__sync_fetch_and_add(count, 1);
	return TC_ACT_OK;
}
