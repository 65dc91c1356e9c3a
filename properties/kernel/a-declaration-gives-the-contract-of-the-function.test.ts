/**
 * What a person declares of a function is what the tables have of it: every function of ours, written down as its prototype, flags and
 * one-word answers, gets its own contract back where these say it all, and in the long form where they do not. What is left out is
 * asked for, and nothing that is written is passed over.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { contracts } from '../../src/kernel/catalog.js';
import type { Contract } from '../../src/kernel/contract.js';
import { contractOfDeclared, declare } from '../../src/kernel/declare/declare.js';
import { KFUNCS } from '../../src/kernel/tables/rows.js';
import { comparable, copyOf, same } from '../support/declare/print.js';
import { seeded } from '../support/seed.js';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** What prototype and flags do not tell: ranges that the verifier has by name, dynptrs that share, pointers that it trusts by name. */
const LONG = words(`
  bpf_copy_from_user_str bpf_copy_from_user_task_str bpf_crypto_decrypt bpf_crypto_encrypt bpf_dynptr_clone bpf_dynptr_data
  bpf_dynptr_from_mem bpf_dynptr_slice bpf_dynptr_slice_rdwr bpf_dynptr_write bpf_get_kmem_cache bpf_get_smp_processor_id bpf_get_stack
  bpf_get_task_stack bpf_getsockopt bpf_kallsyms_lookup_name bpf_list_push_back_impl bpf_list_push_front_impl
  bpf_percpu_obj_drop_impl
  bpf_probe_read_kernel_str bpf_probe_read_str bpf_probe_read_user_str bpf_rbtree_add_impl bpf_setsockopt bpf_sock_addr_set_sun_path
  bpf_tcp_raw_gen_syncookie_ipv4 bpf_tcp_raw_gen_syncookie_ipv6 bpf_timer_cancel css_rstat_flush css_rstat_updated
`);

/** What no run could follow without a model of the function: values of maps, nodes of graphs, objects, arenas, the ways out of a program. */
const NONE = words(`
  bpf_arena_alloc_pages bpf_arena_free_pages bpf_arena_reserve_pages bpf_inode_storage_get
  bpf_cast_to_kern_ctx bpf_cgrp_storage_get bpf_get_local_storage bpf_kptr_xchg bpf_list_back bpf_list_front bpf_list_pop_back
  bpf_list_pop_front bpf_map_lookup_elem bpf_map_lookup_percpu_elem bpf_obj_new_impl bpf_per_cpu_ptr bpf_percpu_obj_new_impl
  bpf_rbtree_first bpf_rbtree_left bpf_rbtree_remove bpf_rbtree_right bpf_rbtree_root bpf_rdonly_cast bpf_refcount_acquire_impl
  bpf_sk_storage_get bpf_tail_call bpf_task_storage_get bpf_this_cpu_ptr bpf_throw bpf_timer_start bpf_wq_start
`);

const of = (kind: 'helper' | 'kfunc', spec: Record<string, unknown>): Contract =>
  contractOfDeclared(declare(kind, spec));
const kf = (proto: string, more: Record<string, unknown> = {}): Contract =>
  of('kfunc', { proto, flags: [], types: ['xdp'], ...more });

/** What is said of a declaration that cannot be used. */
function complaint(kind: 'helper' | 'kfunc', spec: unknown): string {
  try {
    declare(kind, spec, { file: 'rules.ts' });
  } catch (error) {
    if (error instanceof InputError) return error.describe();
    throw error;
  }
  return 'taken';
}

describe('a function of the tables, declared again', () => {
  // What no program that is modelled may call cannot be declared either.
  const callable = contracts().filter(({ types }) => types.length > 0);
  const copies = callable.map((contract) => ({
    contract,
    copy: copyOf(contract, `${contract.name}_copy`),
  }));

  it('has the contract that it has', () => {
    for (const { contract, copy } of copies)
      if (copy !== undefined)
        expect(comparable(contractOfDeclared(copy.declared)), contract.name).toBe(comparable(contract));
  });

  it('is said by prototype and flags, but for those of which they do not tell', () => {
    const names = (which: boolean | undefined): readonly string[] =>
      copies
        // What only struct_ops programs may call no person declares: it is there for the one struct.
        .filter(
          ({ contract, copy }) =>
            copy?.short === which && contract.types.some((type) => type !== 'struct_ops'),
        )
        .map(({ contract }) => contract.name)
        .sort();
    expect(names(false)).toEqual([...LONG].sort());
    expect(names(undefined)).toEqual([...NONE].sort());
    expect(names(true).length).toBeGreaterThan(290);
  });

  it('reads back from its own text', () => {
    for (const { copy } of copies) {
      if (copy === undefined) continue;
      const { kind, text } = copy.declared;
      expect(declare(kind, JSON.parse(text))).toEqual(copy.declared);
      expect(text).not.toContain('\n');
    }
  });

  it('is the same however its prototype is laid out', () => {
    const noise = fc.constantFrom(' ', '\n\t', '  ', ' /* a comment */ ', ' // to the end\n');
    const heads = fc.constantFrom(
      '',
      '__bpf_kfunc ',
      'static __always_inline ',
      'extern ',
      'noinline __attribute__((unused)) ',
    );
    const tails = fc.constantFrom('', ';', '\n{', ' __ksym;', ' __attribute__((nonnull))');
    const plain = copies.filter(({ contract, copy }) => contract.kind === 'kfunc' && copy?.short === true);
    fc.assert(
      fc.property(
        fc.nat({ max: plain.length - 1 }),
        fc.array(noise, { minLength: 4 }),
        heads,
        tails,
        (i, blanks, head, tail) => {
          const { contract, copy } = plain[i]!;
          const spec = JSON.parse(copy!.declared.text) as { proto: string };
          let n = 0;
          const spaced = spec.proto
            .replace(/^__bpf_kfunc /, head)
            .replace(
              /[(),*]/g,
              (sign) => `${blanks[n++ % blanks.length]}${sign}${blanks[n++ % blanks.length]}`,
            );
          expect(same(of('kfunc', { ...spec, proto: spaced + tail }), contract)).toBe(true);
        },
      ),
      seeded(300),
    );
  });

  it('has other flags where other flags are written', () => {
    for (const { name, flags, ret, params } of KFUNCS.filter(
      (row) => row.types.length > 0 && !row.flags.some((flag) => flag.startsWith('KF_ARENA')),
    )) {
      if (
        !flags.includes('KF_RET_NULL') ||
        flags.includes('KF_ITER_NEXT') ||
        !ret.startsWith('struct ') ||
        /list|rb/.test(ret)
      )
        continue;
      const proto = `${ret} ${name}_copy(${params.join(', ')})`;
      const answers = { blocks: false, ...(/tuple|opts|err/.test(proto) ? { writes: [] } : {}) };
      const without = kf(proto, {
        flags: flags.filter((flag) => flag !== 'KF_RET_NULL' && flag !== 'KF_SLEEPABLE'),
        ...answers,
      });
      expect(
        without.outcomes.some(({ r0 }) => r0.kind === 'null'),
        name,
      ).toBe(false);
    }
  });
});

describe('the short form', () => {
  it('tells a reference that may be NULL', () => {
    const { outcomes, args, gpl } = kf('struct bpf_foo *bpf_foo_get(u64 id)', {
      flags: 'KF_ACQUIRE | KF_RET_NULL',
    });
    expect(outcomes.map(({ name, r0 }) => [name, r0])).toEqual([
      ['null', { kind: 'null' }],
      [
        'acquired',
        { kind: 'pointer', to: { kind: 'btf', struct: 'bpf_foo', trust: 'trusted' }, acquires: 'reference' },
      ],
    ]);
    expect([args, gpl]).toEqual([[{ kind: 'scalar' }], true]);
  });

  it('knows the class of known structs', () => {
    const { outcomes } = kf('struct task_struct *bpf_any_task(void)', { flags: ['KF_ACQUIRE'] });
    expect(outcomes).toEqual([
      {
        name: 'acquired',
        r0: {
          kind: 'pointer',
          to: { kind: 'btf', struct: 'task_struct', trust: 'trusted' },
          acquires: 'task',
        },
        effects: [],
      },
    ]);
  });

  it.each([
    [
      'const void *mem, u32 mem__sz',
      [
        { kind: 'mem', access: 'readwrite', size: { arg: 1 } },
        { kind: 'size', zero: true },
      ],
    ],
    ['u32 id__k, const char *name__str', [{ kind: 'scalar', constant: true }, { kind: 'const_str' }]],
    ['struct xdp_md *ctx, void *aux__prog', [{ kind: 'ctx' }, { kind: 'ignored' }]],
    [
      'struct task_struct *task__nullable',
      [{ kind: 'btf', structs: ['task_struct'], trust: 'any', nullable: true }],
    ],
    [
      'const struct bpf_dynptr *p, struct bpf_dynptr *q',
      [
        { kind: 'dynptr', state: 'init', rdonly: true },
        { kind: 'dynptr', state: 'init' },
      ],
    ],
    [
      'const u64 *when, enum bpf_mode mode',
      [{ kind: 'mem', access: 'readwrite', size: { bytes: 8 } }, { kind: 'scalar' }],
    ],
  ])('reads the parameters %s', (params, args) => {
    expect(kf(`void bpf_foo(${params})`, { blocks: false }).args).toEqual(args);
  });

  it.each([
    ['KF_TRUSTED_ARGS', 'trusted'],
    ['KF_RCU', 'rcu'],
    ['', 'any'],
  ])('trusts as %s says', (flags, trust) => {
    expect(kf('void bpf_foo(struct cgroup *cgrp)', { flags, blocks: false }).args).toEqual([
      { kind: 'btf', structs: ['cgroup'], trust },
    ]);
  });

  it('takes what sleeps for slow, and only where it does its work', () => {
    const { outcomes, sleeps } = kf('struct bpf_foo *bpf_foo_get(u64 id)', {
      flags: 'KF_ACQUIRE | KF_RET_NULL | KF_SLEEPABLE',
      types: ['syscall'],
    });
    expect([sleeps, outcomes.map(({ name, blocks }) => [name, blocks === true])]).toEqual([
      true,
      [
        ['null', false],
        ['acquired', true],
      ],
    ]);
  });

  it('does not believe that a number has the range that it is likely to have', () => {
    for (const returns of ['error', [0, 1], 'any'] as const) {
      const { outcomes } = kf('int bpf_foo(void)', { returns, blocks: false });
      for (const { r0 } of outcomes)
        expect(r0).toEqual({ kind: 'scalar', min: -(2n ** 63n), max: 2n ** 63n - 1n });
    }
  });

  it('puts effects where they belong', () => {
    const write = kf('int bpf_foo(void *to, u32 to__sz)', {
      returns: 'error',
      blocks: false,
      writes: ['to'],
    });
    expect(
      write.outcomes.every(({ effects }) => effects.some((e) => e.kind === 'write' && e.arg === 0)),
    ).toBe(true);
    const lock = kf('int bpf_foo_lock(struct bpf_res_spin_lock *lock)', { lock: 'tries' });
    expect(lock.outcomes.map(({ effects }) => effects.map(({ kind }) => kind))).toEqual([[], ['lock']]);
    const packet = kf('int bpf_foo(struct xdp_md *ctx)', {
      returns: 'any',
      blocks: false,
      movesPacket: true,
    });
    expect(packet.outcomes[0]?.effects).toEqual([{ kind: 'invalidate_packet' }]);
    const dynptr = kf('int bpf_foo(struct xdp_md *ctx, struct bpf_dynptr *p__uninit)', { dynptr: 'xdp' });
    expect(dynptr.outcomes.map(({ effects }) => effects)).toEqual([
      [{ kind: 'init_dynptr', arg: 1, type: 'xdp', null: true }],
      [{ kind: 'init_dynptr', arg: 1, type: 'xdp' }],
    ]);
  });
});

describe('what cannot be used', () => {
  const get = 'struct bpf_foo *bpf_foo_get(u64 id)';
  const cases: readonly [kind: 'helper' | 'kfunc', spec: unknown, says: string][] = [
    [
      'kfunc',
      undefined,
      'rules.ts: declaration without a name: kfunc({...}) takes an object with fields, not undefined',
    ],
    ['kfunc', {}, 'rules.ts: declaration without a name: expected proto, the C prototype of the kfunc'],
    [
      'kfunc',
      { proto: 'hello' },
      "rules.ts: declaration without a name: proto: expected a C prototype such as 'int bpf_foo(u64 flags)'",
    ],
    [
      'kfunc',
      { proto: get, flags: 'KF_ACQUIRE', type: ['xdp'] },
      "rules.ts: declaration bpf_foo_get: there is no field 'type'; there are proto, flags, types,",
    ],
    [
      'kfunc',
      { proto: get, flags: 'KF_AQUIRE', types: 'xdp' },
      'rules.ts: declaration bpf_foo_get: there is no flag KF_AQUIRE; there are KF_ACQUIRE,',
    ],
    [
      'kfunc',
      { proto: get, types: ['xpd'], blocks: true },
      "rules.ts: declaration bpf_foo_get: there is no program type 'xpd'; there are xdp, tc,",
    ],
    [
      'kfunc',
      { proto: 'int bpf_foo(u64 id)', flags: 'KF_ACQUIRE', types: 'xdp' },
      'KF_ACQUIRE is for a function that returns a pointer to a struct, not int',
    ],
    [
      'kfunc',
      { proto: 'int bpf_foo(u64 id)', flags: 'KF_RET_NULL', types: 'xdp' },
      'KF_RET_NULL is for a function that returns a pointer, not int',
    ],
    [
      'kfunc',
      { proto: 'void bpf_foo(u64 id)', flags: 'KF_RELEASE', types: 'xdp' },
      'KF_RELEASE, but no parameter is a pointer to an object of the kernel',
    ],
    [
      'kfunc',
      { proto: 'void bpf_foo(struct a *a, struct b *b)', flags: 'KF_RELEASE', types: 'xdp' },
      'still to be said: releases: which of a, b is given back',
    ],
    [
      'kfunc',
      { proto: 'void bpf_foo(struct a *a)', types: 'xdp', releases: 'a', blocks: false },
      'releases: KF_RELEASE is not among the flags',
    ],
    [
      'kfunc',
      { proto: 'int bpf_foo(u64 id)' },
      "still to be said: types: the program types that may call it, or 'all'; blocks: true if a call may wait, spin or take long, else false; returns: 'error' (0, or -1 to -4095), 'any', or [least, most]",
    ],
    [
      'kfunc',
      { proto: 'int bpf_foo(void *m, u32 m__sz)', types: 'xdp', blocks: false, returns: 'any' },
      'still to be said: writes: [what of m it always fills; [] if nothing]',
    ],
    [
      'kfunc',
      { proto: 'int bpf_foo(void *m)', types: 'xdp', blocks: false, returns: 'any', writes: [] },
      'still to be said: memory: { m: bytes of it }',
    ],
    [
      'kfunc',
      { proto: 'void bpf_foo(u64 a, u32 m__sz)', types: 'xdp', blocks: false },
      'm__sz is the size of memory, but the parameter before it is no pointer',
    ],
    [
      'kfunc',
      { proto: 'void bpf_foo(struct bpf_spin_lock *l)', types: 'xdp' },
      "still to be said: lock: 'takes' (waits for it), 'tries'",
    ],
    [
      'kfunc',
      { proto: 'int bpf_foo(int (*cb)(void *))', types: 'xdp', returns: 'any' },
      'still to be said: callback: { args:',
    ],
    [
      'kfunc',
      { proto: 'void bpf_foo(int a, int b, int c, int d, int e, int f)', types: 'xdp', blocks: false },
      'a function that programs call has 5 parameters at the most',
    ],
    [
      'kfunc',
      { proto: 'void bpf_foo(const char *fmt, ...)', types: 'xdp' },
      'proto: parameter 2: a function that programs call takes no variable arguments',
    ],
    [
      'kfunc',
      { proto: 'struct a bpf_foo(void)', types: 'xdp' },
      'returns a number or a pointer, not a struct a',
    ],
    [
      'kfunc',
      { proto: get, types: 'xdp', flags: 'KF_ACQUIRE', returns: 'any' },
      'returns says nothing about such a function',
    ],
    [
      'kfunc',
      { proto: get, types: 'xdp', flags: 'KF_ACQUIRE | KF_SLEEPABLE', blocks: false },
      'blocks: false, though the function may sleep',
    ],
    [
      'kfunc',
      { proto: 'u32 bpf_foo(void)', types: 'xdp', blocks: false, returns: [-1, 5] },
      'returns begins below 0, which the return type cannot be',
    ],
    [
      'kfunc',
      { proto: 'int bpf_foo(void)', types: 'xdp', blocks: 'no', returns: 'any' },
      "blocks is true or false, not 'no'",
    ],
    [
      'kfunc',
      { proto: 'void bpf_foo(struct bpf_iter_foo *it)', flags: 'KF_ITER_DESTROY', types: 'xdp' },
      'struct bpf_iter_foo has a size that is not known; there are bpf_iter_num,',
    ],
    [
      'kfunc',
      { proto: 'void *bpf_arena(void)', flags: 'KF_ARENA_RET', types: 'xdp' },
      'KF_ARENA_RET: pointers into an arena are not modelled',
    ],
    [
      'kfunc',
      { proto: get, types: 'xdp', outcomes: [] },
      'outcomes is a list of at least one outcome, not []',
    ],
    [
      'kfunc',
      { proto: get, types: 'xdp', outcomes: [{ name: 'x', r0: 'nil' }] },
      "outcome 1: r0 is 'void', 'null', 'any', [least, most], or an object of kind scalar or pointer, not 'nil'",
    ],
    [
      'kfunc',
      {
        proto: get,
        types: 'xdp',
        outcomes: [{ name: 'x', r0: 'null', effects: [{ kind: 'release', arg: 0 }] }],
      },
      'outcome x: effect release does not fit its argument',
    ],
    [
      'kfunc',
      { proto: get, types: 'xdp', outcomes: [{ name: 'x', r0: 'null', effects: [{ kind: 'throw' }] }] },
      'outcome x: throw needs a model of the function, which a declaration does not give',
    ],
    [
      'kfunc',
      { proto: get, types: 'xdp', arguments: { od: { kind: 'scalar' } }, blocks: true },
      "arguments: no parameter is called 'od'; there are id",
    ],
    ['helper', { id: 212 }, 'declaration without a name: name is the name of the helper, bpf_...'],
    [
      'helper',
      { name: 'bpf_foo', types: 'xdp', ret: 'RET_VOID', blocks: false },
      'declaration bpf_foo: still to be said: id: its number in enum bpf_func_id',
    ],
    [
      'helper',
      { name: 'bpf_foo', id: 212, types: 'xdp', ret: 'RET_VOID', args: ['ARG_CTX'], blocks: false },
      'argument 1: ARG_CTX is not modelled for declared helpers',
    ],
    [
      'helper',
      { name: 'bpf_foo', id: 212, types: 'xdp', ret: 'RET_PTR_TO_MAP_VALUE_OR_NULL', blocks: false },
      'ret: RET_PTR_TO_MAP_VALUE is not modelled for declared helpers',
    ],
    [
      'helper',
      { name: 'bpf_foo', id: 212, types: 'xdp', ret: 'RET_PTR_TO_SOCKET_OR_NULL' },
      'still to be said: acquires: true if what it returns must be given back',
    ],
    [
      'helper',
      { name: 'bpf_foo', id: 212, types: 'xdp', ret: 'RET_VOID', args: ['ARG_PTR_TO_MEM'], blocks: false },
      'argument 1 is memory, and the one after it is not its size (ARG_CONST_SIZE)',
    ],
  ];
  it.each(cases)('%s %j', (kind, spec, says) => {
    const flagged =
      typeof spec === 'object' && spec !== null && 'proto' in spec ? { flags: [], ...spec } : spec;
    const said = complaint(kind, flagged);
    expect(said).toContain(says);
    expect(said).toMatch(/^rules\.ts: declaration [^\n]+$/);
  });

  it('is refused in one line, whatever was changed in a good declaration', () => {
    const good = contracts().flatMap((contract) => {
      const copy = copyOf(contract, `${contract.name}_copy`);
      return copy === undefined ? [] : [copy.declared];
    });
    const junk = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        true,
        false,
        '',
        'x',
        0,
        -1,
        1e30,
        [],
        {},
        [null],
        { kind: 'mem' },
        'void',
        '((',
        'struct',
        '*',
        'KF_ACQUIRE',
        ['xdp', 3],
      ),
      fc.string({ maxLength: 8 }),
      fc.integer(),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const change = fc.record({
      which: fc.nat({ max: good.length - 1 }),
      key: fc.nat({ max: 30 }),
      junk,
      how: fc.constantFrom('set', 'delete', 'cut', 'insert', 'deep'),
      at: fc.nat({ max: 400 }),
    });
    fc.assert(
      fc.property(
        change,
        fc.constantFrom<'helper' | 'kfunc'>('helper', 'kfunc'),
        ({ which, key, junk: value, how, at }, other) => {
          const { kind, text } = good[which]!;
          const spec = JSON.parse(text) as Record<string, unknown>;
          const keys = [
            ...Object.keys(spec),
            'outcomes',
            'arguments',
            'callback',
            'lock',
            'memory',
            'writes',
          ];
          const name = keys[key % keys.length]!;
          const old = spec[name];
          if (how === 'delete') delete spec[name];
          else if (how === 'cut' && typeof old === 'string') spec[name] = old.slice(0, at % (old.length + 1));
          else if (how === 'insert' && typeof old === 'string')
            spec[name] =
              `${old.slice(0, at % (old.length + 1))}${String(value)}${old.slice(at % (old.length + 1))}`;
          else if (how === 'deep' && typeof old === 'object' && old !== null)
            Object.assign(Object.values(old)[0] ?? {}, { kind: value });
          else spec[name] = value;
          const said = complaint(at % 7 === 0 ? other : kind, spec);
          expect(said === 'taken' || /^rules\.ts: declaration [^\n]+$/.test(said), said).toBe(true);
        },
      ),
      seeded(3000),
    );
  });

  it('is refused too where it is no plain data', () => {
    const loop: Record<string, unknown> = { proto: get };
    loop.outcomes = loop;
    const bad: readonly unknown[] = [
      loop,
      { proto: get, types: () => 'xdp' },
      {
        get proto(): string {
          throw new Error('no');
        },
      },
      [],
      'text',
      7n,
      null,
    ];
    for (const spec of bad) expect(complaint('kfunc', spec)).toMatch(/^rules\.ts: declaration [^\n]+$/);
  });
});
