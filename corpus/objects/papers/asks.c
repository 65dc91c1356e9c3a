/* After SATerm: a program that asks to be killed while it holds an object. bpf_die_kfunc is declared in corpus/functions/die.ts. */
#include "objects.h"

void bpf_die_kfunc(void) __ksym;

SEC("tc")
int asks(struct __sk_buff *skb)
{
	struct object *held = new_object();
	__u64 sum = 0;

	if (!held)
		return TC_ACT_OK;
	held->index = skb->len;
	bpf_die_kfunc();
	for (int i = 0; i < 100; i++)
		sum += bpf_get_prandom_u32();
	held->cookie = sum;
	bpf_obj_drop_impl(held, NULL);
	return TC_ACT_OK;
}
