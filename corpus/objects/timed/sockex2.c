/* After sockex2: packets and bytes by address, behind up to two VLAN tags. */
#include "timed.h"

#define ETH_P_VLAN_BE 0x0081

struct pair {
	__u64 packets;
	__u64 bytes;
};

MAP(flows, BPF_MAP_TYPE_HASH, __u32, struct pair, 1024);

SEC("socket")
int sockex2(struct __sk_buff *skb)
{
	__u32 offset = sizeof(struct eth_header), address;
	struct pair *value, fresh = { 1, skb->len };
	__u16 protocol = 0;

	bpf_skb_load_bytes(skb, 12, &protocol, 2);
	for (int i = 0; i < 2 && protocol == ETH_P_VLAN_BE; i++) {
		bpf_skb_load_bytes(skb, offset + 2, &protocol, 2);
		offset += 4;
	}
	if (protocol != ETH_P_IP_BE || bpf_skb_load_bytes(skb, offset + 16, &address, 4))
		return 0;
	value = bpf_map_lookup_elem(&flows, &address);
	if (value) {
		__sync_fetch_and_add(&value->packets, 1);
		__sync_fetch_and_add(&value->bytes, skb->len);
	} else {
		bpf_map_update_elem(&flows, &address, &fresh, BPF_ANY);
	}
	return 0;
}
