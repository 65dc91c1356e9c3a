/** A declared function stands beside those of the tables: found by its name or number and by calls of it, never in the place of another, and kept with the programs that call it. */
import { describe, expect, it } from 'vitest';
import { callHelper, callKfunc, callSub, exit, mov, r0 } from '../../src/isa/build.js';
import { encode } from '../../src/isa/encode.js';
import type { Op } from '../../src/isa/insn.js';
import {
  alreadyThere,
  contractOf,
  contracts,
  declarationOf,
  declaredIn,
  knownFunctions,
  symbols,
  symbolsWith,
  unmodelled,
  withDeclared,
} from '../../src/kernel/catalog.js';
import { contractOfDeclared, declare } from '../../src/kernel/declare/declare.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';
import type { DeclaredFunction, Program } from '../../src/object/program.js';

const helper = (name: string, id: number): DeclaredFunction =>
  declare('helper', { name, id, ret: 'RET_INTEGER', types: 'all', blocks: false, returns: 'any' });
const kfunc = (name: string): DeclaredFunction =>
  declare('kfunc', { proto: `int ${name}(u64 a)`, flags: [], types: 'all', blocks: false, returns: 'any' });

const H1 = helper('bpf_declared_one', 5001);
const H2 = helper('bpf_declared_two', 5002);
const K1 = kfunc('bpf_declared_first');
const K2 = kfunc('bpf_declared_second');
const ALL = [H1, H2, K1, K2];

const program = (ops: readonly Op[], kfuncs: readonly string[] = []): Program => ({
  name: 'p',
  type: 'tc',
  insns: [...ops, mov(r0, 0), exit()].flatMap((op) => encode(op)),
  maps: [],
  kfuncs,
  subprogs: [{ name: 'main', start: 0, linkage: 'global' }],
  localTypes: [],
});

describe('calls', () => {
  /** Insns, the kfuncs of the program, and the functions that they call. */
  const rows: readonly (readonly [readonly Op[], readonly string[], readonly DeclaredFunction[]])[] = [
    [[], [], []],
    [[callHelper(5001)], [], [H1]],
    [[callHelper(5002)], [], [H2]],
    [[callHelper(5003)], [], []],
    [[callHelper(7)], [], []],
    [[callKfunc(0)], [K1.name], [K1]],
    [[callKfunc(1)], [K1.name, K2.name], [K2]],
    // A name that no insn calls.
    [[callHelper(7)], [K1.name], []],
    [[callKfunc(0)], ['bpf_rcu_read_lock', K1.name], []],
    // A call of a subprogram, and the number of a helper.
    [[callSub(5001)], [], []],
    [[callSub(0)], [K1.name], []],
    // A kfunc in the place that a helper has the number of.
    [[callHelper(0), callHelper(1)], [K1.name, K2.name], []],
    [[callKfunc(0), callHelper(5001)], [K2.name], [H1, K2]],
  ];
  it.each(rows)('%#', (ops, kfuncs, called) => {
    const one = program(ops, kfuncs);
    expect(declaredIn(one, ALL)).toEqual(called);
    const kept = withDeclared(one, ALL);
    expect(kept.declared).toEqual(called.length === 0 ? undefined : called);
    if (called.length === 0) expect(kept).toBe(one);
  });
  it('name the contract of the declared function', () => {
    const one = { ...program([], [K1.name, 'bpf_rcu_read_lock']), declared: ALL };
    const named = (op: Op): string | undefined => contractOf(one, op)?.name;
    expect(named(callHelper(5001))).toBe(H1.name);
    expect(named(callHelper(5002))).toBe(H2.name);
    expect(named(callKfunc(0))).toBe(K1.name);
    expect(named(callKfunc(1))).toBe('bpf_rcu_read_lock');
    expect(named(callHelper(7))).toBe('bpf_get_prandom_u32');
    expect(named(callHelper(4999))).toBeUndefined();
    expect(named(callKfunc(2))).toBeUndefined();
    expect(named(callSub(0))).toBeUndefined();
    expect(named(exit())).toBeUndefined();
    const bare = program([], [K1.name]);
    expect([contractOf(bare, callHelper(5001)), contractOf(bare, callKfunc(0))]).toEqual([
      undefined,
      undefined,
    ]);
    expect(contractOf(one, callHelper(5001))).toBe(contractOfDeclared(H1));
  });
});

describe('names', () => {
  it('lead to the declared function first, then to the tables', () => {
    expect(contractOf(H1.name, ALL)).toBe(contractOfDeclared(H1));
    expect(contractOf(K2.name, ALL)).toBe(contractOfDeclared(K2));
    expect(contractOf(H1.name)).toBeUndefined();
    expect(contractOf('bpf_map_lookup_elem', ALL)?.id).toBe(1);
    expect(contractOf('map_lookup_elem')?.id).toBe(1);
    expect(contractOf('bpf_rcu_read_lock', ALL)?.kind).toBe('kfunc');
    expect(contractOf('rcu_read_lock')).toBeUndefined();
    expect(contracts(ALL).slice(0, 4)).toEqual(ALL.map(contractOfDeclared));
    expect(contracts(ALL).slice(4)).toEqual(contracts());
  });
  it('of symbols are those of the tables and the declared', () => {
    const known = symbolsWith(ALL);
    expect(symbolsWith()).toBe(symbols);
    for (const [name, id] of [
      [H1.name, 5001],
      ['declared_two', 5002],
      ['bpf_map_lookup_elem', 1],
      ['map_lookup_elem', 1],
      [K1.name, undefined],
      ['declared_first', undefined],
      ['bpf_nothing', undefined],
    ] as const)
      expect([name, known.helperId(name)]).toEqual([name, id]);
    for (const [id, name] of [
      [5001, H1.name],
      [5002, H2.name],
      [1, 'bpf_map_lookup_elem'],
      [-1, undefined],
      [5003, undefined],
    ] as const)
      expect([id, known.helperName(id)]).toEqual([id, name]);
    for (const [name, is] of [
      [K1.name, true],
      [K2.name, true],
      [H1.name, false],
      ['bpf_rcu_read_lock', true],
      ['bpf_nothing', false],
      ['bpf_map_lookup_elem', false],
    ] as const)
      expect([name, known.isKfunc(name)]).toEqual([name, is]);
  });
  it('that are taken may not be declared', () => {
    const refused = (
      one: Partial<DeclaredFunction>,
      others: readonly DeclaredFunction[] = [],
    ): string | undefined => alreadyThere({ ...H1, ...one }, others);
    const bare = KFUNCS.find(({ name }) => contractOf(name) === undefined)!;
    expect(refused({})).toBeUndefined();
    expect(refused({}, [H2, K1])).toBeUndefined();
    expect(refused({}, [H1])).toBe('there are two of this name');
    expect(refused({ name: 'bpf_other' }, [H2, H1])).toBe(`the number 5001 is that of ${H1.name}`);
    expect(refused({ name: 'bpf_other', kind: 'kfunc', id: 5001 }, [H1])).toBeUndefined();
    // Kfuncs have no numbers: all have -1.
    expect(alreadyThere(K1, [K2])).toBeUndefined();
    expect(refused({ name: 'bpf_other', id: -1 }, [K1])).toBeUndefined();
    expect(refused({ name: 'bpf_map_lookup_elem', id: 1 })).toMatch(/is modelled already/);
    expect(refused({ name: 'bpf_rcu_read_lock' })).toMatch(/is modelled already/);
    expect(refused({ name: bare.name })).toBe(`${bare.name} is a kfunc of Linux 6.18`);
    expect(refused({ id: 1 })).toBe('the number 1 is that of bpf_map_lookup_elem');
    expect(refused({ kind: 'kfunc', name: bare.name, id: -1 })).toBeUndefined();
  });
});

describe('what the tables know', () => {
  it('are all helpers and all kfuncs, each of its kind', () => {
    expect(knownFunctions()).toEqual([
      ...HELPERS.map(({ name }) => ({ name, kind: 'helper' })),
      ...KFUNCS.map(({ name }) => ({ name, kind: 'kfunc' })),
    ]);
  });
  it('is how the kernel declares each', () => {
    for (const { name, ret, args } of HELPERS)
      expect(declarationOf(name)).toBe(
        `${ret} ${name}(${args.length === 0 ? 'void' : args.join(', ')})`.replace('* ', '*'),
      );
    for (const { name, ret, params } of KFUNCS)
      expect(declarationOf(name)).toBe(
        `${ret} ${name}(${params.length === 0 ? 'void' : params.join(', ')})`.replace('* ', '*'),
      );
    expect(declarationOf('bpf_nothing')).toBe('');
  });
  it('is why there is no contract', () => {
    expect(unmodelled(-5)).toBe('helper -5 does not exist in Linux 6.18');
    expect(unmodelled('bpf_nothing')).toBe('bpf_nothing is neither a helper nor a kfunc of Linux 6.18');
    for (const { name, id } of HELPERS)
      if (contractOf(name) === undefined) {
        expect(unmodelled(name)).toMatch(new RegExp(`^helper ${name}#${id} is not modelled`));
        expect(unmodelled(id)).toBe(unmodelled(name));
        expect(unmodelled(name.replace(/^bpf_/, ''))).toBe(unmodelled(name));
      }
    for (const { name } of KFUNCS)
      if (contractOf(name) === undefined)
        expect(unmodelled(name)).toMatch(new RegExp(`^kfunc ${name} is not modelled`));
  });
});
