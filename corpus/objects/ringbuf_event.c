/* Sends one event for each packet, with its length and the time. */
#include "bpf.h"

struct event {
	__u64 time;
	__u32 length;
	__u32 queue;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

SEC("xdp")
int ringbuf_event(struct xdp_md *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event)
		return XDP_PASS;
	event->time = bpf_ktime_get_ns();
	event->length = ctx->data_end - ctx->data;
	event->queue = ctx->rx_queue_index;
	bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}
