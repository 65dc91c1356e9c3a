/* Keeps packet lengths in a list of allocated nodes, under a lock, and frees the oldest. */
#include "bpf.h"
#include <bpf/bpf_core_read.h>

/* As in linux/bpf.h since 6.2; a newer header than that has them already. */
struct bpf_list_head {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct bpf_list_node {
	__u64 opaque[3];
} __attribute__((aligned(8)));

struct node {
	struct bpf_list_node link;
	__u32 length;
};

struct queue {
	struct bpf_spin_lock lock;
	struct bpf_list_head nodes __contains_node(node, link);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct queue);
} queues SEC(".maps");

void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
void bpf_obj_drop_impl(void *object, void *meta) __ksym;
int bpf_list_push_back_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym;
struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;

SEC("tc")
int owned_list(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct queue *queue = bpf_map_lookup_elem(&queues, &zero);
	struct bpf_list_node *oldest;
	struct node *node;

	if (!queue)
		return TC_ACT_OK;
	node = bpf_obj_new_impl(bpf_core_type_id_local(struct node), NULL);
	if (!node)
		return TC_ACT_OK;
	node->length = skb->len;
	bpf_spin_lock(&queue->lock);
	bpf_list_push_back_impl(&queue->nodes, &node->link, NULL, 0);
	oldest = bpf_list_pop_front(&queue->nodes);
	bpf_spin_unlock(&queue->lock);
	if (oldest)
		bpf_obj_drop_impl((struct node *)oldest, NULL);
	return TC_ACT_OK;
}
