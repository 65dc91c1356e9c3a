/**
 * Rule sets that are wrong, each in one way: the sound set with one rule put in front of it. Whatever calls itself a checker must
 * refuse every one of them.
 */
import { NULL, rule, ruleSet, type StubSpec } from '../../src/patch/define.js';
import type { RuleSet } from '../../src/patch/rule.js';
import sound from '../../src/patch/sets/sound.js';
import type { Check } from '../../src/vm/state/trap.js';

export interface WrongRules {
  /** Named after the mistake; the first rule is the wrong one. */
  readonly rules: RuleSet;
  /** The function that the mistake is about. */
  readonly function: string;
  /** The check that the rule proof names. */
  readonly check: Check;
}

function stubbed(mistake: string, name: string, stub: StubSpec, check: Check): WrongRules {
  const wrong = rule(mistake)
    .when((f) => f.name === name)
    .stub(stub);
  return { rules: ruleSet(mistake.replaceAll(' ', '-'), [wrong, ...sound.rules]), function: name, check };
}

function kept(mistake: string, name: string, check: Check): WrongRules {
  const wrong = rule(mistake)
    .when((f) => f.name === name)
    .keep();
  return { rules: ruleSet(mistake.replaceAll(' ', '-'), [wrong, ...sound.rules]), function: name, check };
}

const nothing: StubSpec = { r0: 'void' };

export const WRONG_RULES: readonly WrongRules[] = [
  // Locks and sections: one half of a pair is missing.
  stubbed('lock skipped', 'bpf_spin_lock', nothing, 'misuse'),
  stubbed('unlock skipped', 'bpf_spin_unlock', nothing, 'leak'),
  stubbed('resilient lock claims success', 'bpf_res_spin_lock', { r0: 0 }, 'misuse'),
  stubbed('resilient lock claims a warning', 'bpf_res_spin_lock', { r0: 1 }, 'fault'),
  kept('resilient lock taken', 'bpf_res_spin_lock', 'acquire'),
  stubbed('resilient unlock skipped', 'bpf_res_spin_unlock', nothing, 'leak'),
  stubbed('rcu lock skipped', 'bpf_rcu_read_lock', nothing, 'misuse'),
  stubbed('rcu unlock skipped', 'bpf_rcu_read_unlock', nothing, 'leak'),
  stubbed('preempt disable skipped', 'bpf_preempt_disable', nothing, 'misuse'),
  stubbed('preempt enable skipped', 'bpf_preempt_enable', nothing, 'leak'),
  stubbed('irq save skipped', 'bpf_local_irq_save', nothing, 'misuse'),
  stubbed('irq restore skipped', 'bpf_local_irq_restore', nothing, 'leak'),
  // References.
  stubbed('socket not released', 'bpf_sk_release', { r0: 0 }, 'leak'),
  stubbed('socket lookup returns an error pointer', 'bpf_sk_lookup_tcp', { r0: -12 }, 'fault'),
  kept('socket looked up', 'bpf_sk_lookup_udp', 'acquire'),
  kept('record reserved', 'bpf_ringbuf_reserve', 'acquire'),
  stubbed('record is the number 1', 'bpf_ringbuf_reserve', { r0: 1 }, 'fault'),
  stubbed('record not submitted', 'bpf_ringbuf_submit', nothing, 'leak'),
  stubbed('record not discarded', 'bpf_ringbuf_discard', nothing, 'leak'),
  stubbed('task not released', 'bpf_task_release', nothing, 'leak'),
  kept('task acquired', 'bpf_task_from_pid', 'acquire'),
  stubbed('owned object cannot be shared', 'bpf_refcount_acquire_impl', { r0: NULL }, 'misuse'),
  stubbed('object not dropped', 'bpf_obj_drop_impl', nothing, 'leak'),
  stubbed('node not pushed', 'bpf_list_push_front_impl', { r0: -22 }, 'leak'),
  stubbed('pointer not exchanged', 'bpf_kptr_xchg', { r0: NULL }, 'leak'),
  // Slots on the stack.
  stubbed('dynptr slot left unwritten', 'bpf_ringbuf_reserve_dynptr', { r0: -12 }, 'misuse'),
  stubbed('dynptr not submitted', 'bpf_ringbuf_submit_dynptr', nothing, 'leak'),
  stubbed('dynptr not discarded', 'bpf_ringbuf_discard_dynptr', nothing, 'leak'),
  stubbed('iterator not made', 'bpf_iter_num_new', { r0: -22 }, 'misuse'),
  stubbed('iterator not destroyed', 'bpf_iter_num_destroy', nothing, 'leak'),
  stubbed('iterator never ends', 'bpf_iter_num_next', { r0: 8 }, 'fault'),
  // Values, memory, time.
  stubbed('constant key misses', 'bpf_map_lookup_elem', { r0: NULL }, 'fault'),
  stubbed('cpu number out of range', 'bpf_get_smp_processor_id', { r0: -1 }, 'fault'),
  stubbed('result unreadable', 'bpf_ktime_get_ns', nothing, 'fault'),
  stubbed('read leaves its buffer alone', 'bpf_probe_read_kernel', { r0: -14 }, 'fault'),
  stubbed('string longer than its buffer', 'bpf_probe_read_kernel_str', { r0: 1, writes: [0] }, 'fault'),
  kept('loop goes on', 'bpf_loop', 'bound'),
  kept('iterator goes on', 'bpf_iter_num_next', 'bound'),
  kept('next program runs', 'bpf_tail_call', 'bound'),
  stubbed('throw skipped', 'bpf_throw', nothing, 'fault'),
];
