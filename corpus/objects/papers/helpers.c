/* After figure 7 of SATerm: many cheap helpers, and many expensive ones, one after the other. */
#include "bpf.h"

#define CALLS 5000
#define BYTES 256

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[BYTES]);
} buffer SEC(".maps");

SEC("tc")
int cheap(struct __sk_buff *skb)
{
	__u64 sum = 0;

#pragma clang loop unroll(disable)
	for (int i = 0; i < CALLS; i++)
		sum += bpf_get_prandom_u32();
	return sum & 1;
}

SEC("tc")
int expensive(struct __sk_buff *skb)
{
	__u32 zero = 0;
	char *to = bpf_map_lookup_elem(&buffer, &zero);
	void *task = (void *)bpf_get_current_task();
	__u64 sum = 0;

	if (!to)
		return 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < CALLS; i++)
		sum += bpf_probe_read_kernel(to, BYTES, task) == 0;
	return sum & 1;
}
