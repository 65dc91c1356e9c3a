/**
 * An extern of an object is what the target has under its name: of the same kind and of a type of the same shape. A weak one that is not there is nothing;
 * any other that is not there is told. What only a running kernel knows is told to be unknown elsewhere. One row for each kind of extern, target and binding.
 */
import { expect, it } from 'vitest';
import { Btf } from '../../src/object/btf/read.js';
import type { BtfType } from '../../src/object/btf/types.js';
import type { Target } from '../../src/object/core/relocate.js';
import { type ElfSymbol, STB_GLOBAL, STB_WEAK } from '../../src/object/elf.js';
import { Externs } from '../../src/object/externs.js';
import { NotInTarget, NotModelled } from '../../src/object/not-modelled.js';
import { btfOf, INT, UINT } from '../support/objects/types.js';

const proto = (params: readonly number[], returns = 0): BtfType => ({
  kind: 'func_proto',
  returns,
  params: params.map((type, i) => ({ name: `p${i}`, type })),
});
const fn = (name: string, type: number): BtfType => ({ kind: 'func', name, type, linkage: 'extern' });
const variable = (name: string, type: number): BtfType => ({ kind: 'var', name, type, linkage: 2 });

/** Functions and variables in one order, behind the types that they are of. */
const LOCAL: readonly BtfType[] = [
  UINT, // 1
  { kind: 'int', name: 'unsigned long', size: 8, bits: 64, bitOffset: 0, encoding: 'unsigned' }, // 2
  { kind: 'struct', name: 's', size: 4, members: [{ name: 'm', type: 1, bitOffset: 0, bitSize: 0 }] }, // 3
  { kind: 'ptr', type: 3 }, // 4
  proto([1, 4], 1), // 5
  fn('f', 5), // 6
  fn('f___old', 5), // 7
  variable('v', 3), // 8
  variable('v___old', 3), // 9
  variable('typeless', 0), // 10
  variable('CONFIG_HZ', 1), // 11
  fn('other', 5), // 12
  variable('w', 1), // 13
  {
    kind: 'datasec',
    name: '.ksyms',
    size: 0,
    vars: [6, 7, 8, 9, 10, 12, 13].map((type) => ({ type, offset: 0, size: 0 })),
  },
  { kind: 'datasec', name: '.kconfig', size: 4, vars: [{ type: 11, offset: 0, size: 4 }] },
];
const NAMES = ['f', 'f___old', 'v', 'v___old', 'typeless', 'CONFIG_HZ', 'other', 'w'];

const read = (types: readonly BtfType[]): Btf => new Btf(btfOf(types), 'test.btf');
const LOCAL_BTF = read(LOCAL);

/** A kernel: `v` and `f` are there and of the same shape, `other` takes one argument less, `w` is a function there. */
const KERNEL = read([
  INT,
  { kind: 'union', name: 'x', size: 8, members: [] },
  { kind: 'struct', name: 's', size: 64, members: [] },
  { kind: 'ptr', type: 3 },
  proto([1, 4], 1),
  proto([1], 1),
  fn('f', 5),
  fn('other', 6),
  variable('v', 3),
  fn('w', 5),
]);

const TARGETS: Readonly<Record<string, Target>> = {
  kernel: KERNEL,
  none: read([INT]),
  unknown: { missing: 'nobody said which' },
  itself: LOCAL_BTF,
};

const symbol = (name: string, bind: number): ElfSymbol => ({ name, bind }) as ElfSymbol;

/** A word for what a question is answered with: the id, the name, `nothing`, `lacks`, `unknown`. */
function answer(ask: () => unknown): string {
  try {
    const found = ask();
    return found === undefined ? 'nothing' : `${String(found)}`;
  } catch (error) {
    if (error instanceof NotInTarget) return 'lacks';
    if (error instanceof NotModelled) return 'unknown';
    throw error;
  }
}

/** By extern: of a strong one the address, the kfunc that is called and whether kernels may lack it; then of a weak one. */
function row(target: Target, name: string): string {
  const externs = new Externs(LOCAL_BTF, target, false, new Set());
  return [STB_GLOBAL, STB_WEAK]
    .map((bind) => {
      const one = symbol(name, bind);
      return [() => externs.address(one), () => externs.kfunc(one), () => externs.mayLack(one)]
        .map(answer)
        .join(' ');
    })
    .join(' | ');
}

const EXPECTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  kernel: {
    f: '7 f true | 7 f true',
    f___old: '7 f true | 7 f true',
    v: '9 unknown false | 9 unknown false',
    v___old: '9 unknown false | 9 unknown false',
    typeless: 'unknown unknown false | unknown unknown false',
    CONFIG_HZ: 'lacks unknown false | 0 unknown false',
    other: 'lacks other true | lacks other true',
    w: 'lacks unknown false | 0 unknown false',
  },
  none: {
    f: 'lacks f true | 0 nothing true',
    f___old: 'lacks f true | 0 nothing true',
    v: 'lacks unknown false | 0 unknown false',
    v___old: 'lacks unknown false | 0 unknown false',
    typeless: 'unknown unknown false | unknown unknown false',
    CONFIG_HZ: 'lacks unknown false | 0 unknown false',
    other: 'lacks other true | 0 nothing true',
    w: 'lacks unknown false | 0 unknown false',
  },
  unknown: {
    f: 'unknown f true | unknown f true',
    f___old: 'unknown f true | unknown f true',
    v: 'unknown unknown false | unknown unknown false',
    v___old: 'unknown unknown false | unknown unknown false',
    typeless: 'unknown unknown false | unknown unknown false',
    CONFIG_HZ: 'unknown unknown false | unknown unknown false',
    other: 'unknown other true | unknown other true',
    w: 'unknown unknown false | unknown unknown false',
  },
  itself: {
    f: '6 f false | 6 f false',
    f___old: 'lacks f false | 0 nothing false',
    v: '8 unknown false | 8 unknown false',
    v___old: 'lacks unknown false | 0 unknown false',
    typeless: 'unknown unknown false | unknown unknown false',
    CONFIG_HZ: '11 unknown false | 11 unknown false',
    other: '12 other false | 12 other false',
    w: '13 unknown false | 13 unknown false',
  },
};

it.each(Object.keys(TARGETS))('of the target: %s', (name) => {
  const found = Object.fromEntries(NAMES.map((one) => [one, row(TARGETS[name]!, one)]));
  expect(found).toEqual(EXPECTED[name]);
});

it('configuration and untyped symbols need a running kernel, and nothing else is asked of one', () => {
  const externs = new Externs(LOCAL_BTF, KERNEL, false, new Set());
  for (const name of NAMES)
    for (const bind of [STB_GLOBAL, STB_WEAK]) {
      const one = symbol(name, bind);
      expect(
        answer(() => externs.setting(one)),
        name,
      ).toBe(name === 'CONFIG_HZ' ? 'unknown' : 'nothing');
      expect(
        answer(() => externs.kernelAddress(one)),
        name,
      ).toBe(name === 'typeless' ? 'unknown' : 'nothing');
    }
});

it('an object that declares flavours alone has the one that it declares first', () => {
  const local = read([
    UINT, // 1
    proto([1], 1), // 2
    fn('g___v2', 2), // 3
    fn('g___v1', 2), // 4
    fn('h___v1', 2), // 5
    fn('h', 2), // 6
    {
      kind: 'datasec',
      name: '.ksyms',
      size: 0,
      vars: [3, 4, 5, 6].map((type) => ({ type, offset: 0, size: 0 })),
    },
  ]);
  const externs = new Externs(local, local, false, new Set());
  const called = ['g___v2', 'g___v1', 'h___v1', 'h'].map((name) => externs.kfunc(symbol(name, STB_WEAK)));
  expect(called).toEqual(['g', undefined, undefined, 'h']);
});

it('a symbol that the object says nothing of is no extern', () => {
  const externs = new Externs(LOCAL_BTF, KERNEL, true, new Set());
  const strange = symbol('strange', STB_GLOBAL);
  for (const ask of ['address', 'kfunc', 'mayLack', 'setting', 'kernelAddress'] as const)
    expect(() => externs[ask](strange), ask).toThrow(
      /^'strange' is neither defined in the object nor an extern/,
    );
  const without = new Externs(undefined, KERNEL, true, new Set());
  expect(() => without.kfunc(symbol('f', STB_GLOBAL))).toThrow(NotModelled);
});
