/*
 * Who runs for how long, seen from three kinds of tracing programs that share their maps: a BTF tracepoint that walks kernel structs,
 * a raw tracepoint, and a kprobe that reads its registers.
 */
#include "bpf.h"

struct list_head;
struct task_struct {
	int pid;
	int tgid;
	struct task_struct *group_leader;
	char comm[16];
} __attribute__((preserve_access_index));

struct event {
	__u32 pid;
	__u32 leader;
	__u64 ran;
	__s64 stack;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} since SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 256);
	__uint(key_size, 4);
	__uint(value_size, 127 * 8);
} stacks SEC(".maps");

const volatile __u64 at_least = 1000000;

SEC("tp_btf/sched_switch")
int on_switch(__u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1], *next = (void *)ctx[2];
	__u32 pid = prev->pid, coming = next->pid;
	__u64 now = bpf_ktime_get_ns(), *start;
	struct event event = {};

	start = bpf_map_lookup_elem(&since, &pid);
	if (start && now - *start >= at_least) {
		event.pid = pid;
		event.leader = prev->group_leader->pid;
		event.ran = now - *start;
		event.stack = bpf_get_stackid(ctx, &stacks, 0);
		bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
	}
	bpf_map_update_elem(&since, &coming, &now, BPF_ANY);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int on_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&since, &pid);
	return 0;
}

struct registers {
	__u64 word[21];
};

SEC("kprobe/do_exit")
int on_do_exit(struct registers *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid();
	struct event event = { .pid = pid, .ran = ctx->word[14] };

	event.stack = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
	return 0;
}
