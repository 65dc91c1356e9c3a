// Objects of which each CPU has its own, in a map: taken, kept, counted in; and what a program may not do with them.
#include "bpf.h"
#include <bpf/bpf_core_read.h>

extern void *bpf_percpu_obj_new_impl(__u64 id, void *meta) __ksym;
extern void bpf_percpu_obj_drop_impl(void *object, void *meta) __ksym;
extern void *bpf_obj_new_impl(__u64 id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

#define __percpu_kptr __attribute__((btf_type_tag("percpu_kptr")))

struct count {
	__u64 n;
};

struct other {
	__u64 n;
};

struct value {
	struct count __percpu_kptr *count;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct value);
} counts SEC(".maps");

static __always_inline struct value *value(void)
{
	int key = 0;

	return bpf_map_lookup_elem(&counts, &key);
}

#define NEW(of, type) of(bpf_core_type_id_local(type), NULL)

SEC("tc")
int keeps(struct __sk_buff *skb)
{
	struct value *v = value();
	struct count *fresh, *old;

	if (!v)
		return 0;
	fresh = NEW(bpf_percpu_obj_new_impl, struct count);
	if (!fresh)
		return 0;
	old = bpf_kptr_xchg(&v->count, fresh);
	if (old)
		bpf_percpu_obj_drop_impl(old, NULL);
	return 0;
}

SEC("tc")
int leaks(struct __sk_buff *skb)
{
	struct value *v = value();
	struct count *fresh;

	if (!v)
		return 0;
	fresh = NEW(bpf_percpu_obj_new_impl, struct count);
	if (fresh)
		bpf_kptr_xchg(&v->count, fresh);
	return 0;
}

SEC("tc")
int adds(struct __sk_buff *skb)
{
	struct value *v = value();
	struct count *here;

	if (!v || !v->count)
		return 0;
	here = v->count;
	if (!here)
		return 0;
	here = bpf_this_cpu_ptr(here);
	here->n++;
	return 0;
}

SEC("tc")
int of_other_cpu(struct __sk_buff *skb)
{
	struct value *v = value();
	struct count *there;

	if (!v)
		return 0;
	there = v->count;
	if (!there)
		return 0;
	there = bpf_per_cpu_ptr(there, 1);
	return there ? there->n : 0;
}

SEC("tc")
int as_memory(struct __sk_buff *skb)
{
	struct value *v = value();
	struct count *count;

	if (!v)
		return 0;
	count = v->count;
	if (count)
		count->n++;
	return 0;
}

SEC("tc")
int unasked(struct __sk_buff *skb)
{
	struct value *v = value();
	struct count *here;

	if (!v)
		return 0;
	here = bpf_this_cpu_ptr(v->count);
	here->n++;
	return 0;
}

SEC("tc")
int own(struct __sk_buff *skb)
{
	struct count *fresh = NEW(bpf_percpu_obj_new_impl, struct count), *here;

	if (!fresh)
		return 0;
	here = bpf_this_cpu_ptr(fresh);
	here->n = 1;
	bpf_percpu_obj_drop_impl(fresh, NULL);
	return 0;
}

SEC("tc")
int dropped_as_one(struct __sk_buff *skb)
{
	struct value *v = value();
	struct count *old;

	if (!v)
		return 0;
	old = bpf_kptr_xchg(&v->count, NULL);
	if (old)
		bpf_obj_drop_impl(old, NULL);
	return 0;
}

SEC("tc")
int keeps_one(struct __sk_buff *skb)
{
	struct value *v = value();
	struct count *fresh, *old;

	if (!v)
		return 0;
	fresh = NEW(bpf_obj_new_impl, struct count);
	if (!fresh)
		return 0;
	old = bpf_kptr_xchg(&v->count, fresh);
	if (old)
		bpf_percpu_obj_drop_impl(old, NULL);
	return 0;
}

SEC("tc")
int keeps_other(struct __sk_buff *skb)
{
	struct value *v = value();
	void *fresh, *old;

	if (!v)
		return 0;
	fresh = NEW(bpf_percpu_obj_new_impl, struct other);
	if (!fresh)
		return 0;
	old = bpf_kptr_xchg(&v->count, fresh);
	if (old)
		bpf_percpu_obj_drop_impl(old, NULL);
	return 0;
}

SEC("tc")
int stores(struct __sk_buff *skb)
{
	struct value *v = value();

	if (v)
		v->count = NULL;
	return 0;
}

SEC("syscall")
int may_sleep(void *ctx)
{
	struct value *v = value();
	struct count *here;

	if (!v)
		return 0;
	here = v->count;
	if (!here)
		return 0;
	here = bpf_this_cpu_ptr(here);
	here->n++;
	return 0;
}

SEC("syscall")
int in_section(void *ctx)
{
	struct value *v = value();
	struct count *here;

	if (!v)
		return 0;
	bpf_rcu_read_lock();
	here = v->count;
	if (here) {
		here = bpf_this_cpu_ptr(here);
		here->n++;
	}
	bpf_rcu_read_unlock();
	return 0;
}

SEC("syscall")
int behind_section(void *ctx)
{
	struct value *v = value();
	struct count *here;

	if (!v)
		return 0;
	bpf_rcu_read_lock();
	here = v->count;
	if (!here) {
		bpf_rcu_read_unlock();
		return 0;
	}
	here = bpf_this_cpu_ptr(here);
	bpf_rcu_read_unlock();
	here->n++;
	return 0;
}
