/* After tracex4: remembers when and where something was allocated, and forgets it when it is freed. */
#include "timed.h"

struct place {
	__u64 time;
	__u64 address;
};

MAP(objects, BPF_MAP_TYPE_HASH, __u64, struct place, 1000000);

SEC("tc")
int tracex4(struct __sk_buff *skb)
{
	__u64 object = skb->hash;
	struct place place = { .time = bpf_ktime_get_ns(), .address = skb->ifindex };

	if (skb->mark)
		bpf_map_delete_elem(&objects, &object);
	else
		bpf_map_update_elem(&objects, &object, &place, BPF_ANY);
	return TC_ACT_OK;
}
