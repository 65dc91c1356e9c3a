/* After test_probe_write_user: an address is replaced by another, where there is another. */
#include "timed.h"

MAP(others, BPF_MAP_TYPE_HASH, __u32, __u32, 256);

SEC("tc")
int rewrite_address(struct __sk_buff *skb)
{
	__u32 address = 0, *other;

	if (bpf_skb_load_bytes(skb, sizeof(struct eth_header) + 16, &address, 4))
		return TC_ACT_OK;
	other = bpf_map_lookup_elem(&others, &address);
	if (other)
		bpf_skb_store_bytes(skb, sizeof(struct eth_header) + 16, other, 4, 0);
	return TC_ACT_OK;
}
