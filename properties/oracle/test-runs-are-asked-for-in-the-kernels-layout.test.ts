/**
 * What bpf(2) is handed for test runs, field by field of union bpf_attr (include/uapi/linux/bpf.h), and what is made of its answers. The system call is a stand-in.
 */
import { constants } from 'node:os';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { exit, mov, r0 } from '../../src/isa/build.js';
import type { ProgType } from '../../src/object/program.js';
import { testRun } from '../../src/oracle/testrun.js';
import { programOf } from '../support/kernel/programs.js';
import { forgetCalls, words, world } from '../support/oracle/recorded-bpf.js';

vi.mock('../../src/oracle/syscall.js', async (original) =>
  (await import('../support/oracle/recorded-bpf.js')).recordedSyscall(await original()),
);
vi.mock('node:fs', async (original) =>
  (await import('../support/oracle/recorded-bpf.js')).filesOfAKernel(await original()),
);

beforeEach(forgetCalls);

const { EINVAL, EAGAIN, EINTR } = constants.errno;

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
