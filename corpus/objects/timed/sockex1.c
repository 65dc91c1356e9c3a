/* After sockex1: bytes by protocol. */
#include "timed.h"

MAP(bytes, BPF_MAP_TYPE_ARRAY, __u32, __u64, 256);

SEC("socket")
int sockex1(struct __sk_buff *skb)
{
	__u8 protocol = 0;
	__u32 index;
	__u64 *value;

	bpf_skb_load_bytes(skb, sizeof(struct eth_header) + 9, &protocol, 1);
	index = protocol;
	value = bpf_map_lookup_elem(&bytes, &index);
	if (value)
		__sync_fetch_and_add(value, skb->len);
	return 0;
}
