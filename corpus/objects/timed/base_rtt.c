/* After tcp_basertt: a decision by the addresses of a packet. */
#include "timed.h"

SEC("tc")
int base_rtt(struct __sk_buff *skb)
{
	struct ip4_header ip = {};

	if (skb->protocol != ETH_P_IP_BE)
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, sizeof(struct eth_header), &ip, sizeof(ip)))
		return TC_ACT_OK;
	if ((ip.source & 0xffff) == (ip.dest & 0xffff))
		skb->mark = 80;
	else
		skb->mark = bpf_get_hash_recalc(skb);
	return TC_ACT_OK;
}
