/* What the timed programs share: maps as macros, and the histogram slot of a number. */
#pragma once
#include "bpf.h"

#define MAP(name, kind, key_type, value_type, entries)		\
	struct {						\
		__uint(type, kind);				\
		__uint(max_entries, entries);			\
		__type(key, key_type);				\
		__type(value, value_type);			\
	} name SEC(".maps")

static __always_inline __u32 log2_of(__u64 v)
{
	__u32 r = (v > 0xffffffffULL) << 5;

	v >>= r;
	r |= (v > 0xffff) << 4;
	v >>= (v > 0xffff) << 4;
	r |= (v > 0xff) << 3;
	v >>= (v > 0xff) << 3;
	r |= (v > 0xf) << 2;
	v >>= (v > 0xf) << 2;
	r |= (v > 0x3) << 1;
	v >>= (v > 0x3) << 1;
	return r | (v >> 1);
}
