/** Programs with loops of every kind, with calls in them and things held around them. */
export const LOOPS: Readonly<Record<string, string>> = {
  'three nested loops around a record': `
.type tc
.map rb ringbuf entries=4096
.map out array key=4 value=8 entries=1
    r6 = 0
    *(u64 *)(r10 -8) = 0
    r1 = map rb
    r2 = 8
    r3 = 0
    call bpf_ringbuf_reserve
    if r0 == 0 goto out
    r6 = r0
    r1 = 3
    r2 = func one
    r3 = r10
    r3 += -8
    r4 = 0
    call bpf_loop
    r1 = *(u64 *)(r10 -8)
    *(u64 *)(r6 +0) = r1
    r1 = r6
    r2 = 0
    call bpf_ringbuf_submit
out:
    r0 = 0
    exit
one:
    r3 = r2
    r1 = 2
    r2 = func two
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
two:
    r3 = r2
    r1 = 2
    r2 = func three
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
three:
    r3 = *(u64 *)(r2 +0)
    r3 += r1
    r3 += 1
    *(u64 *)(r2 +0) = r3
    r0 = 0
    exit`,
  'a loop that is walked round by round, with all registers and some stack in use': `
.type xdp
    *(u64 *)(r10 -8) = 77
    *(u64 *)(r10 -16) = 78
    r0 = 1
    r1 = 1
    r2 = 2
    r3 = 3
    r4 = 4
    r5 = 5
    r6 = 0
    r7 = 7
    r8 = 8
    r9 = 9
again:
    r0 += r2
    r1 += r0
    r2 += r3
    r3 += r4
    r4 += r5
    r5 += r7
    r7 += r8
    r8 += r9
    r9 += r1
    r6 += 1
    if r6 < 20 goto again
    r0 ^= r1
    r0 ^= r2
    r0 ^= r3
    r0 ^= r4
    r0 ^= r5
    r0 ^= r7
    r0 ^= r8
    r0 ^= r9
    r1 = *(u64 *)(r10 -8)
    r0 += r1
    r1 = *(u64 *)(r10 -16)
    r0 += r1
    r0 &= 1
    exit`,
  'a loop that is called right behind a poll': `
.type xdp
    r6 = 0
    r1 = 50
    r2 = func round
    r3 = r10
    r3 += -8
    *(u64 *)(r10 -8) = 0
    r4 = 0
    call bpf_loop
    r0 = *(u64 *)(r10 -8)
    r0 &= 1
    exit
round:
    r3 = *(u64 *)(r2 +0)
    r3 += 3
    *(u64 *)(r2 +0) = r3
    r0 = 0
    exit`,
  'an iterator, and a lookup in each round': `
.type tc
.map h hash key=4 value=8 entries=8
    r6 = 0
    r1 = r10
    r1 += -8
    r2 = 0
    r3 = 9
    call bpf_iter_num_new
again:
    r1 = r10
    r1 += -8
    call bpf_iter_num_next
    if r0 == 0 goto done
    r1 = *(u32 *)(r0 +0)
    r1 &= 7
    *(u32 *)(r10 -12) = r1
    *(u64 *)(r10 -24) = r1
    r1 = map h
    r2 = r10
    r2 += -12
    r3 = r10
    r3 += -24
    r4 = 0
    call bpf_map_update_elem
    r6 += 1
    goto again
done:
    r1 = r10
    r1 += -8
    call bpf_iter_num_destroy
    r0 = r6
    r0 &= 1
    exit`,
  'a loop in a function that two places call, a socket held': `
.type tc
    r6 = r1
    r2 = r10
    r2 += -16
    *(u64 *)(r10 -16) = 0
    *(u64 *)(r10 -8) = 0
    r3 = 12
    r4 = -1
    r5 = 0
    call bpf_sk_lookup_tcp
    if r0 == 0 goto none
    r7 = r0
    r1 = 4
    r2 = 0
    call sum
    r8 = r0
    r1 = r7
    call bpf_sk_release
    r0 = r8
    r0 &= 1
    exit
none:
    r1 = 6
    r2 = 1
    call sum
    r0 &= 1
    exit
sum:
    r0 = 0
    r6 = 0
more:
    r0 += r1
    r0 += r2
    r6 += 1
    if r6 < 9 goto more
    exit`,
  'each entry of a map, deleted in the callback': `
.type xdp
.map h hash key=4 value=8 entries=8
.map n array key=4 value=8 entries=1
    r6 = 0
fill:
    *(u32 *)(r10 -4) = r6
    *(u64 *)(r10 -16) = 5
    r1 = map h
    r2 = r10
    r2 += -4
    r3 = r10
    r3 += -16
    r4 = 0
    call bpf_map_update_elem
    r6 += 1
    if r6 < 5 goto fill
    *(u64 *)(r10 -24) = 0
    r1 = map h
    r2 = func each
    r3 = r10
    r3 += -24
    r4 = 0
    call bpf_for_each_map_elem
    r0 = *(u64 *)(r10 -24)
    r0 &= 1
    exit
each:
    r5 = *(u64 *)(r4 +0)
    r5 += 1
    *(u64 *)(r4 +0) = r5
    call bpf_map_delete_elem
    r0 = 0
    exit`,
  'a long loop in a global function that a loop calls': `
.type tc
.global sum
    r6 = 0
    r7 = 0
again:
    r1 = 12
    call sum
    r7 += r0
    r6 += 1
    if r6 < 5 goto again
    r0 = r7
    r0 &= 1
    exit
sum:
    r0 = 0
    r6 = 0
    r1 &= 15
more:
    r0 += r1
    r6 += 1
    if r6 < 40 goto more
    exit`,
  'a loop that ends by may_goto': `
.type xdp
    r6 = 0
again:
    may_goto done
    r6 += 1
    if r6 < 30 goto again
done:
    r0 = 0
    exit`,
};
