/* After trace_event: samples by who runs and where. */
#include "timed.h"

struct key {
	char comm[16];
	__u32 place[8];
};

MAP(counts, BPF_MAP_TYPE_HASH, struct key, __u64, 10000);

SEC("tc")
int trace_event(struct __sk_buff *skb)
{
	struct key key = {};
	__u64 one = 1, *value;

	for (int i = 0; i < 8; i++)
		bpf_probe_read_kernel(&key.place[i], 4, (void *)bpf_get_current_task() + 64 * i);
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	value = bpf_map_lookup_elem(&counts, &key);
	if (value)
		*value += 1;
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_NOEXIST);
	return TC_ACT_OK;
}
