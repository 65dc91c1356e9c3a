/** Each contract says only what its arguments can bear out; and wrong ones, planted here, are found. */
import { describe, expect, it } from 'vitest';
import { contractOf, contracts } from '../../src/kernel/catalog.js';
import type { Contract, Outcome } from '../../src/kernel/contract.js';
import { flaws } from '../../src/kernel/declare/flaws.js';
import { imitableOutcomes } from '../../src/kernel/describe.js';

const known = (name: string): Contract => {
  const found = contractOf(name);
  if (found === undefined) throw new Error(`${name} is not in the catalog`);
  return found;
};
const outcomes = (c: Contract, change: (o: Outcome) => Outcome): Contract => ({
  ...c,
  outcomes: c.outcomes.map(change),
});
const withEffect = (name: string, effect: Outcome['effects'][number]): Contract =>
  outcomes(known(name), (o) => ({ ...o, effects: [...o.effects, effect] }));
const withR0 = (name: string, r0: Outcome['r0']): Contract => outcomes(known(name), (o) => ({ ...o, r0 }));
const without = (name: string, kind: string): Contract =>
  outcomes(known(name), (o) => ({ ...o, effects: o.effects.filter((e) => e.kind !== kind) }));

describe('every contract', () => {
  it.each(contracts().map((c) => [c.name, c] as const))('%s is well-formed', (_, c) => {
    expect(flaws(c)).toEqual([]);
  });

  it('has a name of its own', () => {
    const names = contracts().map((c) => c.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('is one of many', () => {
    expect(contracts().length).toBeGreaterThanOrEqual(535);
  });
});

describe('a wrong contract is found:', () => {
  it.each<[string, Contract, RegExp]>([
    ['no outcome', { ...known('bpf_ktime_get_ns'), outcomes: [] }, /no outcome/],
    ['two of a name', outcomes(known('bpf_loop'), (o) => ({ ...o, name: 'same' })), /two outcomes/],
    ['a kfunc with a number', { ...known('bpf_throw'), id: 12 }, /number/],
    [
      'only guarded',
      outcomes(known('bpf_map_lookup_elem'), (o) => ({ ...o, guard: { kind: 'key_may_miss' } })),
      /guarded/,
    ],
    [
      'only of sockets',
      outcomes(known('bpf_map_lookup_elem'), (o) => ({ ...o, guard: { kind: 'map_of_sockets', is: true } })),
      /guarded/,
    ],
    [
      'a guard on nothing',
      outcomes(known('bpf_ktime_get_ns'), (o) => ({ ...o, guard: { kind: 'not_owning', arg: 0 } })),
      /guard/,
    ],
    ['release of a number', withEffect('bpf_redirect', { kind: 'release', arg: 0 }), /release/],
    ['release of no argument', withEffect('bpf_ktime_get_ns', { kind: 'release', arg: 3 }), /release/],
    ['a release that is missing', without('bpf_sk_release', 'release'), /given back/],
    ['a destroy that is missing', without('bpf_ringbuf_submit_dynptr', 'destroy_dynptr'), /given back/],
    ['a buffer that is not written', without('bpf_probe_read', 'write'), /not written/],
    ['a write to what is read', withEffect('bpf_ringbuf_output', { kind: 'write', arg: 1 }), /write/],
    ['the other lock', withEffect('bpf_spin_lock', { kind: 'lock', arg: 0, lock: 'res_spin_lock' }), /lock/],
    [
      'flags saved into saved ones',
      withEffect('bpf_local_irq_restore', { kind: 'irq_save', arg: 0 }),
      /irq_save/,
    ],
    ['flags never saved', without('bpf_local_irq_save', 'irq_save'), /flags unused/],
    [
      'a dynptr of another type',
      withEffect('bpf_dynptr_from_mem', { kind: 'init_dynptr', arg: 3, type: 'skb' }),
      /init_dynptr/,
    ],
    ['a dynptr never made', without('bpf_ringbuf_reserve_dynptr', 'init_dynptr'), /never initialised/],
    ['an iterator never made', without('bpf_iter_num_new', 'iter_new'), /never made/],
    [
      'a step of a new iterator',
      withEffect('bpf_iter_num_new', { kind: 'iter_next', arg: 0, to: 'active' }),
      /iter_next/,
    ],
    [
      'a callback that is not one',
      withEffect('bpf_sk_release', { kind: 'callback', arg: 0, times: 'any' }),
      /callback/,
    ],
    ['a callback left out', without('bpf_loop', 'callback'), /how often/],
    ['a node that stays', without('bpf_list_push_front_impl', 'transfer'), /not moved/],
    [
      'a kptr that stays known',
      withEffect('bpf_kptr_xchg', { kind: 'transfer', arg: 1, nonOwning: true }),
      /transfer/,
    ],
    ['an alarm without a clock', withEffect('bpf_redirect', { kind: 'arm', arg: 0 }), /arm/],
    ['one effect twice', withEffect('bpf_sk_release', { kind: 'release', arg: 0 }), /twice/],
    [
      'a record of no size',
      withR0('bpf_ringbuf_query', { kind: 'pointer', to: { kind: 'record' } }),
      /points to record/,
    ],
    [
      'a value of no map',
      withR0('bpf_ktime_get_ns', { kind: 'pointer', to: { kind: 'map_value' } }),
      /map_value/,
    ],
    [
      'a node of no list',
      withR0('bpf_obj_new_impl', { kind: 'pointer', to: { kind: 'graph_node', owning: true } }),
      /graph_node/,
    ],
    ['an empty range', withR0('bpf_ktime_get_ns', { kind: 'scalar', min: 1n, max: 0n }), /empty range/],
    ['a bound by no size', withR0('bpf_redirect', { kind: 'scalar', min: 0n, max: 9n, upTo: 1 }), /no size/],
    [
      'a share of nothing',
      withR0('bpf_task_from_pid', { kind: 'pointer', to: { kind: 'kptr' }, derives: 0 }),
      /kptr/,
    ],
    [
      'a size without memory',
      { ...known('bpf_redirect'), args: [{ kind: 'size', zero: false }] },
      /without memory/,
    ],
    [
      'a callback without context',
      { ...known('bpf_loop'), args: known('bpf_loop').args.slice(0, 2) },
      /no context/,
    ],
    [
      'usual values that cannot be',
      outcomes(known('bpf_res_spin_lock'), (o) => ({ ...o, usual: [7n, 9n] })),
      /usual/,
    ],
  ])('%s', (_, wrong, words) => {
    expect(flaws(wrong).join('; ')).toMatch(words);
  });
});

describe('what a stub may imitate', () => {
  it('acquires nothing, returns no pointer and does not block', () => {
    for (const c of contracts()) {
      for (const o of imitableOutcomes(c)) {
        expect(o.blocks, c.name).toBeUndefined();
        expect(o.r0.kind, c.name).not.toBe('pointer');
        const held = o.effects.filter((e) =>
          ['lock', 'enter', 'irq_save', 'iter_new', 'release', 'unlock'].includes(e.kind),
        );
        expect(held, c.name).toEqual([]);
      }
    }
  });

  it('is nothing for what opens, closes, or gives back', () => {
    const none = contracts().filter((c) => imitableOutcomes(c).length === 0);
    expect(none.map((c) => c.name).filter((name) => !EXPECTED_KEPT.test(name))).toEqual([]);
  });
});

/** Calls that no stub can stand for: they close or give back, open what is closed later, or return a pointer that is never NULL. */
const EXPECTED_KEPT =
  /release|_put$|spin_(lock|unlock)|submit|discard|rcu_read|preempt|irq_|_new$|_destroy$|drop|put_(file|mem_cgroup)|kfree_skb|session_cookie|_(idle|online|possible)_(cpu|smt)mask|put_cpumask|task_cgroup|cpu_rq|push_|rbtree_add|kptr_xchg|cpumask_acquire|current_task_btf|task_pt_regs|bpf_throw|ct_insert_entry|dynptr_clone|get_kmem_cache|_cast|cast_to|get_local_storage|this_cpu_ptr/;
