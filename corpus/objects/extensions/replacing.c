// Programs that replace functions of replaced.c, some of them wrongly; and one that replaces a function of this object.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct pair {
	int a;
	int b;
};

long calls;

SEC("freplace/of_context")
int holds_socket(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), -1, 0);

	if (sk) {
		calls++;
		bpf_sk_release(sk);
	}
	return calls;
}

SEC("freplace/of_context")
int leaks_socket(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};

	return bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), -1, 0) != 0;
}

SEC("freplace/of_number")
int adds_number(struct __sk_buff *skb, int number)
{
	return number + skb->len;
}

SEC("freplace/of_memory")
int asks_first(struct pair *pair)
{
	return pair ? pair->b : 1;
}

SEC("freplace/of_memory")
int does_not_ask(struct pair *pair)
{
	return pair->b;
}

SEC("freplace/of_context")
int moves_more(struct __sk_buff *skb)
{
	return bpf_skb_pull_data(skb, 30);
}

SEC("freplace/moves_packet")
int moves_as_well(struct __sk_buff *skb)
{
	return bpf_skb_pull_data(skb, 30);
}

SEC("freplace/hidden")
int of_hidden(struct __sk_buff *skb)
{
	return 0;
}

SEC("freplace/of_number")
int fewer_arguments(struct __sk_buff *skb)
{
	return 0;
}

SEC("freplace/of_number")
int wider_argument(struct __sk_buff *skb, long number)
{
	return number;
}

SEC("freplace/of_context")
int other_context(struct xdp_md *ctx)
{
	return ctx->data;
}

SEC("freplace/of_number")
int other_kind(struct __sk_buff *skb, void *number)
{
	return 0;
}

SEC("freplace/device")
int whole_program(struct xdp_md *ctx)
{
	return 77;
}

SEC("freplace/group")
int within_range(struct __sk_buff *skb)
{
	return 1;
}

SEC("freplace/group")
int out_of_range(struct __sk_buff *skb)
{
	return 7;
}

SEC("freplace")
int left_open(struct __sk_buff *skb)
{
	return 1;
}

SEC("freplace/own")
int of_own(struct __sk_buff *skb)
{
	return skb->mark;
}

__noinline int own(struct __sk_buff *skb)
{
	calls++;
	return skb->len;
}

SEC("tc")
int entry(struct __sk_buff *skb)
{
	return own(skb);
}

char LICENSE[] SEC("license") = "GPL";
