/**
 * What a contract says of r0 and of what is held, against what the log shows after a call: every kind of pointer that a contract may name and every
 * kind that the log may show, ranges of numbers, NULL, references. Needs no kernel: the lines are in the kernel's words.
 */
import { describe, expect, it } from 'vitest';
import { contracts } from '../../src/kernel/catalog.js';
import type { Contract, Effect, Guard, Outcome, PointerKind, R0 } from '../../src/kernel/contract.js';
import { compareCalls } from '../../src/oracle/contracts/compare.js';
import { parseCase } from '../../src/vm/case/case.js';

const NAME = 'bpf_get_prandom_u32';
const BASE = contracts().find(({ name }) => name === NAME)!;
const { program } = parseCase(`.type tc\n r6 = r1\n call ${NAME}\n r0 = 0\n exit\n`);

interface Seen {
  readonly r0: string;
  /** Ids held before and after the call. */
  readonly before?: readonly number[];
  readonly after?: readonly number[];
}

const refs = (ids: readonly number[]): string => (ids.length === 0 ? '' : ` refs=${ids.join(',')}`);

/** A log in which the function is called once for each of these, on paths of their own. */
function logOf(seen: readonly Seen[]): string {
  const paths = seen.map(({ r0, before = [], after = [] }, i) =>
    [
      i === 0
        ? `0: R1=ctx() R10=fp0${refs(before)}`
        : `from 0 to 1: R1=ctx() R6=ctx() R10=fp0${refs(before)}`,
      ...(i === 0 ? [`0: (bf) r6 = r1                       ; R1=ctx() R6=ctx()${refs(before)}`] : []),
      `1: (85) call ${NAME}#7       ; R0=${r0}${refs(after)}`,
      `2: (b7) r0 = 0                        ; R0=0${refs(after)}`,
      '3: (95) exit',
    ].join('\n'),
  );
  return `${paths.join('\n')}\nprocessed 4 insns\n`;
}

const outcome = (r0: R0, effects: readonly Effect[] = [], guard?: Guard): Outcome => ({
  name: 'some',
  r0,
  effects,
  ...(guard === undefined ? {} : { guard }),
});
const NULL: Outcome = { name: 'null', r0: { kind: 'null' }, effects: [] };
const contract = (outcomes: readonly Outcome[], more: Partial<Contract> = {}): Contract => ({
  ...BASE,
  ...more,
  outcomes,
});
const says = (outcomes: readonly Outcome[], ...seen: readonly Seen[]): readonly string[] =>
  compareCalls(contract(outcomes), program, logOf(seen)).contradictions;

const to = (kind: PointerKind, acquires?: 'socket'): R0 => ({
  kind: 'pointer',
  to: kind,
  ...(acquires === undefined ? {} : { acquires }),
});
const task = (trust: 'trusted' | 'rcu' | 'untrusted' | 'none'): R0 =>
  to({ kind: 'btf', struct: 'task_struct', trust });

/** What a contract says, and how the log spells just that. */
const KINDS: Readonly<Record<string, readonly [R0, string]>> = {
  value: [to({ kind: 'map_value' }), 'map_value(map=m,ks=4,vs=8)'],
  socket: [to({ kind: 'sock', type: 'sock' }), 'sock()'],
  'common socket': [to({ kind: 'sock', type: 'sock_common' }), 'sock_common()'],
  'TCP socket': [to({ kind: 'sock', type: 'tcp_sock' }), 'tcp_sock()'],
  record: [to({ kind: 'record' }), 'ringbuf_mem(sz=8)'],
  memory: [to({ kind: 'mem', size: { bytes: 8 } }), 'mem(sz=8)'],
  'memory only to be read': [to({ kind: 'mem', size: { bytes: 8 }, readonly: true }), 'rdonly_mem(sz=8)'],
  'trusted task': [task('trusted'), 'trusted_ptr_task_struct()'],
  'task in a section': [task('rcu'), 'rcu_ptr_task_struct()'],
  'untrusted task': [task('untrusted'), 'untrusted_ptr_task_struct()'],
  'plain task': [task('none'), 'ptr_task_struct()'],
  file: [to({ kind: 'btf', struct: 'file', trust: 'trusted' }), 'trusted_ptr_file()'],
  'object for each CPU': [to({ kind: 'object', percpu: true }), 'percpu_ptr_plain()'],
};

describe('pointers', () => {
  it.each(Object.entries(KINDS))('%s', (name, [r0]) => {
    for (const [other, [, shown]] of Object.entries(KINDS)) {
      const found = says([outcome(r0)], { r0: shown });
      expect([other, found.length === 0]).toEqual([other, other === name]);
      if (other !== name) expect(found[0]).toMatch(/^r0 is \w/);
    }
    expect(says([outcome(r0)], { r0: 'scalar()' })).toEqual(['r0 is a number']);
  });
  it('an object is of any struct of the program', () => {
    expect(says([outcome(to({ kind: 'object' }))], { r0: 'ptr_plain()' })).toEqual([]);
    expect(says([outcome(to({ kind: 'object' }))], { r0: 'percpu_ptr_plain()' })).not.toEqual([]);
  });
  it('of several that the contract names one has to be it', () => {
    const both = [outcome(KINDS.socket![0]), outcome(KINDS.memory![0])];
    for (const name of ['socket', 'memory']) expect(says(both, { r0: KINDS[name]![1] })).toEqual([]);
    expect(says(both, { r0: KINDS.record![1] })).not.toEqual([]);
  });
  it('what hangs on the arguments is anything but the value of a map', () => {
    for (const kind of [
      { kind: 'kptr' },
      { kind: 'kern_ctx' },
      { kind: 'cast', arg: 1 },
      { kind: 'percpu', arg: 0 },
      { kind: 'same', arg: 0 },
      { kind: 'graph_node', owning: true },
    ] as const)
      for (const [name, [, shown]] of Object.entries(KINDS))
        expect([kind, name, says([outcome(to(kind))], { r0: shown }).length === 0]).toEqual([
          kind,
          name,
          name !== 'value',
        ]);
  });
  it('what the maps of sockets alone give is not looked for', () => {
    const guard: Guard = { kind: 'map_of_sockets', is: true };
    expect(says([outcome(KINDS.socket![0], [], guard)], { r0: 'sock()' })).not.toEqual([]);
    expect(says([outcome(KINDS.socket![0], [], { ...guard, is: false })], { r0: 'sock()' })).toEqual([]);
  });
});

describe('NULL', () => {
  const ok = outcome(KINDS.memory![0]);
  const maybe = 'mem_or_null(id=2,sz=8)';
  it('is where the contract has it, and nowhere else', () => {
    expect(says([ok, NULL], { r0: maybe })).toEqual([]);
    expect(says([ok], { r0: maybe })).toEqual(['r0 may be NULL (mem)']);
    expect(says([ok, NULL], { r0: 'mem(sz=8)' })).toEqual(['r0 is never NULL (mem)']);
    expect(says([ok, NULL], { r0: 'mem(sz=8)' }, { r0: '0' })).toEqual(['r0 is never NULL (mem)']);
    expect(says([ok, NULL], { r0: '0' })).toEqual([]);
    expect(says([ok], { r0: '0' })).toEqual(['r0 is a number']);
    expect(says([ok, NULL], { r0: '1' })).toEqual(['r0 is a number']);
  });
  it('is up to the call where the key is, or the argument', () => {
    const missing: Outcome = { ...NULL, guard: { kind: 'key_may_miss' } };
    for (const r0 of [maybe, 'mem(sz=8)']) expect(says([ok, missing], { r0 })).toEqual([]);
    const owning: Outcome = { ...NULL, guard: { kind: 'not_owning', arg: 0 } };
    expect(says([ok, owning], { r0: 'mem(sz=8)' })).toEqual([]);
    expect(says([ok, owning], { r0: maybe })).toEqual(['r0 may be NULL (mem)']);
  });
  it('is not asked for after the next of an iterator, which is walked both ways', () => {
    const next = outcome(KINDS.memory![0], [{ kind: 'iter_next', arg: 0, to: 'active' }]);
    expect(says([next, NULL], { r0: 'mem(sz=8)' })).toEqual([]);
  });
});

describe('references', () => {
  const held = outcome(to({ kind: 'sock', type: 'sock' }, 'socket'));
  const loose = outcome(to({ kind: 'sock', type: 'sock' }));
  it('are brought where the contract says so', () => {
    const brought = { r0: 'sock(ref_obj_id=2)', after: [2] };
    expect(says([held], brought)).toEqual([]);
    expect(says([loose], brought)).toEqual(['r0 holds a reference (sock)', 'something is acquired']);
    expect(says([held], { r0: 'sock()' })).toEqual(['r0 holds no reference (sock)', 'nothing is acquired']);
    expect(says([loose], { r0: 'sock()' })).toEqual([]);
  });
  it('a struct that is held carries no mark of trust', () => {
    const kept = outcome(to({ kind: 'btf', struct: 'task_struct', trust: 'trusted' }, 'socket'));
    expect(says([kept], { r0: 'ptr_task_struct(ref_obj_id=2)', after: [2] })).toEqual([]);
    expect(says([kept], { r0: 'trusted_ptr_task_struct(ref_obj_id=2)', after: [2] })).not.toEqual([]);
  });
  it('that are derived, or go with memory, are not asked for', () => {
    const derived: R0 = { kind: 'pointer', to: { kind: 'sock', type: 'sock' }, derives: 0 };
    expect(says([outcome(derived)], { r0: 'sock(ref_obj_id=2)', before: [2], after: [2] })).toEqual([]);
    const memory = outcome(KINDS.memory![0]);
    expect(says([memory], { r0: 'mem(sz=8,ref_obj_id=2)', before: [2], after: [2] })).toEqual([]);
  });
  const number: R0 = { kind: 'scalar', min: -(1n << 63n), max: (1n << 63n) - 1n };
  const TAKING: readonly Effect[] = [
    { kind: 'lock', arg: 0, lock: 'spin_lock' },
    { kind: 'irq_save', arg: 0 },
    { kind: 'iter_new', arg: 0 },
    { kind: 'init_dynptr', arg: 0, type: 'ringbuf', acquires: 'dynptr' },
  ];
  const GIVING: readonly Effect[] = [
    { kind: 'release', arg: 0 },
    { kind: 'unlock', arg: 0, lock: 'spin_lock' },
    { kind: 'irq_restore', arg: 0 },
    { kind: 'iter_destroy', arg: 0 },
    { kind: 'destroy_dynptr', arg: 0 },
    { kind: 'transfer', arg: 0 },
  ];
  const NEITHER: readonly Effect[] = [
    { kind: 'init_dynptr', arg: 0, type: 'local' },
    { kind: 'write', arg: 0 },
    { kind: 'enter', section: 'rcu' },
    { kind: 'callback', arg: 0, times: 'any' },
  ];
  it('every effect takes, gives, or does neither', () => {
    const plain = { r0: 'scalar()' };
    for (const effect of [...TAKING, ...GIVING, ...NEITHER]) {
      const [takes, gives] = [TAKING.includes(effect), GIVING.includes(effect)];
      const one = [outcome(number, [effect])];
      expect([effect, says(one, { ...plain, after: [3] })]).toEqual([
        effect,
        takes ? [] : ['something is acquired'],
      ]);
      expect([effect, says(one, plain)]).toEqual([effect, takes ? ['nothing is acquired'] : []]);
      expect([effect, says(one, { ...plain, before: [3], after: takes ? [4] : [] })]).toEqual([
        effect,
        gives ? [] : ['something is given back'],
      ]);
    }
  });
});

describe('numbers', () => {
  const range = (min: bigint, max: bigint, effects: readonly Effect[] = []): Outcome =>
    outcome({ kind: 'scalar', min, max }, effects);
  const shown = (min: number, max: number): Seen => ({
    r0: `scalar(smin=${min},smax=${max})`,
  });
  it('lie in a range of the contract, and reach both of its ends', () => {
    expect(says([range(-5n, 9n)], shown(-5, 9))).toEqual([]);
    expect(says([range(-5n, 9n)], shown(-6, 9))).toEqual(['r0 is from -6 to 9']);
    expect(says([range(-5n, 9n)], shown(-5, 10))).toEqual(['r0 is from -5 to 10']);
    expect(says([range(-5n, 9n)], shown(-4, 9))).toEqual(['r0 is never below -4']);
    expect(says([range(-5n, 9n)], shown(-5, 8))).toEqual(['r0 is never above 8']);
    expect(says([range(-5n, 9n)], shown(-5, 3), shown(0, 9))).toEqual([]);
    expect(says([range(-5n, -1n), range(0n, 0n)], shown(-5, -1), shown(0, 0))).toEqual([]);
    expect(says([range(-5n, -1n), range(0n, 9n)], shown(-5, 9))).toEqual(['r0 is from -5 to 9']);
  });
  it('that end at a size, or at the number of CPUs, reach no end of their own', () => {
    const sized: R0 = { kind: 'scalar', min: -5n, max: 9n, upTo: 1 };
    expect(says([outcome(sized)], shown(-4, 8))).toEqual([]);
    const cpu = { name: 'bpf_get_smp_processor_id', id: 8 };
    const { program: asks } = parseCase(
      '.type tc\n r6 = r1\n call bpf_get_smp_processor_id\n r0 = 0\n exit\n',
    );
    const log = (min: number, max: number): string =>
      logOf([shown(min, max)]).replaceAll(`${NAME}#7`, `${cpu.name}#8`);
    const found = (min: number, max: number): readonly string[] =>
      compareCalls(contract([range(0n, 8191n)], cpu), asks, log(min, max)).contradictions;
    expect(found(0, 63)).toEqual([]);
    expect(found(1, 63)).toEqual(['r0 is never below 1']);
  });
  const taking: Effect = { kind: 'lock', arg: 0, lock: 'res_spin_lock' };
  const lock = [range(0n, 0n, [taking]), range(-9n, -1n)];
  it('that tell whether something was taken go with what is held', () => {
    const taken = { ...shown(0, 0), after: [3] };
    expect(says(lock, taken, shown(-9, -1))).toEqual([]);
    expect(says(lock, { ...shown(-9, -1), after: [3] }, shown(0, 0))).toContain(
      '1 taken with r0 from -9 to -1',
    );
    expect(says(lock, taken, shown(0, 0), shown(-9, -1))).toContain('0 taken with r0 from 0 to 0');
    expect(
      says([range(0n, 5n, [taking]), range(-9n, -1n)], taken, { ...shown(0, 4), after: [3] }, shown(-9, -1)),
    ).toContain('1 taken with no r0 but those shown, and not from 0 to 5');
  });
});

it('states are counted, and a call of another function is none', () => {
  expect(
    compareCalls(contract([outcome({ kind: 'void' })]), program, logOf([{ r0: 'scalar()' }, { r0: '0' }]))
      .states,
  ).toBe(2);
  expect(compareCalls(contract([NULL], { name: 'bpf_other' }), program, logOf([{ r0: 'scalar()' }]))).toEqual(
    {
      states: 0,
      contradictions: [],
    },
  );
});
