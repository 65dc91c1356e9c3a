/** What may sleep, spin, block or be slow is said to; names are those of functions of Linux; what a map's type decides is decided by it. */
import { expect, it } from 'vitest';
import { contracts } from '../../src/kernel/catalog.js';
import { DELAYING_NAMES, delaysOf } from '../../src/kernel/delays.js';
import { mayBlock } from '../../src/kernel/describe.js';
import { BUILT_IN } from '../../src/kernel/profile.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';

const contract = (name: string) => contracts().find((one) => one.name === name)!;

it('names are those of functions', () => {
  const known = new Set([...HELPERS, ...KFUNCS].map(({ name }) => name));
  expect(DELAYING_NAMES.filter((name) => !known.has(name))).toEqual([]);
  expect(DELAYING_NAMES.length).toBeGreaterThan(100);
});

it('every function that sleeps says so, and every one with an outcome that takes long says something', () => {
  for (const one of contracts()) {
    const delays = delaysOf(one, undefined);
    if (one.sleeps) expect([one.name, ...delays]).toContain('sleep');
    const callsBack = one.args.some(({ kind }) => kind === 'callback');
    if (mayBlock(one) && !callsBack) expect([one.name, delays.length > 0]).toEqual([one.name, true]);
  }
  // On a kernel where it sleeps, it may sleep.
  const sleepy = { ...BUILT_IN, sleeps: { bpf_ktime_get_ns: true } };
  expect(delaysOf(contract('bpf_ktime_get_ns'), undefined, sleepy)).toEqual(['sleep']);
  expect(delaysOf(contract('bpf_ktime_get_ns'), undefined)).toEqual([]);
});

it('elements that are always there are changed without a lock', () => {
  const update = contract('bpf_map_update_elem');
  expect(delaysOf(update, 'array')).toEqual([]);
  expect(delaysOf(update, 'percpu_array')).toEqual([]);
  for (const type of ['hash', 'lru_hash', 'lpm_trie', 'sockmap', undefined] as const)
    expect(delaysOf(update, type)).toEqual(['spin']);
});

it('the known ones are as Linux has them', () => {
  const said = (name: string): string => delaysOf(contract(name), undefined).join(' ');
  expect({
    lock: said('bpf_spin_lock'),
    cancel: said('bpf_timer_cancel'),
    copy: said('bpf_copy_from_user'),
    stack: said('bpf_get_stack'),
    record: said('bpf_ringbuf_reserve'),
    lookup: said('bpf_map_lookup_elem'),
    loop: said('bpf_loop'),
  }).toEqual({
    lock: 'spin',
    cancel: 'spin block',
    copy: 'sleep',
    stack: 'slow',
    record: 'spin',
    lookup: '',
    loop: '',
  });
});
