/* After tracex5: one of several things, by a number. */
#include "timed.h"

SEC("tc")
int tracex5(struct __sk_buff *skb)
{
	__u64 area[4] = {};

	switch (skb->mark & 3) {
	case 0:
		bpf_probe_read_kernel(area, sizeof(area), (void *)bpf_get_current_task());
		break;
	case 1:
		area[0] = bpf_get_current_uid_gid();
		break;
	case 2:
		area[0] = bpf_get_current_pid_tgid() >> 32;
		break;
	default:
		area[0] = bpf_ktime_get_ns();
	}
	return area[0] & 1 ? TC_ACT_OK : TC_ACT_SHOT;
}
