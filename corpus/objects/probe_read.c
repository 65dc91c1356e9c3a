/* On a scheduler switch, copies part of the task that is left into a per-thread table. */
#include "bpf.h"

struct switch_args {
	__u64 common;
	char prev_comm[16];
	__s32 prev_pid;
	__s32 prev_prio;
	__s64 prev_state;
	char next_comm[16];
	__s32 next_pid;
	__s32 next_prio;
};

struct seen {
	__u64 count;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, __s32);
	__type(value, struct seen);
} switches SEC(".maps");

SEC("tracepoint/sched/sched_switch")
int probe_read(struct switch_args *ctx)
{
	__s32 pid = ctx->prev_pid;
	struct seen *seen = bpf_map_lookup_elem(&switches, &pid);
	struct seen fresh = { .count = 1 };
	void *task;

	if (seen) {
		__sync_fetch_and_add(&seen->count, 1);
		return 0;
	}
	task = (void *)bpf_get_current_task();
	if (bpf_probe_read_kernel(fresh.comm, sizeof(fresh.comm), task))
		return 0;
	bpf_map_update_elem(&switches, &pid, &fresh, BPF_ANY);
	return 0;
}
