/* After test_current_task_under_cgroup: who runs, and is that of interest. */
#include "timed.h"

MAP(of_interest, BPF_MAP_TYPE_HASH, __u64, __u64, 64);
MAP(last, BPF_MAP_TYPE_ARRAY, __u32, __u64, 1);

SEC("tc")
int under_cgroup(struct __sk_buff *skb)
{
	__u64 id = bpf_get_cgroup_classid(skb), pid = bpf_get_current_pid_tgid();
	__u32 zero = 0;

	if (bpf_map_lookup_elem(&of_interest, &id))
		return TC_ACT_SHOT;
	bpf_map_update_elem(&last, &zero, &pid, BPF_ANY);
	return TC_ACT_OK;
}
