/* Sums the first words of a map with an open-coded number iterator. */
#include "bpf.h"

struct bpf_iter_num;

int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} words SEC(".maps");

SEC("tc")
int iter_num(struct __sk_buff *skb)
{
	struct bpf_iter_num it;
	__u64 sum = 0;
	int *i;

	bpf_iter_num_new(&it, 0, 64);
	while ((i = bpf_iter_num_next(&it))) {
		__u32 key = *i;
		__u64 *word = bpf_map_lookup_elem(&words, &key);

		if (!word)
			break;
		sum += *word;
	}
	bpf_iter_num_destroy(&it);
	skb->mark = sum;
	return TC_ACT_OK;
}
