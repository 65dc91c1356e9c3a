/* Reads a word of anything: the loads of a function whose argument is not trusted are made safe by the kernel. */
#include "bpf.h"

#define __untrusted __attribute__((btf_decl_tag("arg:untrusted")))

struct bound {
	__u64 low;
	__u64 high;
};

struct bound bounds;

__attribute__((noinline)) int word_of(const void *anything __untrusted)
{
	return *(const volatile int *)anything;
}

SEC("tc")
int untrusted_arg(struct __sk_buff *skb)
{
	struct bound here = {skb->len, skb->len + 1};

	if (skb->len > 64)
		return word_of(&here);
	return word_of((char *)&bounds + (skb->len & 8));
}
