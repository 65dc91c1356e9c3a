/*
 * A congestion control that halves its window and reports why: programs that stand in for functions of a kernel struct. It writes the members of
 * a socket that such programs may write, and holds a record of a ring buffer and a reference to the task while it does.
 */
#include "bpf.h"

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

struct sock;
struct inet_connection_sock {
	__u64 icsk_ca_priv[13];
} __attribute__((preserve_access_index));
struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 snd_cwnd;
	__u32 snd_ssthresh;
	__u32 prior_cwnd;
} __attribute__((preserve_access_index));
struct ack_sample {
	__u32 pkts_acked;
	__s32 rtt_us;
} __attribute__((preserve_access_index));

struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	void (*pkts_acked)(struct sock *sk, const struct ack_sample *sample);
	__u32 (*undo_cwnd)(struct sock *sk);
	void (*init)(struct sock *sk);
	char name[16];
};

struct loss {
	__u32 pid;
	__u32 cwnd;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} losses SEC(".maps");

__u64 slowest;

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;

SEC("struct_ops")
void halving_init(__u64 *ctx)
{
	struct tcp_sock *tp = (void *)ctx[0];

	tp->snd_ssthresh = 0x7fffffff;
}

SEC("struct_ops")
__u32 halving_ssthresh(__u64 *ctx)
{
	struct tcp_sock *tp = (void *)ctx[0];
	__u32 cwnd = tp->snd_cwnd;
	struct loss *loss;
	struct task_struct *task;

	loss = bpf_ringbuf_reserve(&losses, sizeof(*loss), 0);
	if (loss) {
		loss->pid = 0;
		loss->cwnd = cwnd;
		task = bpf_task_from_pid(bpf_get_current_pid_tgid());
		if (task) {
			loss->pid = task->pid;
			bpf_task_release(task);
		}
		bpf_ringbuf_submit(loss, 0);
	}
	return cwnd > 4 ? cwnd / 2 : 2;
}

SEC("struct_ops/cong_avoid")
void halving_avoid(__u64 *ctx)
{
	struct tcp_sock *tp = (void *)ctx[0];
	__u32 acked = ctx[2];

	if (tp->snd_cwnd < tp->snd_ssthresh)
		tp->snd_cwnd += acked;
}

SEC("struct_ops")
void halving_acked(__u64 *ctx)
{
	const struct ack_sample *sample = (void *)ctx[1];
	__s32 rtt = sample->rtt_us;

	if (rtt > 0 && rtt > slowest)
		slowest = rtt;
}

SEC("struct_ops")
__u32 halving_undo(__u64 *ctx)
{
	struct tcp_sock *tp = (void *)ctx[0];
	__u32 before = tp->prior_cwnd;

	return before > tp->snd_cwnd ? before : tp->snd_cwnd;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops halving = {
	.init = (void *)halving_init,
	.ssthresh = (void *)halving_ssthresh,
	.cong_avoid = (void *)halving_avoid,
	.pkts_acked = (void *)halving_acked,
	.undo_cwnd = (void *)halving_undo,
	.name = "bpf_halving",
};
