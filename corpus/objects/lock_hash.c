/* A token bucket for each source address: one hash entry, one lock. */
#include "bpf.h"

struct bucket {
	__u64 refilled;
	__u32 tokens;
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

#define BURST 100
#define REFILL_NS 1000000000ULL

SEC("xdp")
int lock_hash(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct eth_header *eth = data;
	struct ip4_header *ip = (void *)(eth + 1);
	struct bucket *bucket;
	int verdict = XDP_DROP;
	__u32 source;
	__u64 now;

	if ((void *)(ip + 1) > end || eth->protocol != ETH_P_IP_BE)
		return XDP_PASS;
	source = ip->source;
	now = bpf_ktime_get_ns();
	bucket = bpf_map_lookup_elem(&buckets, &source);
	if (!bucket) {
		struct bucket fresh = { .refilled = now, .tokens = BURST };

		bpf_map_update_elem(&buckets, &source, &fresh, BPF_NOEXIST);
		return XDP_PASS;
	}
	bpf_spin_lock(&bucket->lock);
	if (now - bucket->refilled > REFILL_NS) {
		bucket->refilled = now;
		bucket->tokens = BURST;
	}
	if (bucket->tokens > 0) {
		bucket->tokens--;
		verdict = XDP_PASS;
	}
	bpf_spin_unlock(&bucket->lock);
	return verdict;
}
