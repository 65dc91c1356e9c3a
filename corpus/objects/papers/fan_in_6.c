/* After rt_fanin of SATerm: each of 6 places on the stack holds an object or not, and all paths meet. */
#include "objects.h"

SEC("tc")
int fan_in_6(struct __sk_buff *skb)
{
	struct object *volatile places[6];
	__u32 mask = skb->mark;

#pragma clang loop unroll(full)
	for (int i = 0; i < 6; i++) {
		places[i] = NULL;
		if (mask & (1u << i))
			places[i] = new_object();
	}
	bpf_get_prandom_u32();
#pragma clang loop unroll(full)
	for (int i = 0; i < 6; i++)
		if (places[i])
			bpf_obj_drop_impl(places[i], NULL);
	return TC_ACT_OK;
}
