/* A global subprogram, verified on its own, that takes and gives back a ring-buffer record. Two programs call it. */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

__attribute__((noinline)) int report(__u32 what, __u32 length)
{
	__u32 *record = bpf_ringbuf_reserve(&events, 2 * sizeof(*record), 0);

	if (!record)
		return -1;
	record[0] = what;
	record[1] = length;
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("xdp")
int global_func_xdp(struct xdp_md *ctx)
{
	return report(1, ctx->data_end - ctx->data) ? XDP_DROP : XDP_PASS;
}

SEC("tc")
int global_func_tc(struct __sk_buff *skb)
{
	return report(2, skb->len) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("kprobe/do_nanosleep")
int global_func_kprobe(void *ctx)
{
	return report(3, 0);
}
