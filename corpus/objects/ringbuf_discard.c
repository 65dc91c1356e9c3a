/* Copies the start of a packet into an event; gives the record back unsent when the packet cannot be read. */
#include "bpf.h"

struct event {
	__u32 length;
	__u32 mark;
	__u8 start[64];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

const volatile __u32 only_mark = 0;
__u64 sent;
__u64 dropped;

SEC("tc")
int ringbuf_discard(struct __sk_buff *skb)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		dropped++;
		return TC_ACT_OK;
	}
	event->length = skb->len;
	event->mark = skb->mark;
	if (event->mark != only_mark || bpf_skb_load_bytes(skb, 0, event->start, sizeof(event->start))) {
		bpf_ringbuf_discard(event, 0);
		return TC_ACT_OK;
	}
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
	sent++;
	return TC_ACT_OK;
}
