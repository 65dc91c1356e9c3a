/**
 * What bpf(2) is handed, field by field of union bpf_attr (include/uapi/linux/bpf.h), and what is made of its answers. The system call is a
 * stand-in here that records and answers: no kernel is needed.
 */
import { constants } from 'node:os';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { exit, ldMap, mov, r0, r1 } from '../../src/isa/build.js';
import { toBytes } from '../../src/isa/bytes.js';
import { encodeAll } from '../../src/isa/encode.js';
import type { BtfType } from '../../src/object/btf/types.js';
import { MAP_TYPES, type MapDef, type Program, type ProgType } from '../../src/object/program.js';
import { attachTarget } from '../../src/oracle/attach.js';
import { loadBtf } from '../../src/oracle/btf.js';
import { kernelInsns } from '../../src/oracle/insns.js';
import { type LoadResult, loadProgram } from '../../src/oracle/load.js';
import { createMap, KernelMap, possibleCpus } from '../../src/oracle/maps.js';
import { drainRingbuf } from '../../src/oracle/ringbuf.js';
import { testRun } from '../../src/oracle/testrun.js';
import { programOf } from '../support/kernel/programs.js';
import { btfOf, INT } from '../support/objects/types.js';
import { seeded } from '../support/seed.js';

interface Call {
  readonly cmd: number;
  readonly bytes: Buffer;
  readonly pointers: ReadonlyMap<number, Uint8Array>;
}

interface World {
  calls: Call[];
  closed: number[];
  strict: number;
  /** Answers a call; descriptors are given out one after the other unless it does. */
  answer: (call: Call) => number | undefined;
  /** Memory of ring buffers: consumer page, producer page and data. */
  memory: Buffer;
  mapped: (readonly [offset: number, length: number, writable: boolean])[];
}

const world = vi.hoisted(
  (): World => ({
    calls: [],
    closed: [],
    strict: 0,
    answer: () => undefined,
    memory: Buffer.alloc(0),
    mapped: [],
  }),
);

vi.mock('../../src/oracle/syscall.js', async (original) => {
  const real = await original<typeof import('../../src/oracle/syscall.js')>();
  class Attr extends real.Attr {
    readonly pointers = new Map<number, Uint8Array>();
    override pointer(offset: number, buffer: Uint8Array): this {
      if (buffer.length > 0) this.pointers.set(offset, buffer);
      return this;
    }
  }
  let next = 100;
  return {
    ...real,
    Attr,
    bpf: (cmd: number, attr: Attr): number => {
      const call = { cmd, bytes: attr.bytes, pointers: attr.pointers };
      world.calls.push({ ...call, bytes: Buffer.from(attr.bytes) });
      return world.answer(call) ?? ([0, 5, 18].includes(cmd) ? next++ : 0);
    },
    closeFd: (fd: number) => world.closed.push(fd),
    withoutLaxCaps: <T>(body: () => T): T => {
      world.strict++;
      return body();
    },
    SharedMemory: class {
      constructor(
        _fd: number,
        private readonly offset: number,
        length: number,
        writable: boolean,
      ) {
        world.mapped.push([offset, length, writable]);
      }
      read(at: number, length: number): Buffer {
        return Buffer.from(world.memory.subarray(this.offset + at, this.offset + at + length));
      }
      write(at: number, bytes: Uint8Array): void {
        world.memory.set(bytes, this.offset + at);
      }
      close(): void {}
    },
  };
});

const KERNEL_TYPES: readonly BtfType[] = [
  INT,
  { kind: 'func_proto', returns: 0, params: [] },
  ...['bpf_rcu_read_lock', 'bpf_lsm_file_open', 'bpf_iter_task', 'vfs_read'].map(
    (name): BtfType => ({ kind: 'func', name, type: 2, linkage: 'static' }),
  ),
  { kind: 'typedef', name: 'btf_trace_sched_switch', type: 1 },
];
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const readFileSync = ((path: string, ...rest: []) => {
    if (path === '/sys/kernel/btf/vmlinux') return Buffer.from(btfOf(KERNEL_TYPES));
    if (path === '/sys/devices/system/cpu/possible') return '0-2,5\n';
    return real.readFileSync(path, ...rest);
  }) as typeof real.readFileSync;
  return { ...real, readFileSync };
});

beforeEach(() => {
  world.calls = [];
  world.closed = [];
  world.strict = 0;
  world.answer = () => undefined;
  world.mapped = [];
});

const { EINVAL, ENOENT, EPERM, EAGAIN, EINTR, ENOSPC, EACCES, ENOMEM, EMFILE, ENFILE, ENOSYS, E2BIG } =
  constants.errno;
/** All 32-bit words of an attribute that are not 0, by offset. */
const words = ({ bytes }: Pick<Call, 'bytes'>): Record<number, number> =>
  Object.fromEntries(
    Array.from({ length: bytes.length / 4 }, (_, i) => [4 * i, bytes.readUInt32LE(4 * i)] as const).filter(
      ([, value]) => value !== 0,
    ),
  );
const text = (call: Call, offset: number): string =>
  call.bytes.toString('latin1', offset, offset + 16).replace(/\0+$/, '');
/** The same without the name at an offset. */
const numbers = (call: Call, name: number): Record<number, number> =>
  Object.fromEntries(
    Object.entries(words(call)).filter(([at]) => Number(at) < name || Number(at) >= name + 16),
  );

const def: MapDef = {
  name: 'm',
  type: 'hash',
  keySize: 5,
  valueSize: 6,
  maxEntries: 7,
  flags: 8,
  fields: [],
};

describe('maps', () => {
  it('every field of a definition', () => {
    const map = createMap({ ...def, extra: 0x1_0000_0002n, name: 'a name/that is long.x' });
    const [call] = world.calls;
    expect(call!.cmd).toBe(0);
    expect(numbers(call!, 28)).toEqual({ 0: 1, 4: 5, 8: 6, 12: 7, 16: 8, 64: 2, 68: 1 });
    expect(text(call!, 28)).toBe('a_name_that_is_');
    expect(world.calls).toHaveLength(1);
    map.close();
    map.close();
    expect(world.closed).toEqual([map.fd]);
  });

  it('BTF for the types that take it', () => {
    const takes = MAP_TYPES.filter((type) => {
      world.calls = [];
      createMap({ ...def, type }, { fd: 44, key: 2, value: 3 });
      const all = words(world.calls[0]!);
      if (all[48] === undefined) expect([all[52], all[56]]).toEqual([undefined, undefined]);
      else expect([all[48], all[52], all[56]]).toEqual([44, 2, 3]);
      return all[48] !== undefined;
    });
    expect([...takes].sort()).toEqual(
      [
        'array',
        'percpu_array',
        'hash',
        'lru_hash',
        'percpu_hash',
        'lru_percpu_hash',
        'lpm_trie',
        'cgroup_storage',
        'percpu_cgroup_storage',
        'sk_storage',
        'inode_storage',
        'task_storage',
        'cgrp_storage',
      ].sort(),
    );
    world.calls = [];
    createMap(def, { fd: 44, key: 2, value: 0 });
    expect(words(world.calls[0]!)[48]).toBeUndefined();
  });

  it('a map of maps has the descriptor of one like its entries, which is closed', () => {
    const inner: MapDef = { ...def, name: 'in', btfKey: 8, btfValue: 9 };
    createMap({ ...def, type: 'array_of_maps', inner }, { fd: 44, key: 0, value: 0 });
    const [first, second] = world.calls;
    expect(words(first!)).toMatchObject({ 0: 1, 48: 44, 52: 8, 56: 9 });
    expect(world.closed).toHaveLength(1);
    expect(words(second!)).toMatchObject({ 0: 12, 20: world.closed[0] });
    world.closed = [];
    world.answer = ({ bytes }) => (bytes.readUInt32LE(0) === 12 ? -EINVAL : undefined);
    expect(() => createMap({ ...def, type: 'array_of_maps', inner })).toThrow(
      'create array_of_maps map m: EINVAL',
    );
    expect(world.closed).toHaveLength(1);
  });

  it('contents are written to entry 0 and frozen; zeros are there already', () => {
    const array: MapDef = { ...def, type: 'array', keySize: 4, valueSize: 8 };
    createMap({ ...array, initial: Uint8Array.of(0, 1, 2), frozen: true });
    const [made, update, freeze] = world.calls;
    expect([made, update, freeze].map((call) => call!.cmd)).toEqual([0, 2, 22]);
    expect([...update!.pointers.get(8)!]).toEqual([0, 0, 0, 0]);
    expect([...update!.pointers.get(16)!]).toEqual([0, 1, 2, 0, 0, 0, 0, 0]);
    expect(words(freeze!)[0]).toBe(words(update!)[0]);
    world.calls = [];
    createMap({ ...array, initial: new Uint8Array(8) });
    createMap({ ...array, frozen: false });
    expect(world.calls.map(({ cmd }) => cmd)).toEqual([0, 0]);
    world.answer = ({ cmd }) => (cmd === 22 ? -EPERM : undefined);
    world.closed = [];
    expect(() => createMap({ ...array, frozen: true })).toThrow('freeze map m: EPERM');
    expect(world.closed).toHaveLength(1);
  });

  it('entries: read, written, deleted, gone through', () => {
    const map = new KernelMap({ ...def, keySize: 4, valueSize: 2 }, 55);
    const key = Uint8Array.of(1, 2, 3, 4);
    world.answer = ({ cmd, pointers }) => {
      if (cmd !== 1) return undefined;
      pointers.get(16)!.set([7, 8]);
      return 0;
    };
    expect([...map.lookup(key)!]).toEqual([7, 8]);
    map.update(key, Uint8Array.of(9, 9), 2);
    expect(map.delete(key)).toBe(true);
    expect(world.calls.map((call) => [call.cmd, words(call)])).toEqual([
      [1, { 0: 55 }],
      [2, { 0: 55, 24: 2 }],
      [3, { 0: 55 }],
    ]);
    expect(world.calls.every(({ pointers }) => Buffer.from(pointers.get(8)!).equals(Buffer.from(key)))).toBe(
      true,
    );
    world.answer = () => -ENOENT;
    expect([map.lookup(key), map.delete(key), map.keys()]).toEqual([undefined, false, []]);
    expect(() => map.update(key, Uint8Array.of(1, 1))).toThrow('update map m: ENOENT');
    world.answer = () => -EINVAL;
    expect(() => map.lookup(key)).toThrow('look up in map m: EINVAL');
    expect(() => map.delete(key)).toThrow('delete from map m: EINVAL');
    expect(() => map.keys()).toThrow('iterate over map m: EINVAL');
    expect(() => map.lookup(key.slice(1))).toThrow(RangeError);
    expect(() => map.update(key, Uint8Array.of(1))).toThrow(RangeError);
    let last = 0;
    world.calls = [];
    world.answer = ({ cmd, pointers }) => {
      if (cmd === 1) return 0;
      if (last === 3) return -ENOENT;
      pointers.get(16)![0] = ++last;
      return 0;
    };
    expect(map.keys().map(([first]) => first)).toEqual([1, 2, 3]);
    expect(world.calls.map(({ cmd, pointers }) => [cmd, pointers.get(8)?.[0]])).toEqual([
      [4, undefined],
      [4, 1],
      [4, 2],
      [4, 3],
    ]);
    // A map that grows meanwhile: no more than fit, and one.
    world.answer = () => 0;
    expect(map.keys()).toHaveLength(8);
  });

  it('values of maps for each CPU: one for each that may come', () => {
    expect(possibleCpus()).toBe(6);
    const sizes = MAP_TYPES.map(
      (type) => [type, new KernelMap({ ...def, type, valueSize: 9 }, 1).entrySize] as const,
    );
    for (const [type, size] of sizes) {
      const percpu = ['percpu_array', 'percpu_hash', 'lru_percpu_hash', 'percpu_cgroup_storage'].includes(
        type,
      );
      expect(size, type).toBe(percpu ? 96 : 9);
    }
  });
});

describe('loads', () => {
  const program: Program = programOf('xdp', [ldMap(r1, 0), mov(r0, 2), exit()], {
    maps: [{ ...def }, { ...def, name: 'n' }],
  });
  const small = programOf('xdp', [mov(r0, 2), exit()]);
  const loads = (): Call[] => world.calls.filter(({ cmd }) => cmd === 5);

  it('every field', () => {
    const result = loadProgram(program);
    const [call] = loads();
    expect(numbers(call!, 48)).toEqual({ 0: 6, 4: 4 });
    expect(text(call!, 48)).toBe('property');
    expect(Buffer.from(call!.pointers.get(8)!).equals(toBytes(program.insns))).toBe(true);
    expect(Buffer.from(call!.pointers.get(16)!).toString()).toBe('GPL\0');
    expect(result.ok).toBe(true);
    if (!result.ok) return;
    const fds = Buffer.from(call!.pointers.get(120)!);
    expect([fds.readInt32LE(0), fds.readInt32LE(4)]).toEqual(result.maps.map(({ fd }) => fd));
    expect([...call!.pointers.keys()]).toEqual([8, 16, 120]);
    expect(world.closed).toEqual([]);
    result.close();
    result.close();
    expect(world.closed).toEqual([result.fd, ...result.maps.map(({ fd }) => fd)]);
  });

  it.each<[Partial<Program>, Parameters<typeof loadProgram>[1], Record<number, number>]>([
    [{}, {}, { 0: 6, 4: 2 }],
    [{ sleepable: true }, {}, { 0: 6, 4: 2, 44: 16 }],
    [{ type: 'syscall' }, {}, { 0: 31, 4: 2, 44: 16 }],
    [{}, { everyState: true }, { 0: 6, 4: 2, 44: 8 }],
    [{ sleepable: true }, { everyState: true }, { 0: 6, 4: 2, 44: 24 }],
    [{ attach: { type: 33 } }, {}, { 0: 6, 4: 2, 68: 33 }],
    [{ type: 'lsm', attach: { type: 27, target: 'file_open' } }, {}, { 0: 29, 4: 2, 68: 27, 108: 4 }],
    [{ type: 'tp_btf', attach: { type: 23, target: 'sched_switch' } }, {}, { 0: 26, 4: 2, 68: 23, 108: 7 }],
    [{ type: 'iter', attach: { type: 28, target: 'task' } }, {}, { 0: 26, 4: 2, 68: 28, 108: 5 }],
    [{ type: 'fentry', attach: { type: 24, target: 'vfs_read' } }, {}, { 0: 26, 4: 2, 68: 24, 108: 6 }],
  ])('%j %j', (more, options, expected) => {
    const result = loadProgram({ ...small, ...more }, options);
    expect(result.ok).toBe(true);
    expect(numbers(loads()[0]!, 48)).toEqual(expected);
  });

  it('licence and what is strict', () => {
    loadProgram({ ...small, license: 'MIT' }, { strictCaps: true });
    expect(Buffer.from(loads()[0]!.pointers.get(16)!).toString()).toBe('MIT\0');
    expect(world.strict).toBe(1);
    loadProgram(small);
    expect(world.strict).toBe(1);
  });

  it('BTF of its own, and where its functions are', () => {
    const btf = btfOf([INT]);
    const subprogs = [
      { name: 'main', start: 0, linkage: 'global', btfId: 3 },
      { name: 'work', start: 1, linkage: 'static', btfId: 5 },
    ] as const;
    loadProgram({ ...small, btf, subprogs });
    const [asked, load] = world.calls;
    expect([asked!.cmd, words(asked!)]).toEqual([18, { 16: btf.length }]);
    const info = Buffer.from(load!.pointers.get(80)!);
    expect(Array.from({ length: 4 }, (_, i) => info.readUInt32LE(4 * i))).toEqual([0, 3, 1, 5]);
    expect(numbers(load!, 48)).toEqual({ 0: 6, 4: 2, 72: world.closed[0], 76: 8, 88: 2 });
    expect(world.closed).toHaveLength(1);
    // One function without a type: none is told.
    world.calls = [];
    loadProgram({ ...small, btf, subprogs: [subprogs[0], { ...subprogs[1], btfId: undefined as never }] });
    expect(loads()[0]!.pointers.has(80)).toBe(false);
    expect(words(loads()[0]!)[88]).toBeUndefined();
  });

  const LOG = '0: (b7) r0 = 2\nR9 !read_ok\nprocessed 1 insns (limit 1000000) max_states_per_insn 0\n';
  /** Refuses, and writes a log as a kernel does that needs `needed` bytes for all of it. */
  const refusing =
    (code: number, log = LOG, needed = log.length + 1) =>
    ({ cmd, bytes, pointers }: Call): number | undefined => {
      if (cmd !== 5) return undefined;
      const buffer = pointers.get(32);
      if (buffer === undefined) return -code;
      bytes.writeUInt32LE(needed, 140);
      buffer.set(Buffer.from(log).subarray(0, buffer.length - 1));
      return buffer.length < needed ? -ENOSPC : -code;
    };
  const outcome = (result: LoadResult): unknown =>
    result.ok ? 'loaded' : [result.stage, result.errno, result.message, result.insn];

  const stageOf = (result: LoadResult): unknown => (result.ok ? 'loaded' : [result.stage, result.errno]);

  it('a refusal is asked about once, with a log of level 1 or 2', () => {
    world.answer = refusing(EACCES);
    expect(outcome(loadProgram(program))).toEqual(['program', 'EACCES', 'R9 !read_ok', 0]);
    expect(loads().map((call) => [words(call)[24], words(call)[28]])).toEqual([
      [undefined, undefined],
      [1, 1 << 16],
    ]);
    expect(world.closed).toHaveLength(2);
    for (const [logLevel, level] of [
      [2, 2],
      [1, 1],
      [4, 1],
      [0, 1],
    ] as const) {
      world.calls = [];
      loadProgram(small, { logLevel });
      expect(words(loads()[1]!)[24]).toBe(level);
    }
    world.calls = [];
    expect(outcome(loadProgram(small, { explain: false }))).toEqual([
      'program',
      'EACCES',
      'EACCES',
      undefined,
    ]);
    expect(loads()).toHaveLength(1);
  });

  it('errors that say nothing of the program', () => {
    for (const [name, code] of Object.entries({ EAGAIN, EINTR, EMFILE, ENFILE, ENOSYS })) {
      world.answer = refusing(code);
      expect(outcome(loadProgram(small))).toEqual(['call', name, `load program: ${name}`, undefined]);
    }
    world.answer = refusing(ENOMEM, '');
    expect(outcome(loadProgram(small))).toEqual(['call', 'ENOMEM', 'load program: ENOMEM', undefined]);
    // Too many paths is an ENOMEM, too; what the verifier says is about the program.
    world.answer = refusing(ENOMEM);
    expect(outcome(loadProgram(small))).toEqual(['program', 'ENOMEM', 'R9 !read_ok', 0]);
    for (const [name, code] of Object.entries({ EINVAL, E2BIG, EACCES })) {
      world.answer = refusing(code, '');
      expect(outcome(loadProgram(small))).toEqual([
        'program',
        name,
        `${name} and no word from the verifier`,
        undefined,
      ]);
    }
    world.answer = refusing(EPERM, '');
    expect(outcome(loadProgram(small, { explain: false }))).toEqual([
      'call',
      'EPERM',
      'EPERM and no word from the verifier',
      undefined,
    ]);
    world.answer = refusing(EPERM);
    expect(outcome(loadProgram(small))).toEqual(['program', 'EPERM', 'R9 !read_ok', 0]);
  });

  it('a verifier that was interrupted is asked again, five times in all', () => {
    for (const [times, expected] of [
      [0, 'loaded'],
      [4, 'loaded'],
      [5, ['call', 'EAGAIN', 'load program: EAGAIN', undefined]],
    ] as const) {
      world.calls = [];
      world.answer = ({ cmd }) => (cmd === 5 && loads().length <= times ? -EAGAIN : undefined);
      expect(outcome(loadProgram(small))).toEqual(expected);
      expect(loads()).toHaveLength(Math.min(5, times + 1));
    }
    world.calls = [];
    world.answer = ({ cmd }) => (cmd === 5 ? -EINTR : undefined);
    loadProgram(small);
    expect(loads()).toHaveLength(1);
  });

  it('a log that was asked for is taken whole; of a refusal the end is enough', () => {
    const long = `${'x'.repeat(100_000)}\n${LOG}`;
    const sizes = (): unknown =>
      loads()
        .slice(1)
        .map((call) => words(call)[28]);
    world.answer = refusing(EACCES, long);
    expect(loadProgram(small)).toMatchObject({ errno: 'EACCES', logCut: true });
    expect(sizes()).toEqual([1 << 16]);
    world.calls = [];
    expect(loadProgram(small, { logLevel: 2 })).toMatchObject({ logCut: false, log: long });
    expect(sizes()).toEqual([1 << 16, 1 << 18]);
    world.calls = [];
    expect(loadProgram(small, { logLevel: 2, logLimit: 70_000 })).toMatchObject({ logCut: true });
    expect(sizes()).toEqual([1 << 16, 70_000]);
    // A kernel before 6.4 does not count what it needs.
    world.calls = [];
    world.answer = ({ bytes, ...call }) => {
      const result = refusing(EACCES, long)({ bytes, ...call });
      if (call.cmd === 5) bytes.writeUInt32LE(0, 140);
      return result;
    };
    loadProgram(small);
    expect(sizes()).toEqual([1 << 16, 1 << 18]);
  });

  it('the log of what is loaded is that of a second load, which is closed', () => {
    world.answer = ({ cmd, pointers }) => {
      if (cmd === 5) pointers.get(32)?.set(Buffer.from('some log'));
      return undefined;
    };
    const result = loadProgram(small, { logLevel: 2 });
    expect(result).toMatchObject({ ok: true, log: 'some log', logCut: false });
    expect(loads().map((call) => words(call)[24])).toEqual([undefined, 2]);
    expect(world.closed).toHaveLength(1);
    expect(result.ok && world.closed[0] !== result.fd).toBe(true);
    expect(loadProgram(small)).toMatchObject({ ok: true, log: '' });
  });

  it('what cannot be asked, by what it was', () => {
    const call = { kind: 'call', target: 'kfunc', imm: 0 } as const;
    const kfunc = (name: string) => programOf('tc', [call, mov(r0, 0), exit()], { kfuncs: [name] });
    expect(new DataView(kernelInsns(kfunc('bpf_rcu_read_lock')).buffer).getInt32(4, true)).toBe(3);
    expect(stageOf(loadProgram(kfunc('nowhere')))).toEqual(['kfunc', 'ENOENT']);
    expect(stageOf(loadProgram(programOf('tc', [call, exit()])))).toEqual(['kfunc', 'EINVAL']);
    expect(stageOf(loadProgram(programOf('tc', [])))).toEqual(['kfunc', 'EINVAL']);
    const lost = { ...small, type: 'lsm', attach: { type: 27, target: 'nowhere' } } as const;
    expect(stageOf(loadProgram(lost))).toEqual(['kfunc', 'ESRCH']);
    world.answer = ({ cmd }) => (cmd === 18 ? -EINVAL : undefined);
    expect(stageOf(loadProgram({ ...small, btf: btfOf([INT]) }))).toEqual(['btf', 'EINVAL']);
    world.answer = ({ cmd, bytes }) =>
      cmd === 0 && text({ bytes } as Call, 28) === 'n' ? -E2BIG : undefined;
    world.closed = [];
    expect(outcome(loadProgram(program))).toEqual(['map', 'E2BIG', 'create hash map n: E2BIG', undefined]);
    expect(world.closed).toHaveLength(1);
  });

  it('maps that are lent are not made and not closed', () => {
    const lent = new KernelMap(def, 66);
    const result = loadProgram(program, { lend: (_, index) => (index === 0 ? lent : undefined) });
    expect(world.calls.filter(({ cmd }) => cmd === 0)).toHaveLength(1);
    if (!result.ok) throw new Error('refused');
    expect(Buffer.from(loads()[0]!.pointers.get(120)!).readInt32LE(0)).toBe(66);
    result.close();
    expect(world.closed).not.toContain(66);
    expect(world.closed).toHaveLength(2);
  });

  it('BTF that is refused, in the last words of the kernel', () => {
    world.answer = ({ pointers }) => {
      pointers.get(8)?.set(Buffer.from('magic: 0xeb9f\n\nInvalid name\n'));
      return -EINVAL;
    };
    expect(() => loadBtf(Uint8Array.of(1, 2, 3))).toThrow('load BTF: EINVAL: Invalid name');
    expect(world.calls.map(words)).toEqual([{ 16: 3 }, { 16: 3, 20: 1 << 16, 24: 1 }]);
  });

  it('only kinds that name a target have one', () => {
    const at = (type: ProgType, target?: string): number =>
      attachTarget({ ...small, type, attach: { type: 1, ...(target !== undefined && { target }) } });
    expect([at('xdp', 'vfs_read'), at('fentry'), at('fentry', 'vfs_read')]).toEqual([0, 0, 6]);
    expect(() => at('fentry', 'file_open')).toThrow(
      /file_open, to which it attaches, is not in this kernel's BTF/,
    );
    expect(() => at('tp_btf', 'vfs_read')).toThrow(/btf_trace_vfs_read/);
  });
});

describe('test runs', () => {
  const loaded = { ok: true, fd: 77, maps: [], log: '', logCut: false, close: () => undefined } as const;
  const run = (type: ProgType, input = {}) => testRun(programOf(type, [mov(r0, 2), exit()]), loaded, input);

  it('on a packet', () => {
    const data = Uint8Array.from({ length: 20 }, (_, i) => i);
    const ctx = Uint8Array.of(1, 2, 3, 4);
    world.answer = ({ bytes, pointers }) => {
      bytes.writeUInt32LE(0xffff_fffe, 4);
      bytes.writeUInt32LE(3, 12);
      bytes.writeUInt32LE(99, 36);
      bytes.writeUInt32LE(2, 44);
      pointers.get(24)!.set([9, 8, 7]);
      pointers.get(56)!.set([5, 6]);
      return 0;
    };
    expect(run('xdp', { data, ctx })).toEqual({
      ok: true,
      retval: 0xffff_fffe,
      dataOut: Buffer.of(9, 8, 7),
      ctxOut: Buffer.of(5, 6),
      durationNs: 99,
    });
    const [call] = world.calls;
    expect([call!.cmd, words(call!)]).toEqual([10, { 0: 77, 8: 20, 12: 532, 32: 1, 40: 4, 44: 4 }]);
    expect([call!.pointers.get(16), call!.pointers.get(48)]).toEqual([data, ctx]);
  });

  it('on a packet of zeros; never on a shorter one than there are', () => {
    world.answer = () => 0;
    run('tc');
    expect(words(world.calls[0]!)).toEqual({ 0: 77, 8: 64, 12: 576, 32: 1 });
    for (const length of [0, 13])
      expect(run('tc', { data: new Uint8Array(length) })).toEqual({
        ok: false,
        errno: 'EINVAL',
        message: `not run: a packet has at least 14 bytes, not ${length}`,
      });
    expect(world.calls).toHaveLength(1);
    expect(run('tc', { data: new Uint8Array(14) }).ok).toBe(true);
  });

  it('on a context, which is given back where it is written', () => {
    const ctx = Uint8Array.of(1, 2, 3, 4);
    world.answer = ({ bytes, pointers }) => {
      bytes.writeUInt32LE(5, 4);
      pointers.get(48)![0] = 42;
      return 0;
    };
    expect(run('syscall', { ctx })).toMatchObject({
      retval: 5,
      ctxOut: Buffer.of(42, 2, 3, 4),
      durationNs: 0,
    });
    expect(ctx[0]).toBe(1);
    expect(words(world.calls[0]!)).toEqual({ 0: 77, 40: 4 });
    for (const type of ['raw_tracepoint', 'sk_lookup'] as const)
      expect(run(type, { ctx })).toMatchObject({ retval: 5, ctxOut: new Uint8Array(0) });
  });

  it('that are interrupted are tried again, five times in all', () => {
    for (const code of [EAGAIN, EINTR]) {
      world.calls = [];
      world.answer = () => (world.calls.length < 5 ? -code : 0);
      expect(run('xdp').ok).toBe(true);
      world.calls = [];
      world.answer = () => -code;
      expect(run('xdp').ok).toBe(false);
      expect(world.calls).toHaveLength(5);
    }
    world.calls = [];
    world.answer = () => -EINVAL;
    expect(run('xdp')).toEqual({ ok: false, errno: 'EINVAL', message: 'test run: EINVAL' });
    expect(world.calls).toHaveLength(1);
  });
});

describe('ring buffers', () => {
  const PAGE = 4096;
  const ring = (size: number): KernelMap => new KernelMap({ ...def, type: 'ringbuf', maxEntries: size }, 5);
  const record = fc.record({
    bytes: fc.uint8Array({ maxLength: 40 }),
    state: fc.constantFrom('submitted', 'submitted', 'submitted', 'discarded', 'busy'),
  });

  it('give what was submitted, in order, up to what is being written, also where they wrap around', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 20 }),
        fc.nat(1 << 20),
        fc.boolean(),
        (records, laps, large) => {
          const size = large ? 8192 : 4096;
          // Position of the consumer: anywhere, to 8 bytes.
          const start = laps * 8;
          world.memory = Buffer.alloc(2 * PAGE + 2 * size);
          let at = start;
          const expected: number[][] = [];
          let stop: number | undefined;
          for (const { bytes, state } of records) {
            const piece = Buffer.alloc(8 + Math.ceil(bytes.length / 8) * 8);
            const flag = state === 'busy' ? 0x8000_0000 : state === 'discarded' ? 0x4000_0000 : 0;
            piece.writeUInt32LE((bytes.length | flag) >>> 0, 0);
            piece.set(bytes, 8);
            // Both copies of the data, byte by byte.
            piece.forEach((byte, i) => {
              world.memory[2 * PAGE + ((at + i) % size)] = byte;
              world.memory[2 * PAGE + size + ((at + i) % size)] = byte;
            });
            if (state === 'busy') stop ??= at;
            if (stop === undefined && state === 'submitted') expected.push([...bytes]);
            at += piece.length;
          }
          world.memory.writeBigUInt64LE(BigInt(start), 0);
          world.memory.writeBigUInt64LE(BigInt(at), PAGE);
          expect(drainRingbuf(ring(size)).map((found) => [...found])).toEqual(expected);
          expect(Number(world.memory.readBigUInt64LE(0))).toBe(stop ?? at);
          expect(drainRingbuf(ring(size))).toEqual([]);
          expect(world.mapped.slice(-2)).toEqual([
            [0, PAGE, true],
            [PAGE, PAGE + 2 * size, false],
          ]);
        },
      ),
      seeded(300),
    );
  });

  it('are the only maps that are drained', () => {
    expect(() => drainRingbuf(new KernelMap({ ...def, type: 'user_ringbuf' }, 5))).toThrow(
      'map m is no ring buffer',
    );
  });
});

it('the insns of a 64-bit immediate are left alone, whatever they look like', () => {
  const insns = encodeAll([{ kind: 'ld_imm64', dst: 1, as: 'imm', imm: 0, hi: 0 }, exit()]);
  const odd = { ...insns[1]!, opcode: 0x85, src: 2, imm: 9 };
  expect(kernelInsns({ ...programOf('xdp', [exit()]), insns: [insns[0]!, odd, insns[2]!] })[8]).toBe(0x85);
});
