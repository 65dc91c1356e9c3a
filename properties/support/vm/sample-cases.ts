/** Programs that Linux accepts, as cases without a kill: between them they use every kind of thing a run can hold. */
import type { Case } from '../../../src/vm/case/case.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { SOCKET_LOOKUP, update } from '../texts.js';

const TEXTS: Readonly<Record<string, string>> = {
  socket: `
.type tc
    r6 = r1
${SOCKET_LOOKUP}
    if r0 == 0 goto out
    r7 = r0
    r1 = r7
    call bpf_sk_fullsock
    r1 = r7
    call bpf_sk_release
out:
    r0 = 2
    exit`,
  record: `
.type tc
.map rb ringbuf entries=4096
    r1 = map rb
    r2 = 16
    r3 = 0
    call bpf_ringbuf_reserve
    if r0 == 0 goto out
    r6 = r0
    *(u64 *)(r6 +8) = 7
    call bpf_get_prandom_u32
    r1 = r6
    r2 = 0
    if r0 s> 0 goto drop
    call bpf_ringbuf_submit
    goto out
drop:
    call bpf_ringbuf_discard
out:
    r0 = 0
    exit`,
  dynptr: `
.type xdp
.map rb ringbuf entries=4096
    r1 = map rb
    r2 = 32
    r3 = 0
    r4 = r10
    r4 += -16
    call bpf_ringbuf_reserve_dynptr
    *(u64 *)(r10 -24) = 99
    r1 = r10
    r1 += -16
    r2 = 4
    r3 = r10
    r3 += -24
    r4 = 8
    r5 = 0
    call bpf_dynptr_write
    r1 = r10
    r1 += -16
    r2 = 0
    call bpf_ringbuf_submit_dynptr
    r0 = 1
    exit`,
  lock: `
.type tc
.map m array key=4 value=16 entries=1 spin_lock@0
    *(u32 *)(r10 -4) = 0
    r1 = map m
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    if r0 == 0 goto out
    r6 = r0
    r1 = r6
    call bpf_spin_lock
    r1 = *(u64 *)(r6 +8)
    r1 += 1
    *(u64 *)(r6 +8) = r1
    r1 = r6
    call bpf_spin_unlock
out:
    r0 = 0
    exit`,
  resilient: `
.type tc
.map m array key=4 value=16 entries=1 res_spin_lock@0
    *(u32 *)(r10 -4) = 0
    r1 = map m
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    if r0 == 0 goto out
    r6 = r0
    r1 = r6
    call bpf_res_spin_lock
    if r0 != 0 goto out
    *(u64 *)(r6 +8) = 5
    r1 = r6
    call bpf_res_spin_unlock
out:
    r0 = 0
    exit`,
  task: `
.type syscall
    call bpf_rcu_read_lock
    r1 = 1
    call bpf_task_from_pid
    if r0 == 0 goto out
    r1 = r0
    call bpf_task_release
out:
    call bpf_rcu_read_unlock
    call bpf_preempt_disable
    call bpf_preempt_enable
    r1 = r10
    r1 += -8
    call bpf_local_irq_save
    r1 = r10
    r1 += -8
    call bpf_local_irq_restore
    r0 = 0
    exit`,
  numbers: `
.type xdp
    r1 = r10
    r1 += -8
    r2 = 0
    r3 = 5
    call bpf_iter_num_new
    r6 = 0
loop:
    r1 = r10
    r1 += -8
    call bpf_iter_num_next
    if r0 == 0 goto done
    r1 = *(u32 *)(r0 +0)
    r6 = r1
    goto loop
done:
    r1 = r10
    r1 += -8
    call bpf_iter_num_destroy
    r0 = r6
    exit`,
  loop: `
.type xdp
.map m hash key=4 value=8 entries=4
    *(u64 *)(r10 -8) = 0
    r1 = 3
    r2 = func body
    r3 = r10
    r3 += -8
    r4 = 0
    call bpf_loop
    r0 = *(u64 *)(r10 -8)
    exit
body:
    r6 = r2
    r7 = r1
    *(u32 *)(r10 -4) = r1
    *(u64 *)(r10 -16) = 17
${update('m')}
    r1 = map m
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    if r0 == 0 goto none
    r1 = *(u64 *)(r0 +0)
    r2 = *(u64 *)(r6 +0)
    r2 += r1
    *(u64 *)(r6 +0) = r2
none:
    r0 = 0
    exit`,
  callee: `
.type tc
.map rb ringbuf entries=4096
    call take
    if r0 == 0 goto out
    r1 = r0
    call give
out:
    may_goto away
    goto out
away:
    r0 = 0
    exit
take:
    r1 = map rb
    r2 = 8
    r3 = 0
    call bpf_ringbuf_reserve
    exit
give:
    r2 = 0
    call bpf_ringbuf_discard
    r0 = 0
    exit`,
  tail: `
.type xdp
.map progs prog_array key=4 value=4 entries=2
    r2 = map progs
    r3 = 0
    call bpf_tail_call
    r0 = 1
    exit`,
  packet: `
.type xdp
    r2 = *(u32 *)(r1 +0)
    r3 = *(u32 *)(r1 +4)
    r4 = r2
    r4 += 14
    r0 = 0
    if r4 > r3 goto out
    r0 = *(u16 *)(r2 +12)
    *(u8 *)(r2 +0) = 1
out:
    exit`,
  probe: `
.type tracepoint
    r1 = r10
    r1 += -16
    r2 = 12
    r3 = 4096
    call bpf_probe_read_kernel
    r0 = *(u64 *)(r10 -16)
    exit`,
};

export const SAMPLES: ReadonlyMap<string, Case> = new Map(
  Object.entries(TEXTS).map(([name, text]) => [name, parseCase(text, name)]),
);

export function sampleCase(name: string): Case {
  const found = SAMPLES.get(name);
  if (found === undefined) throw new Error(`no sample ${name}`);
  return found;
}
