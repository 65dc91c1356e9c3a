/* After tracex2: counts by place, and sizes in a histogram. */
#include "timed.h"

struct hist_key {
	char comm[16];
	__u64 pid;
	__u64 uid;
	__u64 index;
};

MAP(places, BPF_MAP_TYPE_HASH, __u64, __u64, 1024);
MAP(sizes, BPF_MAP_TYPE_PERCPU_HASH, struct hist_key, __u64, 1024);

SEC("tc")
int tracex2(struct __sk_buff *skb)
{
	struct hist_key key = {};
	__u64 place = skb->ifindex, one = 1, *value;

	value = bpf_map_lookup_elem(&places, &place);
	if (value)
		*value += 1;
	else
		bpf_map_update_elem(&places, &place, &one, BPF_ANY);
	key.index = log2_of(skb->len);
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	key.pid = bpf_get_current_pid_tgid();
	value = bpf_map_lookup_elem(&sizes, &key);
	if (value)
		__sync_fetch_and_add(value, 1);
	else
		bpf_map_update_elem(&sizes, &key, &one, BPF_ANY);
	return TC_ACT_OK;
}
