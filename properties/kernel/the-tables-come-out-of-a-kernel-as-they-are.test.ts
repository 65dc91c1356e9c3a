/**
 * The tables are what `npm run tables` makes of a kernel. From the BTF of Linux as it is known they come out as they are in the tree; from a BTF
 * with all their prototypes and from lines of flags alone, with nothing to begin from, every row comes out. A prototype or a flag that a kernel
 * has otherwise is taken over and told, and what neither BTF nor source says is no row.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kfuncFlagsInC } from '../../src/kernel/declare/c/kfuncs.js';
import { HELPER_LINES } from '../../src/kernel/tables/helpers.js';
import { KFUNC_LINES } from '../../src/kernel/tables/kfuncs.js';
import { regenerate, type Tables, tableText } from '../../src/kernel/tables/regenerate.js';
import { HELPERS, KFUNCS, type KfuncRow } from '../../src/kernel/tables/rows.js';
import { comparable } from '../../src/object/btf/declare.js';
import { Btf } from '../../src/object/btf/read.js';
import { BtfWriter } from '../../src/object/btf/write.js';
import { kernelBtf, kernelShowsBtf } from '../../src/oracle/btf.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

const TREE: Tables = { helpers: HELPER_LINES, kfuncs: KFUNC_LINES };
const FOLDER = join(import.meta.dirname, '../../src/kernel/tables');
const SEED = seeded(1).seed ?? 0;

/** A BTF with these functions, marked as kfuncs, and with the numbers of all helpers. A type is an int of its name: only names are compared. */
function btfWith(rows: readonly KfuncRow[], more: readonly string[] = []): Btf {
  const writer = new BtfWriter();
  const types = new Map<string, number>();
  const typeOf = (name: string): number => {
    if (name === 'void') return 0;
    const known = types.get(name);
    if (known !== undefined) return known;
    const id = writer.add({ kind: 'int', name, size: 8, bits: 64, bitOffset: 0, encoding: 'signed' });
    types.set(name, id);
    return id;
  };
  for (const { name, ret, params } of rows) {
    const proto = writer.add({
      kind: 'func_proto',
      returns: typeOf(ret),
      params: params.map((text) => {
        const pointer = /\(\*(\w+)\)/.exec(text);
        const [, type, called] = pointer
          ? ['', text.replace(pointer[0], '(*)'), pointer[1]!]
          : (/^(.*?)(\w+)$/.exec(text) ?? ['', text, '']);
        return { name: called!, type: typeOf(type!.trim()) };
      }),
    });
    const func = writer.add({ kind: 'func', name, type: proto, linkage: 'static' });
    writer.add({ kind: 'decl_tag', name: 'bpf_kfunc', type: func, component: -1, attribute: false });
  }
  const values = ['unspec', ...HELPERS.map(({ name }) => name.slice(4)), ...more].map((name, value) => ({
    name: `BPF_FUNC_${name}`,
    value,
  }));
  writer.add({ kind: 'enum', name: 'bpf_func_id', size: 4, signed: false, values });
  return new Btf(writer.bytes(), 'made', 'BTF');
}

/** The sets of flags as C has them. */
const flagsAsC = (rows: readonly KfuncRow[]): string =>
  `BTF_KFUNCS_START(ids)\n${rows
    .map(({ name, flags }) => `BTF_ID_FLAGS(func, ${[name, flags.join(' | ')].filter(Boolean).join(', ')})\n`)
    .join('')}BTF_KFUNCS_END(ids)\n`;

/** What is compared of a row: spaces in types are one kernel's habit. */
function read(line: string): readonly string[] {
  const [name = '', ret = '', params = '', flags = '', letters = ''] = line.split('|');
  return [name, comparable(ret), ...params.split('; ').map(comparable), flags, letters];
}

const whole = KFUNCS.filter(({ ret }) => ret !== '');

describe('the tables of the tree', () => {
  it('are written as npm run tables writes them', () => {
    for (const which of ['helpers', 'kfuncs'] as const)
      expect(readFileSync(join(FOLDER, `${which}.ts`), 'utf8')).toBe(tableText(which, TREE[which]));
  });

  it('come out of BTF and flags with nothing to begin from', () => {
    const flags = kfuncFlagsInC(flagsAsC(whole));
    const typed = new Map(
      whole.map(({ name, types }) => [name, { flags: flags.get(name)!.flags, types }] as const),
    );
    const made = regenerate({ helpers: HELPER_LINES, kfuncs: [] }, btfWith(whole), typed);
    const known = new Set(whole.map(({ name }) => name));
    expect(made.kfuncs.map(read)).toEqual(
      KFUNC_LINES.filter((line) => known.has(line.split('|')[0]!))
        .map(read)
        .sort((a, b) => (a[0]! < b[0]! ? -1 : 1)),
    );
    expect(made.notes.length).toBe(whole.length);
  });

  it('stay as they are where a kernel has the same', () => {
    expect(regenerate(TREE, btfWith(whole), kfuncFlagsInC(flagsAsC(KFUNCS)))).toEqual({ ...TREE, notes: [] });
    expect(regenerate(TREE, btfWith([]))).toEqual({ ...TREE, notes: [] });
  });
});

describe('another kernel', () => {
  const row = whole.filter(({ flags, params }) => flags.length > 0 && params.length > 0)[SEED % 50]!;
  const lineOf = (made: Tables): string => made.kfuncs.find((line) => line.startsWith(`${row.name}|`))!;

  it('has another flag or parameter', () => {
    const fewer = { ...row, flags: row.flags.slice(1) };
    const flagged = regenerate(TREE, btfWith(whole), kfuncFlagsInC(flagsAsC([fewer])));
    expect(lineOf(flagged).split('|')[3]).toBe(fewer.flags.join(' '));
    expect(flagged.notes).toEqual([
      `${row.name}: its flags are now ${fewer.flags.join(' ') || 'none'}, not ${row.flags.join(' ')}`,
    ]);
    const longer = { ...row, params: [...row.params, 'u64 more'] };
    const grown = regenerate(TREE, btfWith([longer]));
    expect(read(lineOf(grown)).slice(2, -2)).toEqual(longer.params.map(comparable));
    expect(grown.notes.join()).toMatch(`${row.name}: its prototype is now`);
  });

  it('has a function more', () => {
    const more: KfuncRow = { name: 'bpf_more', ret: 'int', params: ['u64 id'], flags: ['KF_RCU'], types: [] };
    const unknown = regenerate(TREE, btfWith([more]));
    expect(unknown.kfuncs).toEqual(TREE.kfuncs);
    expect(unknown.notes.join()).toMatch(/^bpf_more is new and gets no row: BTF has no flags/);
    const known = regenerate(
      TREE,
      btfWith([more]),
      kfuncFlagsInC(
        `${flagsAsC([more])}static const struct btf_kfunc_id_set set = {\n\t.set = &ids,\n};\nint init(void)\n{\n\treturn register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &set);\n}\n`,
      ),
    );
    expect(known.kfuncs.filter((line) => !TREE.kfuncs.includes(line))).toEqual([
      'bpf_more|int|u64 id|KF_RCU|x',
    ]);
    const helper = regenerate(TREE, btfWith([], ['more']));
    expect(helper.notes.join()).toMatch(/^bpf_more is new and gets no row: declare it/);
  });
});

describeKnownKernel('Linux as it is known', () => {
  it('gives the tables of the tree', () => {
    expect(kernelShowsBtf()).toBe(true);
    expect(regenerate(TREE, kernelBtf())).toEqual({ ...TREE, notes: [] });
  });
});
