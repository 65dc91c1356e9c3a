/**
 * What a loader decides is as if it stood in the object: maps of the old kind, types of programs by program and by section, what they attach to, values of
 * variables, the contents of .rodata, inner maps. What does not fit is refused in one line that says where. A symbol that is nowhere leaves out only the
 * programs that use it.
 */
import { describe, expect, it } from 'vitest';
import { toBytes } from '../../src/isa/bytes.js';
import { decodeAll } from '../../src/isa/decode.js';
import { encodeAll } from '../../src/isa/encode.js';
import type { Op } from '../../src/isa/insn.js';
import { Btf } from '../../src/object/btf/read.js';
import { BtfWriter } from '../../src/object/btf/write.js';
import { readObject } from '../../src/object/load.js';
import { applySettings, settingFor } from '../../src/object/loader-settings.js';
import type { ObjectMap } from '../../src/object/object-map.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { elfOf, type MadeObject, type MadeSection, type MadeSymbol } from '../support/objects/elf.js';

const RETURN = opsOf('r0 = 0\nexit');
const LOOKUP = opsOf(
  'r2 = r10\nr2 += -4\n*(u32 *)(r10 -4) = 0\nr1 = 7 ll\ncall bpf_map_lookup_elem\nr0 = 0\nexit',
);

function opsOf(text: string): Op[] {
  return decodeAll(parseCase(`.type xdp\nmain:\n${text}\n`).program.insns).filter((op) => op !== undefined);
}

const code = (ops: readonly Op[]): Uint8Array => toBytes(encodeAll(ops));
const section = (name: string, ops: readonly Op[]): MadeSection => ({ name, flags: 6, data: code(ops) });
const main = (name: string, at: number, ops: readonly Op[]): MadeSymbol => ({
  name,
  section: at,
  size: code(ops).length,
  type: 2,
});

function words(...numbers: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, i) => {
    view.setUint32(4 * i, number, true);
  });
  return bytes;
}

/** An object whose program looks up in the second of two maps of the old kind, each `size` bytes. */
function oldMaps(size: number, name = 'maps'): MadeObject {
  const data = new Uint8Array(2 * size);
  data.set(words(2, 4, 8, 16, 0).subarray(0, size), 0);
  data.set(words(1, 4, 24, 32, 1).subarray(0, size), size);
  return {
    sections: [section('xdp', LOOKUP), { name, flags: 3, data }],
    symbols: [
      main('p', 1, LOOKUP),
      { name: 'first', section: 2, value: 0, type: 1, size, bind: 1 },
      { name: 'second', section: 2, value: size, type: 1, size, bind: 1 },
    ],
    relocations: [{ section: 1, offset: 24, type: 1, symbol: 3 }],
  };
}

const read = (made: MadeObject, loader = {}) =>
  readObject(elfOf(made), 'made.o', { targetBtf: 'none', loader });

describe('maps of the old kind', () => {
  it.each([20, 28, 36])('%i bytes each', (size) => {
    for (const name of ['maps', 'maps/of_one']) {
      const [program] = read(oldMaps(size, name)).programs;
      expect(program!.maps).toEqual([
        { name: 'second', type: 'hash', keySize: 4, valueSize: 24, maxEntries: 32, flags: 1, fields: [] },
      ]);
      expect(verify(program!)).toMatchObject({ ok: true });
    }
  });

  it('that make no sense are refused', () => {
    expect(() => read(oldMaps(16))).toThrow(/32 bytes are no 2 map definitions, expected 20 bytes or more/);
    const { symbols = [], ...rest } = oldMaps(20);
    const askew = symbols.map((one) => (one.name === 'second' ? { ...one, value: 24 } : one));
    expect(() => read({ ...rest, symbols: askew })).toThrow(
      /map 'second' begins at 24, expected a multiple of 20/,
    );
  });
});

describe('types of programs', () => {
  const made: MadeObject = {
    sections: [section('my_own', RETURN), section('xdp', RETURN)],
    symbols: [main('a', 1, RETURN), main('b', 2, RETURN)],
  };
  const types = (given: readonly (readonly [string, string])[]) =>
    read(made, { types: new Map(given) }).programs.map(({ name, type }) => [name, type]);

  it('by program, by section, and for sections that say nothing', () => {
    expect(types([])).toEqual([['b', 'xdp']]);
    expect(types([['a', 'tc']])).toEqual([
      ['a', 'tc'],
      ['b', 'xdp'],
    ]);
    expect(types([['my_own', 'cgroup/connect4']])).toEqual([
      ['a', 'cgroup_sock_addr'],
      ['b', 'xdp'],
    ]);
    expect(types([['', 'kprobe']])).toEqual([
      ['a', 'kprobe'],
      ['b', 'xdp'],
    ]);
    // The name of a program counts before that of its section.
    expect(
      types([
        ['xdp', 'tc'],
        ['b', 'kprobe'],
      ]),
    ).toEqual([['b', 'kprobe']]);
    expect(settingFor(new Map([['xdp', 'x']]), 'p', '?xdp')).toBe('x');
  });

  it('a name counts before a pattern, and the program before its section', () => {
    const settings = new Map([
      ['redirect_*', 'pattern of the section'],
      ['to_?', 'pattern'],
      ['to_[1]', 'no class of characters'],
      ['tc', 'section'],
      ['to_1', 'name'],
    ]);
    const found = [
      ['to_1', 'tc'],
      ['to_2', 'tc'],
      ['to_2', 'redirect_2'],
      ['to_22', '?redirect_22'],
      ['from_2', 'xdp'],
    ].map(([program, section]) => settingFor(settings, program!, section!));
    expect(found).toEqual(['name', 'section', 'pattern', 'pattern of the section', undefined]);
    expect(settingFor(undefined, 'to_1', 'tc')).toBeUndefined();
  });

  it('what is left out says how to go on', () => {
    expect(read(made).skipped).toEqual([
      {
        name: 'a',
        section: 'my_own',
        reason: "programs of section 'my_own' are not modelled: say what they are with --type a=TYPE",
      },
    ]);
    const open: MadeObject = { sections: [section('lsm', RETURN)], symbols: [main('a', 1, RETURN)] };
    expect(read(open).skipped).toMatchObject([
      { reason: 'its loader gives what it attaches to, say what with --attach a=FUNCTION' },
    ]);
    const [program] = read(open, { attach: new Map([['lsm', 'file_open']]) }).programs;
    expect(program).toMatchObject({ type: 'lsm', attach: { type: 27, target: 'file_open' } });
  });
});

describe('values of variables', () => {
  const writer = new BtfWriter();
  const u32 = writer.add({ kind: 'int', name: 'u32', size: 4, bits: 32, bitOffset: 0, encoding: 'unsigned' });
  const u8 = writer.add({ kind: 'int', name: 'u8', size: 1, bits: 8, bitOffset: 0, encoding: 'signed' });
  const array = writer.add({ kind: 'array', element: u8, index: u32, count: 4 });
  const mode = writer.add({
    kind: 'enum',
    name: 'mode',
    size: 4,
    signed: false,
    values: [
      { name: 'OFF', value: 0 },
      { name: 'ON', value: 7 },
    ],
  });
  const config = writer.add({
    kind: 'struct',
    name: 'config',
    size: 12,
    members: [
      { name: 'limit', type: u32, bitOffset: 0, bitSize: 0 },
      { name: 'bytes', type: array, bitOffset: 32, bitSize: 0 },
      { name: 'mode', type: mode, bitOffset: 64, bitSize: 0 },
    ],
  });
  const one = writer.add({ kind: 'const', type: u32 });
  const debug = writer.add({ kind: 'var', name: 'debug', type: one, linkage: 1 });
  const conf = writer.add({ kind: 'var', name: 'conf', type: config, linkage: 1 });
  writer.add({
    kind: 'datasec',
    name: '.rodata',
    size: 16,
    vars: [
      { type: debug, offset: 0, size: 4 },
      { type: conf, offset: 4, size: 12 },
    ],
  });
  const btf = new Btf(writer.bytes(), 'made.o');
  const fresh = (): ObjectMap & { def: { initial: Uint8Array } } => ({
    name: '.rodata',
    section: 1,
    offset: 0,
    def: {
      name: '.rodata',
      type: 'array',
      keySize: 4,
      valueSize: 16,
      maxEntries: 1,
      flags: 128,
      fields: [],
      initial: new Uint8Array(16),
      frozen: true,
    },
  });
  const contents = (settings: Parameters<typeof applySettings>[2]): number[] => {
    const map = fresh();
    applySettings([map], btf, settings, 'made.o');
    return [...map.def.initial];
  };
  const set = (...given: readonly (readonly [string, string])[]) => contents({ variables: new Map(given) });

  it('are written where the variable is, little endian', () => {
    expect(set(['debug', '0x01020304'])).toEqual([4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(set(['conf.limit', '-1'], ['conf.bytes[2]', '-2'], ['conf.mode', 'ON'])).toEqual([
      0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 254, 0, 7, 0, 0, 0,
    ]);
    expect(set(['debug', 'true'])[0]).toBe(1);
    expect(contents({ rodata: Uint8Array.from({ length: 16 }, (_, i) => i) })[9]).toBe(9);
    // A variable is set after the contents of the section.
    expect(
      contents({ rodata: new Uint8Array(16).fill(9), variables: new Map([['debug', '0']]) }).slice(0, 5),
    ).toEqual([0, 0, 0, 0, 9]);
  });

  it.each([
    ['nothing', '1', /the object has no variable 'nothing'/],
    ['conf', '1', /this is no number, but a struct/],
    ['conf.more', '1', /there is no 'more' in it/],
    ['conf.bytes[4]', '1', /there is no '\[4\]' in it/],
    ['debug', '4294967296', /does not fit into 4 bytes/],
    ['conf.bytes[0]', '-129', /does not fit into 1 bytes/],
    ['debug', 'ON', /expected a number/],
    ['debug..x', '1', /expected a variable/],
  ])('%s=%s is refused', (name, value, message) => {
    expect(() => set([name, value])).toThrow(message);
  });

  it('contents of another length are refused', () => {
    expect(() => contents({ rodata: new Uint8Array(15) })).toThrow(/the file has 15 bytes, expected 16/);
  });
});

describe('a variable in an arena', () => {
  it('without an arena leaves out only the programs that use it, and is named', () => {
    const load = opsOf('r1 = 7 ll\nr0 = 0\nexit');
    const { programs, skipped } = readObject(
      elfOf({
        sections: [
          section('xdp', load),
          section('tc', RETURN),
          { name: '.addr_space.1', flags: 3, data: new Uint8Array(8) },
        ],
        symbols: [
          main('uses', 1, load),
          main('plain', 2, RETURN),
          { name: 'counter', section: 3, value: 0, type: 1, size: 4, bind: 1 },
        ],
        relocations: [{ section: 1, offset: 0, type: 1, symbol: 3 }],
      }),
      'made.o',
      { targetBtf: 'none' },
    );
    expect(programs.map(({ name }) => name)).toEqual(['plain']);
    expect(skipped).toMatchObject([
      {
        name: 'uses',
        reason:
          "it uses 'counter', a variable in an arena, and the object has no arena, expected one in section '.maps'",
      },
    ]);
  });
});
