/* Keeps one task reference in a map value and swaps it for another. */
#include "bpf.h"

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

struct slot {
	struct task_struct __owned_kptr *task;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct slot);
} stash SEC(".maps");

struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
void bpf_task_release(struct task_struct *task) __ksym;

SEC("syscall")
int kptr_stash(__s32 *pid)
{
	__u32 zero = 0;
	struct slot *slot = bpf_map_lookup_elem(&stash, &zero);
	struct task_struct *task;

	if (!slot)
		return 1;
	task = bpf_task_from_pid(*pid);
	if (!task)
		return 2;
	task = bpf_kptr_xchg(&slot->task, task);
	if (task)
		bpf_task_release(task);
	return 0;
}
