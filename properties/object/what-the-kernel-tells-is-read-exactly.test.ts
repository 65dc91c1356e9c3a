/**
 * What an object takes from outside of its insns: `.BTF.ext`, the configuration and the symbols of a kernel (made up here), and the
 * kernel's structs and arguments as btf_struct_access and btf_ctx_access walk them.
 */
import { describe, expect, it, vi } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { readBtfExt } from '../../src/object/btf/ext.js';
import { Btf } from '../../src/object/btf/read.js';
import type { BtfType, Member } from '../../src/object/btf/types.js';
import { configMap } from '../../src/object/kconfig.js';
import { nullArgument } from '../../src/object/kernel/arguments.js';
import { kernelTypes } from '../../src/object/kernel/types.js';
import { kernelSymbol } from '../../src/object/ksyms.js';
import type { Attachment, ProgType } from '../../src/object/program.js';
import { btfOf, INT, UINT } from '../support/objects/types.js';

const CONFIG = `# CONFIG_ABSENT is not set
CONFIG_YES=y
CONFIG_MODULE=m
CONFIG_HZ=250
CONFIG_HEX=0x1ff
CONFIG_MINUS=-2
CONFIG_TEXT="abcdef"
`;
const SYMBOLS = `ffffffff81000000 T _text
ffffffff81000010 t twice
ffffffff81000020 t twice
ffffffff81000030 t only_in_module\t[a_module]
0000000000000000 T hidden
`;

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const readFileSync = ((path: string, ...rest: []) => {
    if (path === '/proc/config.gz') throw new Error('there is none');
    if (path.startsWith('/boot/config-')) return Buffer.from(CONFIG);
    if (path === '/proc/kallsyms') return SYMBOLS;
    return real.readFileSync(path, ...rest);
  }) as typeof real.readFileSync;
  return { ...real, readFileSync };
});
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  release: () => '6.18.300-test',
}));

describe('the configuration of a kernel', () => {
  const int = (
    name: string,
    size: 1 | 2 | 4 | 8,
    encoding: 'signed' | 'unsigned' | 'char' | 'bool' = 'unsigned',
  ): BtfType => ({
    kind: 'int',
    name,
    size,
    bits: 8 * size,
    bitOffset: 0,
    encoding,
  });
  const TYPES = [
    int('u8', 1, 'char'),
    int('u16', 2),
    int('u32', 4),
    int('u64', 8),
    int('bool', 1, 'bool'),
    { kind: 'enum', name: 'libbpf_tristate', size: 4, signed: false, values: [] },
    { kind: 'array', element: 1, index: 3, count: 4 },
    { kind: 'enum', name: 'other', size: 4, signed: false, values: [] },
    { kind: 'array', element: 1, index: 3, count: 8 },
  ] satisfies BtfType[];
  const local = new Btf(btfOf(TYPES), 'x.o');
  const [U8, U16, U32, U64, BOOL, TRISTATE, TEXT, OTHER, LONG_TEXT] = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
  const value = (name: string, type: number, weak = false): string => {
    const { def, settings } = configMap(local, [{ name, type }], () => weak);
    const setting = settings.get(name)!;
    if ('problem' in setting) return setting.problem;
    expect(setting.offset).toBe(0);
    return Buffer.from(def.initial!).toString('hex');
  };

  it.each<[string, number, string | undefined]>([
    ['CONFIG_YES', BOOL, '01'],
    ['CONFIG_YES', TRISTATE, '01000000'],
    ['CONFIG_YES', U8, '79'],
    ['CONFIG_YES', U32, undefined],
    ['CONFIG_YES', OTHER, undefined],
    ['CONFIG_MODULE', BOOL, undefined],
    ['CONFIG_MODULE', TRISTATE, '02000000'],
    ['CONFIG_MODULE', U8, '6d'],
    ['CONFIG_HZ', U32, 'fa000000'],
    ['CONFIG_HZ', U64, 'fa00000000000000'],
    ['CONFIG_HZ', U8, 'fa'],
    ['CONFIG_HZ', TEXT, undefined],
    ['CONFIG_HEX', U16, 'ff01'],
    ['CONFIG_MINUS', U32, 'feffffff'],
    ['CONFIG_TEXT', TEXT, '61626300'],
    ['CONFIG_TEXT', LONG_TEXT, '6162636465660000'],
    ['CONFIG_TEXT', U64, undefined],
    ['CONFIG_ABSENT', BOOL, undefined],
    // Of 6.18.300 the last part is kept to 255.
    ['LINUX_KERNEL_VERSION', U32, 'ff120600'],
    ['LINUX_HAS_BPF_COOKIE', BOOL, '01'],
    ['LINUX_HAS_SYSCALL_WRAPPER', BOOL, '01'],
  ])('%s as type %i', (name, type, bytes) => {
    expect(value(name, type)).toBe(
      bytes ?? `extern '${name}' of .kconfig has no value in the configuration of the kernel`,
    );
    if (bytes === undefined) expect(value(name, type, true)).toMatch(/^0+$/);
  });

  it('the map: the widest first, then by name, each aligned; read-only and frozen', () => {
    const externs = [
      { name: 'CONFIG_YES', type: BOOL },
      { name: 'CONFIG_HZ', type: U32 },
      { name: 'CONFIG_HEX', type: U16 },
      { name: 'CONFIG_MINUS', type: U64 },
      { name: 'CONFIG_ABSENT', type: U32 },
      { name: 'CONFIG_TEXT', type: TEXT },
    ];
    const { def, settings } = configMap(local, externs, (name) => name === 'CONFIG_ABSENT');
    expect(Object.fromEntries(settings)).toEqual({
      CONFIG_MINUS: { offset: 0 },
      CONFIG_ABSENT: { offset: 8 },
      CONFIG_HZ: { offset: 12 },
      CONFIG_TEXT: { offset: 16 },
      CONFIG_HEX: { offset: 20 },
      CONFIG_YES: { offset: 22 },
    });
    expect(def).toMatchObject({
      name: '.kconfig',
      type: 'array',
      keySize: 4,
      valueSize: 23,
      maxEntries: 1,
      flags: 1 << 7,
      frozen: true,
    });
    expect(configMap(local, [], () => false).def.valueSize).toBe(1);
  });
});

describe('the symbols of a kernel', () => {
  it.each([
    ['_text', 0xffff_ffff_8100_0000n],
    ['twice', 0xffff_ffff_8100_0010n],
    ['hidden', 0n],
    ['only_in_module', undefined],
    ['nothing', undefined],
  ])('%s', (name, address) => expect(kernelSymbol(name)).toBe(address));
});

describe('.BTF.ext', () => {
  /** Strings at 1 (`xdp`), 5 (`tc`), 8 (`0:1`). */
  const strings = Buffer.from('\0xdp\0tc\x000:1\0');
  const btfBytes = Buffer.alloc(24 + strings.length);
  btfBytes.writeUInt16LE(0xeb9f, 0);
  btfBytes.writeUInt8(1, 2);
  btfBytes.writeUInt32LE(24, 4);
  btfBytes.writeUInt32LE(strings.length, 20);
  strings.copy(btfBytes, 24);
  const btf = new Btf(new Uint8Array(btfBytes), 'x.o');

  const words = (...all: number[]): Buffer => Buffer.from(Uint32Array.from(all).buffer);
  /** A section with a header of this size. */
  function ext(
    funcs: Buffer,
    lines: Buffer,
    relos: Buffer,
    header = 32,
    magic = 0xeb9f,
    version = 1,
  ): Uint8Array {
    const head = Buffer.alloc(header);
    head.writeUInt16LE(magic, 0);
    head.writeUInt8(version, 2);
    head.writeUInt32LE(header, 4);
    head.writeUInt32LE(0, 8);
    head.writeUInt32LE(funcs.length, 12);
    head.writeUInt32LE(funcs.length, 16);
    head.writeUInt32LE(lines.length, 20);
    if (header >= 32) {
      head.writeUInt32LE(funcs.length + lines.length, 24);
      head.writeUInt32LE(relos.length, 28);
    }
    return new Uint8Array(Buffer.concat([head, funcs, lines, relos]));
  }
  const none = Buffer.alloc(0);
  const FUNCS = words(8, 1, 2, 0, 11, 16, 12, 5, 1, 8, 13);
  const LINES = words(16, 5, 1, 24, 1, 5, (77 << 10) | 9);
  const RELOS = words(16, 1, 1, 40, 3, 8, 2);

  it('every field of every record, by section', () => {
    const read = readBtfExt(ext(FUNCS, LINES, RELOS), 'x.o', btf);
    expect(Object.fromEntries(read.funcs)).toEqual({
      xdp: [
        { offset: 0, type: 11 },
        { offset: 16, type: 12 },
      ],
      tc: [{ offset: 8, type: 13 }],
    });
    expect(Object.fromEntries(read.lines)).toEqual({
      tc: [{ offset: 24, file: 1, text: 5, line: 77, column: 9 }],
    });
    expect(Object.fromEntries(read.relos)).toEqual({
      xdp: [{ offset: 40, type: 3, access: '0:1', accessAt: 8, kind: 2 }],
    });
  });

  it('longer records and a shorter header', () => {
    const longer = words(12, 1, 2, 0, 11, 99, 16, 12, 99);
    expect(readBtfExt(ext(longer, none, none), 'x.o', btf).funcs.get('xdp')).toEqual([
      { offset: 0, type: 11 },
      { offset: 16, type: 12 },
    ]);
    expect(readBtfExt(ext(FUNCS, LINES, none, 24), 'x.o', btf).relos.size).toBe(0);
    expect(readBtfExt(ext(none, none, none), 'x.o', btf).funcs.size).toBe(0);
    // A section that comes twice.
    expect(
      readBtfExt(ext(words(8, 1, 1, 0, 1, 1, 1, 8, 2), none, none), 'x.o', btf).funcs.get('xdp'),
    ).toHaveLength(2);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['magic', ext(none, none, none, 32, 0x9feb), /not little-endian BTF of version 1/],
    ['version', ext(none, none, none, 32, 0xeb9f, 2), /not little-endian BTF of version 1/],
    [
      'short header',
      ext(none, none, none, 24).map((byte, i) => (i === 4 ? 20 : byte)),
      /has a header of 20 bytes/,
    ],
    ['short records', ext(words(4, 1, 0), none, none), /has records of 4 bytes, expected at least 8/],
    ['short lines', ext(none, words(12, 1, 0), none), /has records of 12 bytes, expected at least 16/],
    ['short relocations', ext(none, none, words(12, 1, 0)), /has records of 12 bytes, expected at least 16/],
    ['odd records', ext(words(9, 1, 0), none, none), /has records of 9 bytes/],
    ['too many records', ext(words(8, 1, 3, 0, 11), none, none), /ends at byte/],
  ])('%s is refused', (_, bytes, message) => {
    expect(() => readBtfExt(bytes, 'x.o', btf)).toThrow(InputError);
    expect(() => readBtfExt(bytes, 'x.o', btf)).toThrow(message);
  });
});

describe('the structs of a kernel', () => {
  const place = (name: string, type: number, byte: number, bitSize = 0, bit = 0): Member => ({
    name,
    type,
    bitOffset: 8 * byte + bit,
    bitSize,
  });
  const struct = (name: string, size: number, ...members: Member[]): BtfType => ({
    kind: 'struct',
    name,
    size,
    members,
  });
  const TYPES: readonly BtfType[] = [
    INT, // 1
    UINT, // 2
    { kind: 'ptr', type: 4 }, // 3
    struct(
      'task',
      64,
      place('pid', 1, 0),
      place('parent', 3, 8),
      place('user', 6, 16),
      place('bits', 2, 24, 3, 2),
      place('in', 8, 32),
      place('list', 9, 48),
      place('void', 10, 56),
    ), // 4
    { kind: 'type_tag', name: 'user', type: 4, attribute: false }, // 5
    { kind: 'ptr', type: 5 }, // 6
    { kind: 'union', name: '', size: 8, members: [place('one', 1, 0), place('two', 3, 0)] }, // 7
    struct('inner', 16, place('either', 7, 0), place('last', 1, 8)), // 8
    { kind: 'array', element: 1, index: 1, count: 2 }, // 9
    { kind: 'ptr', type: 0 }, // 10
    { kind: 'array', element: 8, index: 1, count: 0 }, // 11
    struct('tail', 8, place('count', 1, 0), place('items', 11, 8)), // 12
    { kind: 'array', element: 1, index: 1, count: 0 }, // 13
    struct('numbers', 8, place('count', 1, 0), place('items', 13, 8)), // 14
    { kind: 'var', name: 'a_task', type: 4, linkage: 1 }, // 15
    { kind: 'var', name: 'a_number', type: 1, linkage: 1 }, // 16
    { kind: 'datasec', name: '.data..percpu', size: 8, vars: [{ type: 16, offset: 0, size: 4 }] }, // 17
    { kind: 'func_proto', returns: 0, params: [] }, // 18
    { kind: 'func', name: 'a_func', type: 18, linkage: 'global' }, // 19
    { kind: 'type_tag', name: 'percpu', type: 4, attribute: false }, // 20
    { kind: 'type_tag', name: 'rcu', type: 4, attribute: false }, // 21
    { kind: 'ptr', type: 20 }, // 22
    { kind: 'ptr', type: 21 }, // 23
    struct('tags', 16, place('p', 22, 0), place('r', 23, 8)), // 24
    { kind: 'union', name: '', size: 8, members: [place('two', 3, 0), place('one', 1, 0)] }, // 25
    { kind: 'union', name: '', size: 8, members: [place('parent', 3, 0)] }, // 26
    struct('mixed', 16, place('a', 25, 0), place('b', 26, 8)), // 27
  ];
  const types = kernelTypes(new Btf(btfOf(TYPES), 'vmlinux'));
  const pointer = (member: string, more = {}) => ({
    kind: 'pointer',
    to: 'task',
    member,
    viaUnion: false,
    ...more,
  });

  it.each<[string, number, number, unknown]>([
    ['task', 0, 4, { kind: 'scalar' }],
    ['task', 1, 1, { kind: 'scalar' }],
    ['task', 8, 8, pointer('parent')],
    ['task', 16, 8, pointer('user', { tag: 'user' })],
    ['task', 56, 8, pointer('void', { to: 'void' })],
    ['task', 24, 4, { kind: 'scalar' }],
    // Of a union the first member counts, and an access may go beyond it.
    ['task', 32, 8, { kind: 'scalar' }],
    ['mixed', 0, 8, pointer('two', { viaUnion: true })],
    ['mixed', 8, 8, pointer('parent')],
    ['task', 32, 4, { kind: 'scalar' }],
    ['task', 40, 4, { kind: 'scalar' }],
    ['task', 52, 4, { kind: 'scalar' }],
    ['tags', 0, 8, pointer('p', { tag: 'percpu' })],
    ['tags', 8, 8, pointer('r', { tag: 'rcu' })],
    ['tail', 8, 4, { kind: 'scalar' }],
    ['tail', 8 + 16 + 8, 4, { kind: 'scalar' }],
    ['tail', 8 + 32, 8, { kind: 'scalar' }],
    ['numbers', 800, 4, { kind: 'scalar' }],
  ])('%s at %i, %i bytes', (name, offset, size, expected) => {
    expect(types.access(name, offset, size)).toEqual(expected);
    expect(types.access(name, offset, size)).toEqual(expected);
  });

  it.each([
    ['task', 0, 8, 'access beyond the end of member pid (mend:4) in struct task with off 0 size 8'],
    ['task', 2, 4, 'access beyond the end of member pid (mend:4) in struct task with off 2 size 4'],
    ['task', 4, 4, "struct task doesn't have field at offset 4"],
    ['task', 12, 4, 'cannot access ptr member parent with moff 8 in struct task with off 12 size 4'],
    ['task', 8, 4, 'cannot access ptr member parent with moff 8 in struct task with off 8 size 4'],
    ['task', 64, 1, 'access beyond struct task at off 64 size 1'],
    ['task', 60, 8, 'access beyond struct task at off 60 size 8'],
    ['nothing', 0, 4, "Type 'nothing' is not a struct"],
  ])('%s at %i, %i bytes is refused: %s', (name, offset, size, message) => {
    expect(types.access(name, offset, size)).toEqual({ kind: 'refused', message });
  });

  it('names, members, variables, what lies in what', () => {
    expect(
      ['task', 'inner', 'int', 'x', 'btf_id 4', 'btf_id 7', 'btf_id 1', 'btf_id 99'].map((name) =>
        types.has(name),
      ),
    ).toEqual([true, true, false, false, true, true, false, false]);
    expect([0, 1, 4, 7, 8, 24, 28, -1].map((id) => types.nameOf(id))).toEqual([
      undefined,
      undefined,
      'task',
      undefined,
      'inner',
      'tags',
      undefined,
      undefined,
    ]);
    expect(types.member('task', 'list')).toEqual({ offset: 48, size: 8 });
    expect([types.member('task', 'either'), types.member('x', 'pid')]).toEqual([undefined, undefined]);
    expect([15, 16, 19, 4, 0, 99].map((id) => types.variable(id))).toEqual([
      { struct: 'task', size: 64, percpu: false },
      { struct: undefined, size: 4, percpu: true },
      { struct: undefined, size: 0, percpu: false },
      undefined,
      undefined,
      undefined,
    ]);
    expect(types.holds('task', 32, 'inner')).toBe(true);
    expect(types.holds('task', 0, 'task')).toBe(true);
    expect(types.holds('task', 40, 'inner')).toBe(false);
    expect(types.holds('task', 0, 'inner')).toBe(false);
    expect(types.holds('inner', 0, 'task')).toBe(false);
    expect(types.holds('tail', 8 + 16, 'inner')).toBe(true);
  });
});

describe('the arguments of what programs attach to', () => {
  /** A function with these parameters, by name and prefix. */
  function arguments_(
    type: ProgType,
    attach: Attachment,
    name: string,
    returns = 0,
    paramNames: readonly string[] = [],
  ): unknown {
    const params = [3, 1, 7, 8].map((type, i) => ({ name: paramNames[i] ?? 'p', type }));
    const traced = type === 'tp_btf';
    const types: BtfType[] = [
      INT,
      { kind: 'struct', name: 'task', size: 8, members: [] },
      { kind: 'ptr', type: 2 },
      { kind: 'func_proto', returns, params: traced ? [{ name: 'data', type: 8 }, ...params] : params },
      { kind: 'ptr', type: 4 },
      traced ? { kind: 'typedef', name, type: 5 } : { kind: 'func', name, type: 4, linkage: 'global' },
      { kind: 'ptr', type: 1 },
      { kind: 'ptr', type: 0 },
    ];
    return kernelTypes(new Btf(btfOf(types), 'vmlinux')).arguments(type, attach);
  }
  const task = (trust: 'trusted' | 'none', nullable = false) => ({
    kind: 'pointer',
    to: 'task',
    trust,
    nullable,
  });
  const NUMBERS = [
    { kind: 'scalar', size: 0 },
    { kind: 'scalar', size: 8 },
    { kind: 'scalar', size: 8 },
  ];

  it.each<[string, ProgType, Attachment, string, unknown]>([
    [
      'a tracepoint, without its own data',
      'tp_btf',
      { type: 23, target: 'x' },
      'btf_trace_x',
      [task('trusted'), ...NUMBERS],
    ],
    [
      'a tracepoint that may have NULL',
      'tp_btf',
      { type: 23, target: 'sched_process_wait' },
      'btf_trace_sched_process_wait',
      [task('trusted', true), ...NUMBERS],
    ],
    ['fentry', 'fentry', { type: 24, target: 'x' }, 'x', [task('none'), ...NUMBERS]],
    [
      'fexit of a function without a result',
      'fentry',
      { type: 25, target: 'x' },
      'x',
      [task('none'), ...NUMBERS],
    ],
    ['fmod_ret', 'fentry', { type: 26, target: 'x' }, 'x', [task('trusted'), ...NUMBERS]],
    ['LSM', 'lsm', { type: 27, target: 'x' }, 'bpf_lsm_x', [task('trusted'), ...NUMBERS]],
    ['an iterator', 'iter', { type: 28, target: 'x' }, 'bpf_iter_x', [task('trusted'), ...NUMBERS]],
    ['another target', 'lsm', { type: 27, target: 'y' }, 'bpf_lsm_x', undefined],
    ['no prefix', 'lsm', { type: 27, target: 'x' }, 'x', undefined],
    ['no target', 'fentry', { type: 24 }, 'x', undefined],
  ])('%s', (_, type, attach, name, expected) => {
    expect(arguments_(type, attach, name)).toEqual(expected);
  });

  it('results, where there is one to see', () => {
    const result = { kind: 'scalar', size: 0 };
    expect(arguments_('fentry', { type: 25, target: 'x' }, 'x', 1)).toEqual([
      task('none'),
      ...NUMBERS,
      result,
    ]);
    expect(arguments_('fentry', { type: 26, target: 'x' }, 'x', 1)).toEqual([
      task('trusted'),
      ...NUMBERS,
      result,
    ]);
    expect(arguments_('fentry', { type: 24, target: 'x' }, 'x', 1)).toEqual([task('none'), ...NUMBERS]);
    expect(arguments_('lsm', { type: 27, target: 'x' }, 'bpf_lsm_x', 1)).toEqual([
      task('trusted'),
      ...NUMBERS,
      result,
    ]);
    expect(arguments_('iter', { type: 28, target: 'x' }, 'bpf_iter_x', 1)).toEqual([
      task('trusted'),
      ...NUMBERS,
    ]);
  });

  it('parameters that say they may be NULL', () => {
    expect(arguments_('lsm', { type: 27, target: 'x' }, 'bpf_lsm_x', 0, ['p__nullable'])).toEqual([
      task('trusted', true),
      ...NUMBERS,
    ]);
  });

  it('which tracepoints may have NULL, and which errors', () => {
    expect([0, 1, 2].map((i) => nullArgument('cachefiles_lookup', i))).toEqual(['null', undefined, 'error']);
    expect([0, 1, 2].map((i) => nullArgument('tcp_send_reset', i))).toEqual(['null', 'null', undefined]);
    expect([2, 3].map((i) => nullArgument('mr_integ_alloc', i))).toEqual([undefined, 'error']);
    expect([2, 3, 4].map((i) => nullArgument('kfree_skb', i))).toEqual([undefined, 'null', undefined]);
    expect([0, 1].map((i) => nullArgument('sched_pi_setprio', i))).toEqual([undefined, 'null']);
    expect([0, 1].map((i) => nullArgument('sched_switch', i))).toEqual([undefined, undefined]);
  });
});
