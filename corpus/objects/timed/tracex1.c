/* After tracex1: reads a name out of the kernel, and says something rare about it. */
#include "timed.h"

SEC("tc")
int tracex1(struct __sk_buff *skb)
{
	char name[16] = {};
	void *task = (void *)bpf_get_current_task();

	bpf_probe_read_kernel(name, sizeof(name), task);
	if (name[0] == 'l' && name[1] == 'o')
		bpf_printk("skb %d", skb->len);
	return TC_ACT_OK;
}
