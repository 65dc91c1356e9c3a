/**
 * Before programs are timed, our verifier is asked about two small ones. A process translates its code when it first comes to it, which
 * takes longer than most programs take to verify: what is measured afterwards is verification. The kernel needs no such thing, but
 * the first call to it goes the same way.
 */
import type { Program } from '../../object/program.js';
import type { KernelJudge } from '../../oracle/bulk.js';
import { verify } from '../../verifier/verify.js';
import { parseCase } from '../../vm/case/case.js';

/** Times that the programs are verified: code that ran a few times is translated better. */
const ROUNDS = 12;

/** Maps, an iterator, subprograms, a callback, a reference, spills and fills, ranges. */
const LOOPS = `
.type tc
.map words array key=4 value=64 entries=64
.map seen hash key=8 value=16 entries=64

main:
    r6 = r1
    r7 = r10
    r7 += -8
    r1 = r7
    w2 = 0
    w3 = 64
    call bpf_iter_num_new
    r8 = 0
again:
    r1 = r7
    call bpf_iter_num_next
    if r0 == 0x0 goto done
    r1 = *(u32 *)(r0 +0)
    *(u32 *)(r10 -12) = r1
    r2 = r10
    r2 += -12
    r1 = map words
    call bpf_map_lookup_elem#1
    if r0 == 0x0 goto again
    r1 = *(u8 *)(r0 +0)
    r1 &= 31
    *(u64 *)(r10 -32) = r1
    r2 = r0
    r0 += r1
    r1 = *(u32 *)(r0 +4)
    r1 <<= 32
    r1 s>>= 32
    r8 += r1
    if r8 s> 0x64 goto done
    r3 = *(u64 *)(r10 -32)
    w3 *= 3
    if w3 > 0x10 goto again
    r8 ^= r3
    goto again
done:
    r1 = r7
    call bpf_iter_num_destroy
    *(u64 *)(r10 -24) = r8
    r1 = r8
    r2 = r6
    call look
    r9 = r0
    w1 = 16
    r2 = func each
    r3 = r10
    r3 += -24
    r4 = 0
    call bpf_loop#181
    r0 = r9
    exit
look:
    r6 = r2
    *(u64 *)(r10 -8) = r1
    r2 = r10
    r2 += -8
    r1 = map seen
    call bpf_map_lookup_elem#1
    if r0 == 0x0 goto missed
    r1 = 1
    lock *(u64 *)(r0 +8) += r1
    r0 = *(u32 *)(r0 +0)
    if w0 > 0x1 goto missed
    exit
missed:
    r7 = 0
    *(u64 *)(r10 -16) = r7
    *(u64 *)(r10 -24) = r7
    r1 = r6
    r2 = r10
    r2 += -24
    w3 = 12
    r4 = -1
    r5 = 0
    call bpf_sk_lookup_tcp#84
    if r0 == 0x0 goto none
    r7 = *(u32 *)(r0 +4)
    r1 = r0
    call bpf_sk_release#86
none:
    w0 = 0
    if w7 == 0x2 goto out
    w0 = 2
out:
    exit
each:
    r3 = *(u64 *)(r2 +0)
    r3 += r1
    *(u64 *)(r2 +0) = r3
    r0 = 0
    exit
`;

/** Packets: pointers that move by what was read, and the checks that they need; a record of the ring buffer. */
const PACKETS = `
.type xdp
.map events ringbuf entries=4096
.map counts percpu_array key=4 value=8 entries=256

main:
    r6 = r1
    r2 = *(u32 *)(r6 +4)
    r1 = *(u32 *)(r6 +0)
    r8 = 0
    r3 = r1
    r3 += 14
    if r3 > r2 goto pass
    r4 = *(u16 *)(r1 +12)
    r4 = be16 r4
    if w4 == 0x800 goto ip
    if w4 == 0x86dd goto pass
    r3 += 4
    if r3 > r2 goto pass
    r4 = *(u16 *)(r3 -2)
    if w4 != 0x8 goto pass
ip:
    r5 = r3
    r5 += 20
    if r5 > r2 goto pass
    r5 = *(u8 *)(r3 +0)
    w5 &= 15
    w5 <<= 2
    if w5 < 0x14 goto pass
    r8 = *(u8 *)(r3 +9)
    r3 += r5
    r5 = r3
    r5 += 8
    if r5 > r2 goto pass
    r7 = *(u16 *)(r3 +2)
    r9 = *(u32 *)(r3 +4)
    *(u32 *)(r3 +4) = r9
pass:
    *(u32 *)(r10 -4) = r8
    r2 = r10
    r2 += -4
    r1 = map counts
    call bpf_map_lookup_elem#1
    if r0 == 0x0 goto out
    r1 = *(u64 *)(r0 +0)
    r1 += 1
    *(u64 *)(r0 +0) = r1
    if r1 != 0x7 goto out
    r1 = map events
    r2 = 16
    r3 = 0
    call bpf_ringbuf_reserve#131
    if r0 == 0x0 goto out
    *(u64 *)(r0 +0) = r8
    r1 = r0
    r2 = 0
    call bpf_ringbuf_submit#132
out:
    r0 = 2
    exit
`;

/** The programs; both verifiers accept them. */
export const warmUpPrograms = (): readonly Program[] =>
  [LOOPS, PACKETS].map((text) => parseCase(text, 'warm-up').program);

/** Has our verifier run, and the kernel's once, so that neither is timed while it starts. */
export function warmUp(judge: KernelJudge): void {
  const programs = warmUpPrograms();
  for (const program of programs) judge.judge(program);
  for (let round = 0; round < ROUNDS; round++) {
    for (const program of programs) verify(program, { facts: false });
  }
}
