/* After sockex3: headers in turn, each by a function of its own (there by tail calls), then the flow is counted. */
#include "timed.h"

struct flow {
	__u32 source;
	__u32 dest;
	struct ports ports;
	__u32 protocol;
};

struct pair {
	__u64 packets;
	__u64 bytes;
};

MAP(flows, BPF_MAP_TYPE_HASH, struct flow, struct pair, 1024);

static __noinline int parse_ports(struct __sk_buff *skb, __u32 offset, struct flow *flow)
{
	return bpf_skb_load_bytes(skb, offset, &flow->ports, sizeof(flow->ports));
}

static __noinline int parse_ip(struct __sk_buff *skb, __u32 offset, struct flow *flow)
{
	struct ip4_header ip = {};

	if (bpf_skb_load_bytes(skb, offset, &ip, sizeof(ip)))
		return -1;
	flow->source = ip.source;
	flow->dest = ip.dest;
	flow->protocol = ip.protocol;
	if (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP)
		return 0;
	return parse_ports(skb, offset + ((ip.version_ihl & 15) << 2), flow);
}

SEC("socket")
int sockex3(struct __sk_buff *skb)
{
	struct flow flow = {};
	struct pair *value, fresh = { 1, skb->len };

	if (skb->protocol != ETH_P_IP_BE || parse_ip(skb, sizeof(struct eth_header), &flow))
		return 0;
	value = bpf_map_lookup_elem(&flows, &flow);
	if (value) {
		__sync_fetch_and_add(&value->packets, 1);
		__sync_fetch_and_add(&value->bytes, skb->len);
	} else {
		bpf_map_update_elem(&flows, &flow, &fresh, BPF_ANY);
	}
	return 0;
}
