/* Counts packets by their IP protocol in a per-CPU array, from a socket filter. */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

SEC("socket")
int percpu_count(struct __sk_buff *skb)
{
	__u8 protocol;
	__u32 key;
	__u64 *count;

	if (bpf_skb_load_bytes(skb, 9, &protocol, sizeof(protocol)))
		return 0;
	key = protocol;
	count = bpf_map_lookup_elem(&counts, &key);
	if (count)
		(*count)++;
	return skb->len;
}
