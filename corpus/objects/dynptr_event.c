/* Reserves a ring-buffer record of a size known at run time only, through a dynptr. */
#include "bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("tc")
int dynptr_event(struct __sk_buff *skb)
{
	__u32 size = skb->len & 63;
	struct bpf_dynptr record;
	__u32 *start;

	if (bpf_ringbuf_reserve_dynptr(&events, size + 4, 0, &record)) {
		bpf_ringbuf_discard_dynptr(&record, 0);
		return TC_ACT_OK;
	}
	start = bpf_dynptr_data(&record, 0, sizeof(*start));
	if (start) {
		*start = size;
		bpf_ringbuf_submit_dynptr(&record, 0);
	} else {
		bpf_ringbuf_discard_dynptr(&record, 0);
	}
	return TC_ACT_OK;
}
