/* What the programs about held objects share. */
#pragma once
#include "bpf.h"
#include <bpf/bpf_core_read.h>

void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
void bpf_obj_drop_impl(void *object, void *meta) __ksym;

struct object {
	__u64 index;
	__u64 cookie;
	__u8 padding[32];
};

#define new_object() bpf_obj_new_impl(bpf_core_type_id_local(struct object), NULL)
