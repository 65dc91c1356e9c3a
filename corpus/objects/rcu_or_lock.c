/* Reads a counter in an RCU read section where the kernel has those for programs, and under a lock elsewhere. */
#include "bpf.h"

struct counter {
	struct bpf_spin_lock lock;
	__u32 packets;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counter);
} counters SEC(".maps");

extern void bpf_rcu_read_lock(void) __ksym __attribute__((weak));
extern void bpf_rcu_read_unlock(void) __ksym __attribute__((weak));

SEC("tc")
int rcu_or_lock(struct __sk_buff *skb)
{
	__u32 key = 0;
	struct counter *counter = bpf_map_lookup_elem(&counters, &key);

	if (!counter)
		return TC_ACT_OK;
	if (bpf_rcu_read_lock) {
		bpf_rcu_read_lock();
		skb->mark = counter->packets;
		bpf_rcu_read_unlock();
	} else {
		bpf_spin_lock(&counter->lock);
		counter->packets++;
		bpf_spin_unlock(&counter->lock);
	}
	return TC_ACT_OK;
}
