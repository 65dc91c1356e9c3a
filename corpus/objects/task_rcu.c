/* Takes a reference to a task and reads its parent's pid inside an RCU read section. */
#include "bpf.h"

struct task_struct {
	int pid;
	struct task_struct *real_parent;
} __attribute__((preserve_access_index));

struct request {
	__s32 pid;
	__s32 parent;
};

struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
struct task_struct *bpf_task_acquire(struct task_struct *task) __ksym;
void bpf_task_release(struct task_struct *task) __ksym;
void bpf_rcu_read_lock(void) __ksym;
void bpf_rcu_read_unlock(void) __ksym;

SEC("syscall")
int task_rcu(struct request *request)
{
	struct task_struct *task, *parent;
	int found = 0;

	task = bpf_task_from_pid(request->pid);
	if (!task)
		return 1;
	bpf_rcu_read_lock();
	parent = task->real_parent;
	if (parent)
		parent = bpf_task_acquire(parent);
	bpf_rcu_read_unlock();
	if (parent) {
		found = parent->pid;
		bpf_task_release(parent);
	}
	bpf_task_release(task);
	request->parent = found;
	return 0;
}
