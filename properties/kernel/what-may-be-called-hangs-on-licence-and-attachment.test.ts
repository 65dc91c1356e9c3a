/**
 * Which licences may call what is for GPL programs, and which programs may call a function by how they are attached: as the kernel says,
 * for every licence that it knows and others like them, and for every attach type.
 */
import { describe, expect, it } from 'vitest';
import { callHelper, exit, mov, r0, r1, r2, r3, r4, r5 } from '../../src/isa/build.js';
import { refusedAttached } from '../../src/kernel/attached.js';
import {
  contractOf,
  contracts,
  helper,
  helperByName,
  kfunc,
  narrowedFor,
  refusedFor,
  symbols,
  unmodelled,
} from '../../src/kernel/catalog.js';
import { ATTACH } from '../../src/kernel/contexts/attach.js';
import { isGplCompatible } from '../../src/kernel/license.js';
import { returnRange } from '../../src/kernel/progtypes.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';
import { PROG_TYPES, type Program, type ProgType } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import { LOADABLE, programOf } from '../support/kernel/programs.js';
import { describeKnownKernel, messagesKnown } from '../support/kernel/skip.js';

const loads = (program: Program): boolean => {
  const result = loadProgram(program, { explain: false });
  if (result.ok) result.close();
  return result.ok;
};

const LICENCES = [
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
  'Dual GPL/BSD',
  'Dual BSD',
  'GPL v3',
  'GPLv2',
  'gpl',
  'GPL ',
  'MIT',
  'BSD',
  'Proprietary',
  'Apache-2.0',
  '',
];

describeKnownKernel('the kernel', () => {
  it('lets the licences that we know call what is for GPL programs, and no others', () => {
    // bpf_ktime_get_ns is for all, bpf_get_current_task for GPL programs; both take nothing.
    const calling = (id: number, license: string): Program => ({
      ...programOf('tracepoint', [callHelper(id), mov(r0, 0), exit()]),
      license,
    });
    expect(helper(35)?.gpl).toBe(true);
    for (const license of LICENCES) {
      expect([license, loads(calling(5, license))]).toEqual([license, true]);
      expect([license, loads(calling(35, license))]).toEqual([license, isGplCompatible(license)]);
    }
    expect(isGplCompatible(undefined)).toBe(true);
  });

  it.skipIf(!messagesKnown())('refuses functions by how a program is attached as we do', () => {
    const asked: Readonly<Record<string, number>> = {
      bpf_get_retval: 186,
      bpf_set_retval: 187,
      bpf_bind: 64,
      bpf_setsockopt: 49,
      bpf_getsockopt: 57,
    };
    let seen = 0;
    for (const type of LOADABLE) {
      const attachments = [
        ...Object.values(ATTACH).map((number) => ({ type: number })),
        ...(type === 'iter'
          ? ['tcp', 'udp', 'unix', 'task', 'netlink'].map((target) => ({ type: 28, target }))
          : []),
      ];
      for (const attach of attachments) {
        const plain = { ...programOf(type, [mov(r0, 1), exit()]), attach };
        if (!loads(plain)) continue;
        for (const [name, id] of Object.entries(asked)) {
          const contract = helper(id);
          expect(contract?.name).toBe(name);
          // Of a type that never may nothing is asked.
          if (!HELPERS.some((row) => row.id === id && row.types.includes(type))) continue;
          const items = [
            mov(r1, 0),
            mov(r2, 0),
            mov(r3, 0),
            mov(r4, 0),
            mov(r5, 0),
            callHelper(id),
            mov(r0, 1),
            exit(),
          ];
          const result = loadProgram({ ...programOf(type, items), attach });
          if (result.ok) result.close();
          const refused = !result.ok && /cannot use helper|unknown func/.test(result.message);
          expect([type, attach, name, refusedAttached(name, plain)]).toEqual([type, attach, name, refused]);
          seen++;
        }
      }
    }
    expect(seen).toBeGreaterThan(100);
  });

  it('accepts the values that we let a program exit with by how it is attached', () => {
    for (const type of LOADABLE) {
      if (['tp_btf', 'kprobe'].includes(type)) continue;
      for (const number of Object.values(ATTACH)) {
        const attach = { type: number, ...(type === 'iter' ? { target: 'task' } : {}) };
        const range = returnRange(type, attach);
        if (!loads({ ...programOf(type, [mov(r0, 1), exit()]), attach })) continue;
        const taken = [-1, 0, 1, 2, 3, 4].filter((value) =>
          loads({ ...programOf(type, [mov(r0, value), exit()]), attach }),
        );
        const allowed = [-1, 0, 1, 2, 3, 4].filter(
          (value) => range === undefined || (value >= range[0] && value <= range[1]),
        );
        expect([type, number, allowed]).toEqual([type, number, taken]);
      }
    }
  });
});

describe('the catalog', () => {
  const call = (imm: number) => ({ kind: 'call', target: 'helper', imm }) as const;
  const of = (type: ProgType, kfuncs: readonly string[] = []): Program => ({
    ...programOf(type, [exit()]),
    kfuncs,
  });

  it('finds each contract by number and by name, long and short', () => {
    for (const c of contracts()) {
      expect(contractOf(c.name)).toBe(c);
      const short = c.name.replace(/^bpf_/, '');
      expect(helper(c.id)).toBe(c.kind === 'helper' ? c : undefined);
      expect(helperByName(c.name)).toBe(c.kind === 'helper' ? c : undefined);
      expect(helperByName(short)).toBe(c.kind === 'helper' ? c : undefined);
      expect(kfunc(c.name)).toBe(c.kind === 'kfunc' ? c : undefined);
      if (c.kind === 'kfunc') expect(kfunc(short)).toBe(short === c.name ? c : undefined);
    }
    expect([contractOf('bpf_no_such'), helper(0), helper(212), helperByName(''), kfunc('')]).toEqual(
      Array(5).fill(undefined),
    );
  });

  it('finds what a call names, for the type of the program', () => {
    for (const type of PROG_TYPES) {
      for (const c of contracts().filter(({ kind }) => kind === 'helper')) {
        const found = contractOf(of(type), call(c.id))!;
        expect(found.name).toBe(c.name);
        // Its own contract where that is for the type; else one that is, if there is any.
        if (c.types.includes(type)) expect(found).toBe(c);
        else if (found !== c)
          expect([c.name, type, found.types.includes(type)]).toEqual([c.name, type, true]);
        expect(found.outcomes.map(({ name }) => name)).toEqual(c.outcomes.map(({ name }) => name));
        // Nobody may call it whom the kernel forbids.
        if (refusedFor(c.id, of(type)))
          expect([c.name, type, found.types.includes(type)]).toEqual([c.name, type, false]);
      }
    }
    const named = of('tc', ['bpf_throw', 'bpf_no_such']);
    const kfuncCall = (imm: number) => ({ kind: 'call', target: 'kfunc', imm }) as const;
    expect(contractOf(named, kfuncCall(0))?.name).toBe('bpf_throw');
    expect([1, 2].map((imm) => contractOf(named, kfuncCall(imm)))).toEqual([undefined, undefined]);
    expect(contractOf(named, { kind: 'call', target: 'subprog', imm: 1 })).toBeUndefined();
    expect(contractOf(named, { kind: 'exit' })).toBeUndefined();
  });

  it('tells who may name a function from whom its contract is for', () => {
    for (const row of [...HELPERS, ...KFUNCS]) {
      for (const type of PROG_TYPES) {
        const asked = 'id' in row ? row.id : row.name;
        const known = type !== 'fentry' && type !== 'lsm';
        expect([row.name, type, refusedFor(asked, of(type))]).toEqual([
          row.name,
          type,
          known && !row.types.includes(type),
        ]);
        expect(refusedFor(row.name, of(type))).toBe(refusedFor(asked, of(type)));
        const c = contractOf(row.name);
        if (c === undefined) continue;
        expect([row.name, type, narrowedFor(c, type)]).toEqual([
          row.name,
          type,
          row.types.includes(type) && !c.types.includes(type),
        ]);
      }
    }
    const kprobe = of('kprobe');
    expect(refusedFor('bpf_sk_release', kprobe)).toBe(true);
    expect(refusedFor('bpf_sk_release', { ...kprobe, attach: { type: ATTACH.KPROBE_MULTI } })).toBe(false);
    expect(refusedFor('bpf_no_such', kprobe)).toBe(false);
  });

  it('knows the names and numbers of all helpers and kfuncs', () => {
    for (const { id, name } of HELPERS) {
      expect([symbols.helperId(name), symbols.helperId(name.replace(/^bpf_/, ''))]).toEqual([id, id]);
      expect(symbols.helperName(id)).toBe(name);
      expect(symbols.isKfunc(name)).toBe(false);
    }
    for (const { name } of KFUNCS) expect(symbols.isKfunc(name)).toBe(true);
    expect([symbols.helperId('bpf_throw'), symbols.helperName(0), symbols.helperName(212)]).toEqual(
      Array(3).fill(undefined),
    );
  });

  it('says why there is no contract, by number as by name', () => {
    expect(unmodelled('crash_kexec')).toBe(
      'kfunc crash_kexec is not modelled: it starts another kernel, after which there is no program',
    );
    // Of what has a contract there is nothing to say.
    expect(unmodelled(147)).toBe(unmodelled('bpf_d_path'));
    expect(unmodelled('d_path')).toBe('helper bpf_d_path#147 is not modelled');
    expect(unmodelled(9999)).toBe('helper 9999 does not exist in Linux 6.18');
    expect(unmodelled('bpf_no_such')).toBe('bpf_no_such is neither a helper nor a kfunc of Linux 6.18');
    expect(unmodelled('bpf_throw')).toBe('kfunc bpf_throw is not modelled');
  });
});
