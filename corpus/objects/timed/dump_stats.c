/* After tcp_dumpstats: statistics of a flow, sent when the last are old. */
#include "timed.h"

struct stats {
	__u64 time;
	__u64 packets;
	__u64 bytes;
};

MAP(flows, BPF_MAP_TYPE_LRU_HASH, __u32, struct stats, 1024);

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

SEC("tc")
int dump_stats(struct __sk_buff *skb)
{
	__u32 hash = skb->hash;
	__u64 now = bpf_ktime_get_ns();
	struct stats *stats = bpf_map_lookup_elem(&flows, &hash), fresh = { now, 1, skb->len };

	if (!stats) {
		bpf_map_update_elem(&flows, &hash, &fresh, BPF_ANY);
		return TC_ACT_OK;
	}
	__sync_fetch_and_add(&stats->packets, 1);
	__sync_fetch_and_add(&stats->bytes, skb->len);
	if (now - stats->time > 1000000) {
		stats->time = now;
		bpf_ringbuf_output(&events, stats, sizeof(*stats), 0);
	}
	return TC_ACT_OK;
}
