/*
 * A scheduler (sched_ext) of two queues: tasks that were woken by the idle search run first. Shows what a scheduler's programs hold: the mask of
 * idle CPUs, a task that it looked up, a cursor over a queue. On a kernel without sched_ext it is read for the types that it is compiled with.
 */
#include "bpf.h"

struct cpumask;
struct sched_ext_entity {
	__u64 slice;
	__u64 dsq_vtime;
} __attribute__((preserve_access_index));
struct task_struct {
	int pid;
	int recent_used_cpu;
	const struct cpumask *cpus_ptr;
	struct sched_ext_entity scx;
} __attribute__((preserve_access_index));
struct scx_exit_info {
	int kind;
	__s64 exit_code;
} __attribute__((preserve_access_index));

struct sched_ext_ops {
	__s32 (*select_cpu)(struct task_struct *p, __s32 prev_cpu, __u64 wake_flags);
	void (*enqueue)(struct task_struct *p, __u64 enq_flags);
	void (*dispatch)(__s32 cpu, struct task_struct *prev);
	void (*stopping)(struct task_struct *p, _Bool runnable);
	void (*enable)(struct task_struct *p);
	__s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	__u64 flags;
	char name[128];
};

struct bpf_iter_scx_dsq {
	__u64 opaque[6];
} __attribute__((aligned(8)));

extern const struct cpumask *scx_bpf_get_idle_cpumask(void) __ksym;
extern void scx_bpf_put_idle_cpumask(const struct cpumask *cpumask) __ksym;
extern _Bool bpf_cpumask_test_cpu(__u32 cpu, const struct cpumask *cpumask) __ksym;
extern _Bool scx_bpf_test_and_clear_cpu_idle(__s32 cpu) __ksym;
extern __s32 scx_bpf_pick_any_cpu(const struct cpumask *allowed, __u64 flags) __ksym;
extern void scx_bpf_dsq_insert(struct task_struct *p, __u64 dsq, __u64 slice, __u64 flags) __ksym;
extern _Bool scx_bpf_dsq_move_to_local(__u64 dsq) __ksym;
extern __s32 scx_bpf_create_dsq(__u64 dsq, __s32 node) __ksym;
extern int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, __u64 dsq, __u64 flags) __ksym;
extern struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym;
extern void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym;
extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;

#define FIRST 1
#define SECOND 2
#define SLICE 20000000
#define LOCAL 0x8000000000000002ULL

__s32 favourite;
__u64 waiting, ran_out;
__s64 ended;

SEC("struct_ops")
__s32 fifo_select_cpu(__u64 *ctx)
{
	struct task_struct *p = (void *)ctx[0];
	__s32 prev = ctx[1];
	const struct cpumask *idle = scx_bpf_get_idle_cpumask();
	_Bool free = bpf_cpumask_test_cpu(prev, idle);

	if (free && scx_bpf_test_and_clear_cpu_idle(prev))
		scx_bpf_dsq_insert(p, LOCAL, SLICE, 0);
	else
		prev = scx_bpf_pick_any_cpu(p->cpus_ptr, 0);
	scx_bpf_put_idle_cpumask(idle);
	return prev;
}

SEC("struct_ops")
void fifo_enqueue(__u64 *ctx)
{
	struct task_struct *p = (void *)ctx[0];
	struct task_struct *best = bpf_task_from_pid(favourite);
	__u64 queue = SECOND;

	if (best) {
		if (best->pid == p->pid)
			queue = FIRST;
		bpf_task_release(best);
	}
	scx_bpf_dsq_insert(p, queue, SLICE, ctx[1]);
}

SEC("struct_ops")
void fifo_dispatch(__u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1];
	struct bpf_iter_scx_dsq it;
	struct task_struct *p;
	__u64 n = 0;

	if (scx_bpf_dsq_move_to_local(FIRST))
		return;
	bpf_iter_scx_dsq_new(&it, SECOND, 0);
	while ((p = bpf_iter_scx_dsq_next(&it)))
		n++;
	bpf_iter_scx_dsq_destroy(&it);
	waiting = n;
	if (!scx_bpf_dsq_move_to_local(SECOND) && prev)
		prev->scx.slice = SLICE;
}

SEC("struct_ops")
void fifo_stopping(__u64 *ctx)
{
	struct task_struct *p = (void *)ctx[0];

	if (p->scx.slice == 0)
		ran_out++;
}

SEC("struct_ops")
void fifo_enable(__u64 *ctx)
{
	struct task_struct *p = (void *)ctx[0];

	p->scx.dsq_vtime = 0;
}

SEC("struct_ops.s")
__s32 fifo_init(__u64 *ctx)
{
	__s32 err = scx_bpf_create_dsq(FIRST, -1);

	return err ? err : scx_bpf_create_dsq(SECOND, -1);
}

SEC("struct_ops")
void fifo_exit(__u64 *ctx)
{
	struct scx_exit_info *info = (void *)ctx[0];

	ended = info->exit_code;
}

SEC(".struct_ops.link")
struct sched_ext_ops fifo = {
	.select_cpu = (void *)fifo_select_cpu,
	.enqueue = (void *)fifo_enqueue,
	.dispatch = (void *)fifo_dispatch,
	.stopping = (void *)fifo_stopping,
	.enable = (void *)fifo_enable,
	.init = (void *)fifo_init,
	.exit = (void *)fifo_exit,
	.name = "fifo",
};
