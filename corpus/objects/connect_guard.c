/* What a cgroup's processes may connect to, how often they did, and what their sockets' owner set: four kinds of cgroup programs. */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u32);
} rewrites SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} attempts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 64);
	__type(value, __u32);
} refused SEC(".maps");

SEC("cgroup/connect4")
int on_connect(struct bpf_sock_addr *ctx)
{
	__u32 address = ctx->user_ip4, *to;
	__u64 *count;

	count = bpf_sk_storage_get(&attempts, ctx->sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (count)
		*count += 1;
	to = bpf_map_lookup_elem(&rewrites, &address);
	if (!to)
		return 1;
	if (*to == 0) {
		bpf_map_push_elem(&refused, &address, BPF_EXIST);
		return 0;
	}
	ctx->user_ip4 = *to;
	return 1;
}

SEC("cgroup/sock_create")
int on_create(struct bpf_sock *ctx)
{
	if (ctx->family == 2)
		ctx->mark = 7;
	return 1;
}

SEC("cgroup/setsockopt")
int on_setsockopt(struct bpf_sockopt *ctx)
{
	__u32 *value = ctx->optval;

	if (ctx->level != 1 || (void *)(value + 1) > ctx->optval_end)
		return 1;
	if (*value > 65536)
		*value = 65536;
	return 1;
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + 20 > end)
		return 1;
	return (*(__u8 *)data >> 4) == 4;
}
