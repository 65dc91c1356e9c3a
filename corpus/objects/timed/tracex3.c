/* After tracex3: the time between a start and an end, in slots. */
#include "timed.h"

MAP(starts, BPF_MAP_TYPE_HASH, __u64, __u64, 4096);
MAP(latencies, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, 64);

SEC("tc")
int tracex3(struct __sk_buff *skb)
{
	__u64 key = skb->mark, now = bpf_ktime_get_ns(), *start, *count;
	__u32 slot;

	start = bpf_map_lookup_elem(&starts, &key);
	if (!start) {
		bpf_map_update_elem(&starts, &key, &now, BPF_ANY);
		return TC_ACT_OK;
	}
	slot = log2_of(now - *start);
	bpf_map_delete_elem(&starts, &key);
	count = bpf_map_lookup_elem(&latencies, &slot);
	if (count)
		__sync_fetch_and_add(count, 1);
	return TC_ACT_OK;
}
