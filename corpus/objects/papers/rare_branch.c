/* After listing 2 of the 2023 paper: nearly always a line is printed; now and then a million are. */
#include "bpf.h"

static int print(__u64 index, void *unused)
{
	bpf_printk("hello");
	return 0;
}

static int hundred(__u64 index, void *unused)
{
	bpf_loop(100, print, NULL, 0);
	return 0;
}

SEC("tc")
int rare_branch(struct __sk_buff *skb)
{
	if (bpf_get_prandom_u32() > 10)
		bpf_printk("hello");
	else
		bpf_loop(10000, hundred, NULL, 0);
	return TC_ACT_OK;
}
