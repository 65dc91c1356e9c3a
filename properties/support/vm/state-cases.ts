/** Programs that between them change every kind of state that a run has, over and over, so that a fork anywhere in them shares some of it. */

import type { Program } from '../../../src/object/program.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { call, lines } from './text.js';

const END = lines('r0 = 0', 'exit');
const twice = (text: string): string => text + text;
const key = (value: number): string => lines(`*(u32 *)(r10 -4) = ${value}`);
const update = (map: string, at: number, value: string): string =>
  key(at) +
  lines(`*(u64 *)(r10 -16) = ${value}`) +
  call('bpf_map_update_elem', `map ${map}`, 'fp-4', 'fp-16', '0');
const lookup = (map: string, at: number): string =>
  key(at) + call('bpf_map_lookup_elem', `map ${map}`, 'fp-4');
const remove = (map: string, at: number): string =>
  key(at) + call('bpf_map_delete_elem', `map ${map}`, 'fp-4');

const TEXTS: Readonly<Record<string, string>> = {
  'stack bytes': `.type syscall
${twice(lines('r1 = 5', '*(u64 *)(r10 -8) = r1', '*(u8 *)(r10 -3) = 9', 'r2 = *(u64 *)(r10 -8)', 'r2 += 1', '*(u64 *)(r10 -16) = r2'))}${END}`,
  'values of an array': `.type syscall
.map a array key=4 value=8 entries=3
${[0, 1, 0].map((at) => `${lookup('a', at)}    if r0 == 0 goto out\n${lines('r1 = *(u64 *)(r0 +0)', 'r1 += 7', '*(u64 *)(r0 +0) = r1')}`).join('')}out:
${END}`,
  'entries of a hash': `.type syscall
.map h hash key=4 value=8 entries=3
${update('h', 1, '5')}${update('h', 2, '6')}${remove('h', 1)}${update('h', 2, '7')}${update('h', 3, '8')}${lookup('h', 2)}${remove('h', 3)}${END}`,
  'the order of an LRU hash': `.type syscall
.map h lru_hash key=4 value=8 entries=2
${update('h', 1, '5')}${update('h', 2, '6')}${lookup('h', 1)}${update('h', 3, '7')}${lookup('h', 2)}${END}`,
  'values of other CPUs': `.type syscall
.env bpf_map_lookup_percpu_elem#1=found
.map p percpu_array key=4 value=8 entries=2
${[0, 1, 0]
  .map(
    (cpu) => `${key(0)}${call('bpf_map_lookup_percpu_elem', 'map p', 'fp-4', `${cpu}`)}    if r0 == 0 goto out
${lines('r1 = *(u64 *)(r0 +0)', 'r1 += 3', '*(u64 *)(r0 +0) = r1')}`,
  )
  .join('')}out:
${END}`,
  'a queue and a stack': `.type syscall
.map q queue key=0 value=8 entries=3
.map s stack key=0 value=8 entries=3
${['q', 's']
  .map(
    (map) =>
      lines('*(u64 *)(r10 -8) = 1') +
      twice(call('bpf_map_push_elem', `map ${map}`, 'fp-8', '0')) +
      call('bpf_map_peek_elem', `map ${map}`, 'fp-16') +
      call('bpf_map_pop_elem', `map ${map}`, 'fp-16'),
  )
  .join('')}${END}`,
  'records of a ring buffer': `.type syscall
.map rb ringbuf entries=4096
${twice(
  `${call('bpf_ringbuf_reserve', 'map rb', '8', '0')}    if r0 == 0 goto out
${lines('*(u64 *)(r0 +0) = 77')}${call('bpf_ringbuf_submit', 'r0', '0')}`,
)}${lines('*(u64 *)(r10 -8) = 3')}${call('bpf_ringbuf_output', 'map rb', 'fp-8', '8', '0')}${call('bpf_ringbuf_reserve', 'map rb', '8', '0')}    if r0 == 0 goto out
${call('bpf_ringbuf_discard', 'r0', '0')}out:
${END}`,
  'where the packet lies': `.type xdp
${lines('r6 = r1')}${call('bpf_xdp_adjust_head', 'r6', '-16')}${call('bpf_xdp_adjust_meta', 'r6', '-8')}${call('bpf_xdp_adjust_tail', 'r6', '20')}${lines('*(u64 *)(r10 -8) = 99')}${call('bpf_xdp_store_bytes', 'r6', '3', 'fp-8', '8')}${call('bpf_xdp_adjust_head', 'r6', '10')}${END}`,
  'the context': `.type syscall
${twice(lines('r2 = *(u64 *)(r1 +0)', 'r2 += 3', '*(u64 *)(r1 +0) = r2', '*(u8 *)(r1 +9) = 4'))}${END}`,
  'the header and the members of an skb': `.type tc
${lines('r6 = r1')}${twice(call('bpf_skb_vlan_push', 'r6', '129', '5'))}${call('bpf_set_hash', 'r6', '7')}${call('bpf_skb_change_tail', 'r6', '90', '0')}${call('bpf_skb_vlan_pop', 'r6')}${END}`,
  dynptrs: `.type syscall
.map a array key=4 value=32 entries=1
${lookup('a', 0)}    if r0 == 0 goto out
${lines('r6 = r0')}${call('bpf_dynptr_from_mem', 'r6', '32', '0', 'fp-32')}${call('bpf_dynptr_adjust', 'fp-32', '4', '20')}${lines('*(u64 *)(r10 -16) = -1')}${call('bpf_dynptr_write', 'fp-32', '2', 'fp-16', '8', '0')}${call('bpf_dynptr_clone', 'fp-32', 'fp-48')}${call('bpf_dynptr_adjust', 'fp-48', '1', '9')}${call('bpf_dynptr_memset', 'fp-48', '0', '8', '5')}out:
${END}`,
  'a dynptr that is held': `.type xdp
.map rb ringbuf entries=4096
${twice(`${call('bpf_ringbuf_reserve_dynptr', 'map rb', '16', '0', 'fp-16')}${lines('*(u64 *)(r10 -24) = 9')}${call('bpf_dynptr_write', 'fp-16', '0', 'fp-24', '8', '0')}${call('bpf_ringbuf_submit_dynptr', 'fp-16', '0')}`)}${END}`,
  'iterators inside one another': `.type xdp
${call('bpf_iter_num_new', 'fp-8', '0', '3')}
outer:
${call('bpf_iter_num_next', 'fp-8')}    if r0 == 0 goto done
${call('bpf_iter_num_new', 'fp-16', '5', '7')}
inner:
${call('bpf_iter_num_next', 'fp-16')}    if r0 == 0 goto over
    goto inner
over:
${call('bpf_iter_num_destroy', 'fp-16')}    goto outer
done:
${call('bpf_iter_num_destroy', 'fp-8')}${END}`,
  'sections, locks and saved IRQ states': `.type tc
.map m array key=4 value=16 entries=2 res_spin_lock@0
${lookup('m', 0)}    if r0 == 0 goto out
${lines('r6 = r0')}${lookup('m', 1)}    if r0 == 0 goto out
${lines('r7 = r0')}${call('bpf_rcu_read_lock')}${twice(call('bpf_preempt_disable'))}${call('bpf_local_irq_save', 'fp-16')}${call('bpf_local_irq_save', 'fp-24')}${call('bpf_res_spin_lock', 'r6')}    if r0 != 0 goto free
${call('bpf_res_spin_lock', 'r7')}    if r0 != 0 goto one
${call('bpf_res_spin_unlock', 'r7')}one:
${call('bpf_res_spin_unlock', 'r6')}free:
${call('bpf_local_irq_restore', 'fp-24')}${call('bpf_local_irq_restore', 'fp-16')}${twice(call('bpf_preempt_enable'))}${call('bpf_rcu_read_unlock')}out:
${END}`,
  'sockets and tasks': `.type tc
${lines('r6 = r1', '*(u64 *)(r10 -16) = 0', '*(u64 *)(r10 -8) = 0')}${call('bpf_sk_lookup_tcp', 'r6', 'fp-16', '12', '-1', '0')}    if r0 == 0 goto out
${lines('r7 = r0')}${call('bpf_skc_lookup_tcp', 'r6', 'fp-16', '12', '-1', '0')}    if r0 == 0 goto one
${call('bpf_sk_release', 'r0')}one:
${call('bpf_sk_release', 'r7')}out:
${END}`,
  'a list of objects': `.type tc
.struct item size=32 list_node:node@0
.map m array key=4 value=32 entries=1 spin_lock@0 list_head:item:node@8
${lookup('m', 0)}    if r0 == 0 goto out
${lines('r6 = r0')}${['front', 'back']
  .map(
    (end) => `${call('bpf_obj_new_impl', '1', '0')}    if r0 == 0 goto out
${lines('r7 = r0', '*(u64 *)(r7 +24) = 5')}${call('bpf_spin_lock', 'r6')}${call(`bpf_list_push_${end}_impl`, 'r6', 'r7', '0', '0').replace('r1 = r6\n', 'r1 = r6\n    r1 += 8\n')}${call('bpf_spin_unlock', 'r6')}`,
  )
  .join(
    '',
  )}${call('bpf_spin_lock', 'r6')}${call('bpf_list_pop_back', 'r6').replace('r1 = r6\n', 'r1 = r6\n    r1 += 8\n')}${lines('r7 = r0')}${call('bpf_spin_unlock', 'r6')}    if r7 == 0 goto out
${lines('r1 = r7', 'r2 = 0', 'call bpf_obj_drop_impl')}out:
${END}`,
  'a tree of objects': `.type tc
.struct leaf size=40 rb_node:node@0
.map m array key=4 value=32 entries=1 spin_lock@0 rb_root:leaf:node@8
${lookup('m', 0)}    if r0 == 0 goto out
${lines('r6 = r0')}${[1, 2, 3]
  .map(
    (n) => `${call('bpf_obj_new_impl', '1', '0')}    if r0 == 0 goto out
${lines('r7 = r0', `*(u64 *)(r7 +32) = ${n & 1}`)}${call('bpf_spin_lock', 'r6')}${call('bpf_rbtree_add_impl', 'r6', 'r7', 'func less', '0', '0').replace('r1 = r6\n', 'r1 = r6\n    r1 += 8\n')}${call('bpf_spin_unlock', 'r6')}`,
  )
  .join(
    '',
  )}${call('bpf_spin_lock', 'r6')}${lines('r1 = r6', 'r1 += 8', 'call bpf_rbtree_first')}    if r0 == 0 goto unlock
${lines('r2 = r0', 'r1 = r6', 'r1 += 8', 'call bpf_rbtree_remove', 'r7 = r0')}${call('bpf_spin_unlock', 'r6')}    if r7 == 0 goto out
${call('bpf_obj_drop_impl', 'r7', '0')}    goto out
unlock:
${call('bpf_spin_unlock', 'r6')}out:
${END}less:
${lines('r1 = *(u64 *)(r1 +32)', 'r2 = *(u64 *)(r2 +32)', 'r0 = 0')}    if r1 >= r2 goto no
    r0 = 1
no:
    exit`,
  'callbacks inside callbacks': `.type xdp
.map h hash key=4 value=8 entries=4
${update('h', 1, '1')}${update('h', 2, '2')}${lines('*(u64 *)(r10 -24) = 0')}${call('bpf_loop', '2', 'func round', 'fp-24', '0')}${END}round:
${lines('r6 = r2')}${call('bpf_for_each_map_elem', 'map h', 'func each', 'r6', '0')}${lines('r1 = *(u64 *)(r6 +0)', 'r1 *= 3', '*(u64 *)(r6 +0) = r1', 'r0 = 0', 'exit')}each:
${lines('r1 = *(u64 *)(r3 +0)', 'r2 = *(u64 *)(r4 +0)', 'r2 += r1', '*(u64 *)(r4 +0) = r2', 'r0 = 0', 'exit')}`,
  'functions and their registers': `.type syscall
${lines('r6 = 1', 'r7 = 2', 'r8 = 3', 'r9 = 4', 'r1 = 5', 'call one', 'r0 += r6', 'r0 += r9', 'exit')}one:
${lines('r6 = r1', 'r7 = r1', '*(u64 *)(r10 -8) = r1', 'call two', 'r0 += r6', 'r0 += r7', 'exit')}two:
${lines('r8 = r1', 'r9 = 7', '*(u64 *)(r10 -16) = 3', 'r0 = r8', 'r0 += r9', 'exit')}`,
  'a budget of loops': `.type xdp
    r6 = 0
again:
    may_goto done
    r6 += 1
    goto again
done:
    r0 = 0
    exit`,
  'storage of a cgroup': `.type cgroup_skb
.map s cgroup_storage key=8 value=8 entries=0
${call('bpf_get_local_storage', 'map s', '0')}${lines('r1 = *(u64 *)(r0 +0)', 'r1 += 3', '*(u64 *)(r0 +0) = r1', 'r0 = 1', 'exit')}`,
  'pointers of kernel structs': `.type syscall
.kernel_pointer task_struct.group_leader@1600 task_struct
${call('bpf_task_from_pid', '1')}    if r0 == 0 goto out
${lines('r6 = r0', 'r7 = *(u64 *)(r6 +1600)', 'r8 = *(u64 *)(r6 +1600)', 'r1 = r6', 'call bpf_task_release')}out:
${END}`,
  'a timer that starts itself again': `.type tc
.map m array key=4 value=24 entries=1 timer@0
${lookup('m', 0)}    if r0 == 0 goto out
${lines('r6 = r0')}${call('bpf_timer_init', 'r6', 'map m', '0')}${call('bpf_timer_set_callback', 'r6', 'func tick')}${call('bpf_timer_start', 'r6', '1', '0')}out:
${END}tick:
${lines('r6 = r3', 'r1 = *(u64 *)(r6 +16)', 'r1 += 1', '*(u64 *)(r6 +16) = r1')}${call('bpf_timer_start', 'r6', '1', '0')}${lines('r0 = 0', 'exit')}`,
  'an object behind a pointer in a map': `.type tc
.struct item size=16
.map m array key=4 value=16 entries=1 kptr:item@8
${lookup('m', 0)}    if r0 == 0 goto out
${lines('r6 = r0', 'r6 += 8')}${twice(`${call('bpf_obj_new_impl', '1', '0')}    if r0 == 0 goto out
${call('bpf_kptr_xchg', 'r6', 'r0')}    if r0 == 0 goto next#
${call('bpf_obj_drop_impl', 'r0', '0')}next#:
`)
  .split('next#:')
  .map((part, i) => part.replace('next#', `next${i}`) + (i < 2 ? `next${i}:` : ''))
  .join('')}out:
${END}`,
};

/** A callback that breaks a check, which does not end the run. No verifier takes it. */
export const BROKEN: Program = parseCase(`.type xdp
${call('bpf_loop', '3', 'func round', '0', '0')}${END}round:
${lines('r0 = 0', 'if r1 == 1 goto bad', 'exit')}bad:
${lines('r0 = -5', 'exit')}`).program;

export const STATE_CASES: ReadonlyMap<string, Program> = new Map(
  Object.entries(TEXTS).map(([name, text]) => [name, parseCase(text, name).program]),
);
