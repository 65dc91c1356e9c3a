/** Loops that would run for years: what a kill, or a deadline, has to end. */

/** Three nested loops of 2^22, 2^20 and 2^20 rounds, with a record of a ring buffer held around them. */
export const LONG_LOOPS = `
.type tc
.map rb ringbuf entries=4096
    *(u64 *)(r10 -8) = 0
    r1 = map rb
    r2 = 8
    r3 = 0
    call bpf_ringbuf_reserve
    if r0 == 0 goto none
    r6 = r0
    r1 = 4194304
    r2 = func one
    r3 = r10
    r3 += -8
    r4 = 0
    call bpf_loop
    r1 = *(u64 *)(r10 -8)
    *(u64 *)(r6 +0) = r1
    r1 = r6
    r2 = 1
    call bpf_ringbuf_submit
    r0 = 7
    exit
none:
    r0 = 1
    exit
one:
    r3 = r2
    r1 = 1048576
    r2 = func two
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
two:
    r3 = r2
    r1 = 1048576
    r2 = func three
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
three:
    r3 = *(u64 *)(r2 +0)
    r3 += r1
    *(u64 *)(r2 +0) = r3
    r0 = 0
    exit
`;

/** A loop of 2^23 rounds with a loop of 2^23 numbers in it, in a function. */
export const LONG_ITERATOR = `
.type xdp
    r1 = 8388608
    r2 = func round
    r3 = 0
    r4 = 0
    call bpf_loop
    r0 = 2
    exit
round:
    call count
    r0 = 0
    exit
count:
    r6 = 0
    r1 = r10
    r1 += -8
    r2 = 0
    r3 = 8388608
    call bpf_iter_num_new
again:
    r1 = r10
    r1 += -8
    call bpf_iter_num_next
    if r0 == 0 goto done
    r6 += 1
    goto again
done:
    r1 = r10
    r1 += -8
    call bpf_iter_num_destroy
    r0 = r6
    exit
`;
