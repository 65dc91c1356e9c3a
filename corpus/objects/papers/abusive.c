/*
 * After figure 3 of SATerm: on every system call it adds numbers, as many as a map says, 128 in a round. Mode 0 adds them all. Mode 1 ends the run at once, as an
 * exception. Mode 2 looks at the clock after each eighth round, and ends the run that is over its budget.
 */
#include "bpf.h"

#define ROUND 128
#define MOST (ROUND * 8192)

void bpf_throw(__u64 cookie) __ksym;

struct control {
	__u32 work;
	__u32 mode;
	__u64 budget;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct control);
} control SEC(".maps");

/* What clang made of 128 additions there: seven times double and add. The barrier keeps other versions from making less of it. */
static __always_inline __u64 add_round(__u64 base)
{
	__u64 sum = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < 7; i++) {
		sum += base;
		base += base;
		asm volatile("" : "+r"(sum), "+r"(base));
	}
	return sum;
}

SEC("tracepoint/raw_syscalls/sys_enter")
int abusive(void *ctx)
{
	__u32 zero = 0, work, rounds = 0;
	struct control *c = bpf_map_lookup_elem(&control, &zero);
	__u64 sum = 0, until;

	if (!c)
		return 0;
	if (c->mode == 1) {
		bpf_throw(0);
		return 0;
	}
	work = c->work;
	if (c->mode == 0) {
		for (__u32 i = ROUND; i <= MOST; i += ROUND) {
			if (i > work)
				break;
			sum += add_round(i);
		}
		return (int)sum;
	}
	until = bpf_ktime_get_ns() + c->budget;
	for (__u32 i = ROUND; i <= MOST; i += ROUND) {
		if (i > work)
			break;
		sum += add_round(i);
		if (++rounds % 8 == 0 && bpf_ktime_get_ns() >= until) {
			bpf_throw(0);
			return 0;
		}
	}
	return (int)sum;
}
