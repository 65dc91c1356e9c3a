/* Sends packets where the longest prefix of their address says: a trie of prefixes, a map of devices, counters in a map of maps. */
#include "bpf.h"

struct prefix {
	__u32 length;
	__u32 address;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct prefix);
	__type(value, __u32);
} routes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

struct counters {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 64);
	__type(key, __u32);
	__array(values, struct counters);
} per_device SEC(".maps");

static void count(__u32 device, __u32 which)
{
	void *counters = bpf_map_lookup_elem(&per_device, &device);
	__u64 *value;

	if (!counters)
		return;
	value = bpf_map_lookup_elem(counters, &which);
	if (value)
		__sync_fetch_and_add(value, 1);
}

SEC("xdp")
int route(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct eth_header *eth = data;
	struct prefix prefix = { .length = 32 };
	__u32 *device;

	if ((void *)(eth + 1) + 20 > end || eth->protocol != ETH_P_IP_BE)
		return XDP_PASS;
	prefix.address = *(__u32 *)((void *)(eth + 1) + 16);
	device = bpf_map_lookup_elem(&routes, &prefix);
	if (!device)
		return XDP_PASS;
	count(*device, ((__u8 *)(eth + 1))[9] & 15);
	return bpf_redirect_map(&devices, *device, XDP_PASS);
}
