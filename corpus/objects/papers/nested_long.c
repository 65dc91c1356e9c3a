/* After figure 5 of SATerm: three loops in each other, with as many rounds each. */
#include "bpf.h"

#ifndef ROUNDS
#define ROUNDS 801
#endif

static int innermost(__u64 index, void *unused)
{
	volatile int dummy = 0;

	dummy++;
	return 0;
}

static int inner(__u64 index, void *unused)
{
	bpf_loop(ROUNDS, innermost, NULL, 0);
	return 0;
}

static int outer(__u64 index, void *unused)
{
	bpf_loop(ROUNDS, inner, NULL, 0);
	return 0;
}

SEC("tc")
int nested_long(struct __sk_buff *skb)
{
	bpf_loop(ROUNDS, outer, NULL, 0);
	return TC_ACT_OK;
}
