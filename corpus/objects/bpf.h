/* What the sample programs share, so that they need neither vmlinux.h nor headers newer than libbpf 1.1. */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

#ifndef NULL
#define NULL ((void *)0)
#endif

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

#define __owned_kptr __attribute__((btf_type_tag("kptr")))
#define __contains_node(type, node) __attribute__((btf_decl_tag("contains:" #type ":" #node)))

#define TC_ACT_OK 0
#define TC_ACT_SHOT 2

#define ETH_P_IP_BE 0x0008 /* ETH_P_IP as it is on the wire */
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

struct eth_header {
	__u8 dest[6];
	__u8 source[6];
	__u16 protocol;
};

struct ip4_header {
	__u8 version_ihl;
	__u8 tos;
	__u16 length;
	__u16 id;
	__u16 fragment;
	__u8 ttl;
	__u8 protocol;
	__u16 checksum;
	__u32 source;
	__u32 dest;
};

struct ports {
	__u16 source;
	__u16 dest;
};

char LICENSE[] SEC("license") = "GPL";
