// Functions that other programs replace: with and without arguments beside the context, one that moves the packet, and one that nobody may replace.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct pair {
	int a;
	int b;
};

long calls;

__noinline int of_context(struct __sk_buff *skb)
{
	calls++;
	return skb->len;
}

__noinline int of_number(struct __sk_buff *skb, int number)
{
	calls++;
	return skb->len + number;
}

__noinline int of_memory(struct pair *pair)
{
	calls++;
	return pair ? pair->a : 0;
}

__noinline int moves_packet(struct __sk_buff *skb)
{
	return bpf_skb_pull_data(skb, 40);
}

static __noinline int hidden(struct __sk_buff *skb)
{
	calls++;
	return skb->mark;
}

SEC("tc")
int entry(struct __sk_buff *skb)
{
	struct pair pair = {1, 2};

	return of_context(skb) + of_number(skb, 1) + of_memory(&pair) + moves_packet(skb) + hidden(skb);
}

SEC("xdp")
int device(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("cgroup_skb/ingress")
int group(struct __sk_buff *skb)
{
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
