/** Each contract agrees with the kernel's prototype and flags, and nothing in the tables is passed over in silence. */
import { describe, expect, it } from 'vitest';
import { contractOf, contracts, helper, symbols, unmodelled } from '../../src/kernel/catalog.js';
import type { Contract, Outcome } from '../../src/kernel/contract.js';
import { LEFT_OUT } from '../../src/kernel/leftout.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';
import { disagreements, NARROWED } from '../support/contracts/tables.js';

const known = (name: string): Contract => {
  const found = contractOf(name);
  if (found === undefined) throw new Error(`${name} is not in the catalog`);
  return found;
};
const outcomes = (name: string, change: (o: Outcome) => Outcome): Contract => {
  const c = known(name);
  return { ...c, outcomes: c.outcomes.map(change) };
};
const only = (name: string, outcome: string): Contract => {
  const c = known(name);
  return { ...c, outcomes: c.outcomes.filter((o) => o.name === outcome) };
};

/** Rows that are neither described nor left out with a reason. */
function passedOver(described: readonly Contract[], leftOut: Readonly<Record<string, string>>): string[] {
  const names = new Set(described.map((c) => c.name));
  return [...HELPERS, ...KFUNCS]
    .filter((row) => !names.has(row.name) && leftOut[row.name] === undefined)
    .map((row) => row.name);
}

/** Entries of the list that are described after all, or that no kernel has. */
function idle(described: readonly Contract[], leftOut: Readonly<Record<string, string>>): string[] {
  const names = new Set(described.map((c) => c.name));
  const there = new Set([...HELPERS, ...KFUNCS].map((row) => row.name));
  return Object.keys(leftOut).filter((name) => names.has(name) || !there.has(name));
}

describe('every contract', () => {
  it.each(contracts().map((c) => [c.name, c] as const))('%s agrees with the tables', (_, c) => {
    expect(disagreements(c)).toEqual([]);
  });
});

describe('a contract that disagrees is found:', () => {
  const zero: Outcome['r0'] = { kind: 'scalar', min: 0n, max: 0n };
  it.each<[string, Contract, RegExp]>([
    ['another number', { ...known('bpf_ktime_get_ns'), id: 6 }, /number is 5/],
    ['another return type', { ...known('bpf_ktime_get_ns'), ret: 'RET_VOID' }, /returns RET_INTEGER/],
    ['a type too many', { ...known('bpf_xdp_adjust_head'), types: ['xdp', 'tc'] }, /tc may not call/],
    ['a type too few', { ...known('bpf_loop'), types: ['xdp'] }, /fewer program types/],
    ['no type at all', { ...known('bpf_loop'), types: [] }, /fewer program types/],
    [
      'a type where there is none',
      { ...known('scx_bpf_now'), types: ['syscall'] },
      /syscall may not call it/,
    ],
    ['not GPL', { ...known('bpf_trace_printk'), gpl: undefined as never }, /GPL/],
    ['an argument too few', { ...known('bpf_loop'), args: [] }, /takes 4 arguments/],
    [
      'a key that is a value',
      { ...known('bpf_map_delete_elem'), args: [{ kind: 'map' }, { kind: 'map_value' }] },
      /MAP_KEY/,
    ],
    ['NULL left out', only('bpf_sk_lookup_tcp', 'found'), /NULL in one place/],
    [
      'NULL made up',
      outcomes('bpf_get_current_task_btf', (o) => ({ ...o, r0: { kind: 'null' } })),
      /NULL in one place/,
    ],
    [
      'a number for a pointer',
      outcomes('bpf_ringbuf_reserve', (o) => ({ ...o, r0: zero })),
      /returns a pointer/,
    ],
    ['a pointer for nothing', outcomes('bpf_spin_lock', (o) => ({ ...o, r0: zero })), /returns nothing/],
    [
      'a socket that is not counted',
      outcomes('bpf_sk_lookup_udp', (o) => ({
        ...o,
        r0: o.r0.kind === 'pointer' ? { kind: 'pointer', to: o.r0.to } : o.r0,
      })),
      /nothing acquired/,
    ],
    [
      'a socket that is counted where it is not',
      outcomes('bpf_get_listener_sock', (o) => ({
        ...o,
        r0: o.r0.kind === 'pointer' ? { ...o.r0, acquires: 'socket' } : o.r0,
      })),
      /does not count/,
    ],
    [
      'a cast that lets go',
      outcomes('bpf_tcp_sock', (o) => ({
        ...o,
        r0: o.r0.kind === 'pointer' ? { kind: 'pointer', to: o.r0.to } : o.r0,
      })),
      /share the reference/,
    ],
    ['a release left out', outcomes('bpf_sk_release', (o) => ({ ...o, effects: [] })), /does not release/],
    [
      'a packet that stays',
      outcomes('bpf_skb_pull_data', (o) => ({ ...o, effects: [] })),
      /keeps packet pointers/,
    ],
    [
      'a packet that moves',
      outcomes('bpf_xdp_store_bytes', (o) => ({ ...o, effects: [{ kind: 'invalidate_packet' }] })),
      /drops packet pointers/,
    ],
    ['KF_ACQUIRE without', only('bpf_task_from_pid', 'null'), /acquires in one place/],
    ['KF_RELEASE without', outcomes('bpf_task_release', (o) => ({ ...o, effects: [] })), /does not release/],
    ['KF_RET_NULL without', only('bpf_task_acquire', 'acquired'), /NULL in one place/],
    [
      'KF_RET_NULL made up',
      { ...only('bpf_task_acquire', 'null'), name: 'bpf_cpumask_acquire' },
      /NULL in one place/,
    ],
    ['KF_ITER_NEXT without', outcomes('bpf_iter_num_next', (o) => ({ ...o, effects: [] })), /iterator/],
    ['other flags', { ...known('bpf_task_release'), flags: [] }, /other flags/],
    ['RCU forgotten', { ...known('bpf_iter_task_new'), needsRcu: undefined as never }, /needs RCU/],
    [
      'trust forgotten',
      {
        ...known('bpf_ct_set_timeout'),
        args: [{ kind: 'btf', structs: ['nf_conn___init'], trust: 'any' }, { kind: 'scalar' }],
      },
      /KF_TRUSTED_ARGS/,
    ],
    [
      'another iterator',
      { ...known('bpf_iter_num_next'), args: known('bpf_iter_bits_next').args },
      /bpf_iter_num/,
    ],
  ])('%s', (_, wrong, words) => {
    expect(disagreements(wrong).join('; ')).toMatch(words);
  });
});

describe('the tables', () => {
  it('are described, all but one in twenty', () => {
    const all = HELPERS.length + KFUNCS.length;
    expect(contracts().length).toBeGreaterThan(0.95 * all);
    expect(contracts().filter((c) => c.kind === 'helper').length).toBe(HELPERS.length);
    expect(contracts().length + Object.keys(LEFT_OUT).length).toBe(all);
  });

  it('have nothing that is passed over', () => {
    expect(passedOver(contracts(), LEFT_OUT)).toEqual([]);
    expect(idle(contracts(), LEFT_OUT)).toEqual([]);
  });

  it('notice a function that is', () => {
    const fewer = contracts().filter((c) => c.name !== 'bpf_sk_release');
    expect(passedOver(fewer, LEFT_OUT)).toEqual(['bpf_sk_release']);
    expect(passedOver(contracts(), {})).toContain('crash_kexec');
    expect(idle(contracts(), { bpf_nonsense: 'no' })).toEqual(['bpf_nonsense']);
    expect(idle(contracts(), { bpf_loop: 'no' })).toEqual(['bpf_loop']);
  });

  it('are narrowed only where a contract is', () => {
    const types = new Map([...HELPERS, ...KFUNCS].map((row) => [row.name, row.types]));
    for (const name of Object.keys(NARROWED)) {
      expect(known(name).types.length, name).toBeLessThan(types.get(name)?.length ?? 0);
    }
  });
});

describe('names', () => {
  it('and numbers of all helpers are there, modelled or not', () => {
    expect(symbols.helpers.length).toBe(211);
    for (const { id, name } of symbols.helpers) {
      expect(symbols.helperId(name)).toBe(id);
      expect(symbols.helperId(name.replace(/^bpf_/, ''))).toBe(id);
      expect(symbols.helperName(id)).toBe(name);
    }
  });

  it('of what is not modelled come with a sentence', () => {
    for (const { id } of symbols.helpers) {
      if (helper(id) === undefined)
        expect(unmodelled(id)).toMatch(/^helper bpf_\w+#\d+ is not modelled: \S.*[^.]$/);
    }
    expect(unmodelled(999)).toBe('helper 999 does not exist in Linux 6.18');
    expect(unmodelled('bpf_nonsense')).toMatch(/neither/);
    expect(unmodelled('__bpf_trap')).toBe(
      'kfunc __bpf_trap is not modelled: it is put in by the verifier itself, never by a program',
    );
  });
});
