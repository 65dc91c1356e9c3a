/* Reads members of kernel structs wherever the running kernel has them. */
#include "bpf.h"
#include <bpf/bpf_core_read.h>

struct nsproxy___sample {
	void *net_ns;
} __attribute__((preserve_access_index));

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *group_leader;
	struct nsproxy___sample *nsproxy;
} __attribute__((preserve_access_index));

struct task_struct___old {
	long state;
} __attribute__((preserve_access_index));

enum pid_type {
	PIDTYPE_TGID = 77,
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, __u32);
	__type(value, __u64);
} leaders SEC(".maps");

SEC("tp/syscalls/sys_enter_getpid")
int core_read(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct___old *old = (void *)task;
	__u32 pid = BPF_CORE_READ(task, pid);
	__u64 value = (__u64)BPF_CORE_READ(task, group_leader, tgid) << 32;

	if (bpf_core_field_exists(old->state))
		value |= BPF_CORE_READ(old, state) & 0xff;
	value += bpf_core_enum_value(enum pid_type, PIDTYPE_TGID);
	value += bpf_core_type_size(struct task_struct) & 7;
	bpf_map_update_elem(&leaders, &pid, &value, BPF_ANY);
	return 0;
}
