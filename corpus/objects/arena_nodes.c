/* A list in an arena: one program allocates the page that its nodes lie in, another counts packets in it. User space reads both. */
#include "bpf.h"

#define __arena __attribute__((address_space(1)))

struct {
	__uint(type, 33); /* BPF_MAP_TYPE_ARENA */
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 16); /* pages */
} arena SEC(".maps");

struct node {
	struct node __arena *next;
	__u64 packets;
};

/* Both lie in the arena. */
struct node __arena *__arena first;
__u64 __arena missed = 0;

void __arena *bpf_arena_alloc_pages(void *map, void __arena *addr, __u32 pages, int node, __u64 flags) __ksym;

SEC("syscall")
int add_node(void *ctx)
{
	struct node __arena *made = bpf_arena_alloc_pages(&arena, NULL, 1, -1, 0);

	if (!made)
		return 1;
	made->next = first;
	made->packets = 0;
	first = made;
	return 0;
}

SEC("xdp")
int count_packet(struct xdp_md *ctx)
{
	struct node __arena *node = first;

	if (node)
		__sync_fetch_and_add(&node->packets, 1);
	else
		missed++;
	return XDP_PASS;
}
