/* After rt_many_pcs of SATerm: 64 places where a run may be stopped, one after the other, each with an object that may be held there. */
#include "objects.h"

#define SITE(n)									\
	do {									\
		struct object *held = NULL;					\
		if ((n < 32 ? skb->mark : skb->priority) & (1u << (n & 31)))	\
			held = new_object();					\
		bpf_get_prandom_u32();						\
		if (held)							\
			bpf_obj_drop_impl(held, NULL);				\
	} while (0)
#define SITES8(n) SITE(n); SITE(n + 1); SITE(n + 2); SITE(n + 3); SITE(n + 4); SITE(n + 5); SITE(n + 6); SITE(n + 7)

SEC("tc")
int many_sites(struct __sk_buff *skb)
{
	SITES8(0);
	SITES8(8);
	SITES8(16);
	SITES8(24);
	SITES8(32);
	SITES8(40);
	SITES8(48);
	SITES8(56);
	return TC_ACT_OK;
}
