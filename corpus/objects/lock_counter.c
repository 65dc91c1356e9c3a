/* Two counters that must change together, under the lock of their array entry. */
#include "bpf.h"

struct entry {
	struct bpf_spin_lock lock;
	__u32 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct entry);
} counters SEC(".maps");

SEC("tc")
int lock_counter(struct __sk_buff *skb)
{
	__u32 key = skb->queue_mapping & 3;
	struct entry *entry = bpf_map_lookup_elem(&counters, &key);
	__u64 length = skb->len;

	if (!entry)
		return TC_ACT_OK;
	bpf_spin_lock(&entry->lock);
	entry->packets++;
	entry->bytes += length;
	bpf_spin_unlock(&entry->lock);
	return TC_ACT_OK;
}
