/*
 * Samples one packet in so many for each flow: settings in .rodata, state in .data and .bss, and functions of every
 * linkage. Two programs share them.
 */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} flows SEC(".maps");

const volatile __u32 every = 16;
const volatile char tag[8] = "sample";
static volatile __u32 seen = 1;
__u64 flushed;
__u64 limit __attribute__((visibility("hidden"))) = 1000;

struct sum {
	__u64 total;
	__u32 flows;
};

static long add_up(void *map, __u32 *key, __u64 *value, struct sum *sum)
{
	sum->total += *value;
	sum->flows++;
	return 0;
}

__attribute__((noinline)) int scale(__u32 value, __u32 by)
{
	return by ? value / by : tag[value & 7];
}

__attribute__((weak, noinline)) int keep(__u32 mark)
{
	return seen++ % every == mark % every;
}

__attribute__((visibility("hidden"), noinline)) int note(struct __sk_buff *skb)
{
	__u32 flow = skb->hash;
	__u64 one = 1, *count = bpf_map_lookup_elem(&flows, &flow);

	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&flows, &flow, &one, BPF_ANY);
	return scale(flow, every);
}

static __attribute__((noinline)) int decide(struct __sk_buff *skb)
{
	return keep(skb->mark) ? note(skb) : scale(skb->len, every);
}

SEC("tc")
int sampler_tc(struct __sk_buff *skb)
{
	return decide(skb) ? TC_ACT_OK : TC_ACT_SHOT;
}

SEC("classifier")
int sampler_flush(struct __sk_buff *skb)
{
	struct sum sum = {};

	bpf_for_each_map_elem(&flows, add_up, &sum, 0);
	flushed += sum.total;
	if (flushed > limit)
		bpf_printk("%d flows", sum.flows);
	return note(skb) ? TC_ACT_OK : TC_ACT_SHOT;
}
