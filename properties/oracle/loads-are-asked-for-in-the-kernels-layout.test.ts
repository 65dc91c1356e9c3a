/**
 * What bpf(2) is handed to load programs and BTF, field by field of union bpf_attr (include/uapi/linux/bpf.h), and what is made of its answers. The system call is a stand-in.
 */
import { constants } from 'node:os';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { exit, ldMap, mov, r0, r1 } from '../../src/isa/build.js';
import { toBytes } from '../../src/isa/bytes.js';
import { encodeAll } from '../../src/isa/encode.js';
import type { Program, ProgType } from '../../src/object/program.js';
import { attachTarget } from '../../src/oracle/attach.js';
import { loadBtf } from '../../src/oracle/btf.js';
import { kernelInsns } from '../../src/oracle/insns.js';
import { type LoadResult, loadProgram } from '../../src/oracle/load.js';
import { KernelMap } from '../../src/oracle/maps.js';
import { programOf } from '../support/kernel/programs.js';
import { btfOf, INT } from '../support/objects/types.js';
import { type Call, def, forgetCalls, numbers, text, words, world } from '../support/oracle/recorded-bpf.js';

vi.mock('../../src/oracle/syscall.js', async (original) =>
  (await import('../support/oracle/recorded-bpf.js')).recordedSyscall(await original()),
);
vi.mock('node:fs', async (original) =>
  (await import('../support/oracle/recorded-bpf.js')).filesOfAKernel(await original()),
);

beforeEach(forgetCalls);

const { EINVAL, EPERM, EAGAIN, EINTR, ENOSPC, EACCES, ENOMEM, EMFILE, ENFILE, ENOSYS, E2BIG } =
  constants.errno;

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

it('the insns of a 64-bit immediate are left alone, whatever they look like', () => {
  const insns = encodeAll([{ kind: 'ld_imm64', dst: 1, as: 'imm', imm: 0, hi: 0 }, exit()]);
  const odd = { ...insns[1]!, opcode: 0x85, src: 2, imm: 9 };
  expect(kernelInsns({ ...programOf('xdp', [exit()]), insns: [insns[0]!, odd, insns[2]!] })[8]).toBe(0x85);
});
