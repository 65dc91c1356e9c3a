/* After mem_big_single_desc and mem_deep_ladder of SATerm: a frame of 504 bytes, and eight frames of 56. */
#include "bpf.h"

#define use(p) asm volatile("" : "+r"(p) : : "memory")

SEC("tc")
int wide_frame(struct __sk_buff *skb)
{
	volatile __u8 frame[504];
	volatile __u8 *p = frame;

	use(p);
	p[0] = 0;
	p[503] = skb->len;
	bpf_get_prandom_u32();
	return p[0] + p[503];
}

#define STEP(n, rest)							\
	static __noinline int step##n(int seed)				\
	{								\
		volatile __u8 frame[56];				\
		volatile __u8 *p = frame;				\
									\
		use(p);							\
		p[0] = 0;						\
		p[55] = n;						\
		return p[0] + p[55] + (rest);				\
	}

STEP(7, bpf_get_prandom_u32() & seed)
STEP(6, step7(seed))
STEP(5, step6(seed))
STEP(4, step5(seed))
STEP(3, step4(seed))
STEP(2, step3(seed))
STEP(1, step2(seed))

SEC("tc")
int deep_ladder(struct __sk_buff *skb)
{
	return step1(skb->len);
}
