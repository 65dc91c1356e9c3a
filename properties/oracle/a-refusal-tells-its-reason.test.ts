/** Refused loads say what was refused and why, with the log that was asked for; and without a kernel to ask, one line says so. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  add,
  callHelper,
  callKfunc,
  exit,
  jmp,
  ldx,
  mov,
  r0,
  r1,
  r6,
  r10,
  stx,
} from '../../src/isa/build.js';
import { type Item, label } from '../../src/isa/label.js';
import { kernelAvailable } from '../../src/oracle/available.js';
import { kernelShowsBtf } from '../../src/oracle/btf.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { loadProgram } from '../../src/oracle/load.js';
import { complaint } from '../../src/oracle/log.js';
import { programOf, rawProgram, smallMap } from '../support/kernel/programs.js';
import { describeKernel, messagesKnown } from '../support/kernel/skip.js';

const nothing = programOf('xdp', [mov(r0, 2), exit()]);
const unread = programOf('xdp', [mov(r0, r6), exit()]);
/** Some thousand insns of log, then a refusal. */
const long = programOf('xdp', [
  ...Array.from({ length: 2000 }, (): Item => mov(r6, 1)),
  ldx(8, r0, r6, 0),
  exit(),
]);
const leaky = programOf('xdp', [stx(8, r10, -8, r1), ldx(8, r0, r10, -8), exit()]);
const uninitialised = programOf('xdp', [ldx(8, r0, r10, -8), mov(r0, 0), exit()]);

describeKernel('a refusal tells its reason', () => {
  it('error number, message, insn, log', () => {
    expect(loadProgram(unread)).toMatchObject({
      ok: false,
      stage: 'program',
      errno: 'EACCES',
      message: 'R6 !read_ok',
      insn: 0,
    });
    expect(loadProgram(unread, { explain: false })).toMatchObject({
      errno: 'EACCES',
      message: 'EACCES',
      log: '',
    });
  });

  it('what could not be asked is not a verdict', () => {
    const call = (name: string) => programOf('xdp', [callKfunc(0), mov(r0, 0), exit()], { kfuncs: [name] });
    expect(loadProgram(call('no_such_kfunc'))).toMatchObject({
      stage: 'kfunc',
      errno: 'ENOENT',
      message: expect.stringContaining(kernelShowsBtf() ? 'no_such_kfunc' : '/sys/kernel/btf/vmlinux'),
    });
    const noKey = { ...nothing, maps: [{ ...smallMap('hash'), keySize: 0 }] };
    expect(loadProgram(noKey)).toMatchObject({ stage: 'map', errno: 'EINVAL' });
    expect(loadProgram({ ...nothing, btf: new Uint8Array(64) })).toMatchObject({
      stage: 'btf',
      errno: 'EINVAL',
    });
    expect(loadProgram(rawProgram('xdp', []))).toMatchObject({ ok: false, errno: 'EINVAL' });
    const judge = new KernelJudge();
    try {
      expect(judge.judge(call('no_such_kfunc'))).toMatchObject({ accepted: false, judged: false });
      expect(judge.judge(unread)).toMatchObject({
        accepted: false,
        judged: true,
        message: 'R6 !read_ok',
        insn: 0,
      });
      expect(judge.judge(nothing)).toEqual({ accepted: true, judged: true });
    } finally {
      judge.close();
    }
  });

  it('a kfunc of the type that has it, a helper number past the last', () => {
    expect(loadProgram(programOf('tc', [callHelper(0), exit()]))).toMatchObject({ errno: 'EINVAL' });
    expect(loadProgram(programOf('tc', [callHelper(100_000), exit()])).ok).toBe(false);
  });

  it.skipIf(!messagesKnown())(
    'the end of a long log is enough; a log that is asked for is whole, or says that it is not',
    () => {
      const refused = loadProgram(long);
      expect(refused).toMatchObject({ message: "R6 invalid mem access 'scalar'", insn: 2000 });
      const whole = loadProgram(long, { logLevel: 2 });
      expect(whole).toMatchObject({ logCut: false, insn: 2000 });
      expect(whole.log.length).toBeGreaterThan(1 << 16);
      const cut = loadProgram(long, { logLevel: 2, logLimit: 4096 });
      expect(cut).toMatchObject({ logCut: true, errno: 'EACCES', message: "R6 invalid mem access 'scalar'" });
      expect(cut.log.length).toBeLessThanOrEqual(4096);
    },
  );

  it('a log that does not fit is no refusal', () => {
    const branches = Array.from({ length: 300 }, (_, i): Item[] => [
      jmp('eq', r1, i, 'out'),
      add(r6, 1),
    ]).flat();
    const program = programOf('xdp', [
      ldx(4, r1, r1, 0),
      mov(r1, 5),
      mov(r6, 0),
      ...branches,
      label('out'),
      mov(r0, 2),
      exit(),
    ]);
    const result = loadProgram(program, { logLevel: 2, logLimit: 256 });
    expect(result).toMatchObject({ ok: true, logCut: true });
    if (result.ok) result.close();
    const full = loadProgram(program, { logLevel: 2 });
    expect(full).toMatchObject({ ok: true, logCut: false });
    expect(full.log).toContain('processed ');
    if (full.ok) full.close();
    const figures = loadProgram(program, { logLevel: 4 });
    expect(figures.log).toMatch(/processed \d+ insns/);
    if (figures.ok) figures.close();
  });

  it.skipIf(!messagesKnown())(
    'without CAP_PERFMON and CAP_SYS_ADMIN leaks and unwritten stack are refused, and the capabilities come back',
    () => {
      for (const [program, message] of [
        [leaky, 'R0 leaks addr as return value'],
        [uninitialised, 'invalid read from stack R10 off=-8 size=8'],
      ] as const) {
        const lax = loadProgram(program);
        expect(lax.ok).toBe(true);
        if (lax.ok) lax.close();
        expect(loadProgram(program, { strictCaps: true })).toMatchObject({ ok: false, message });
        const again = loadProgram(program);
        expect(again.ok).toBe(true);
        if (again.ok) again.close();
      }
      // Tracing needs the very capability that is missing; that is no verdict.
      const trace = programOf('tracepoint', [mov(r0, 0), exit()]);
      expect(loadProgram(trace, { strictCaps: true })).toMatchObject({
        ok: false,
        stage: 'call',
        errno: 'EPERM',
      });
      const plain = loadProgram(nothing, { strictCaps: true });
      expect(plain.ok).toBe(true);
      if (plain.ok) plain.close();
    },
  );

  it('only the complaint is the message', () => {
    const log = [
      '0: R1=ctx() R10=fp0',
      '0: (85) call bpf_ringbuf_reserve#131',
      '1: (95) exit',
      'Unreleased reference id=2 alloc_insn=0',
      'Unreleased reference id=3 alloc_insn=0',
      'BPF_EXIT instruction in main prog would lead to reference leak',
      'processed 2 insns (limit 1000000) max_states_per_insn 0',
      '',
    ].join('\n');
    expect(complaint(log)).toMatchObject({
      insn: 1,
      message:
        'Unreleased reference id=2 alloc_insn=0 // Unreleased reference id=3 alloc_insn=0 // BPF_EXIT instruction in main prog would lead to reference leak',
    });
    const loop = [
      '1: (b7) r1 = 5                        ; R1=5',
      '2: (15) if r1 == 0x5 goto pc-2        ; R1=5',
      'infinite loop detected at insn 1',
      'cur state: R0=0 R1=5 R10=fp0',
      'old state: R0=0 R1=5 R10=fp0',
      'processed 10 insns (limit 1000000) max_states_per_insn 0',
    ].join('\n');
    expect(complaint(loop)).toMatchObject({ insn: 2, message: 'infinite loop detected at insn 1' });
    expect(complaint('')).toEqual({ message: '', lines: [] });
  });
});

/** kernel.unprivileged_bpf_disabled is 0. */
const everyoneMayLoad = (): boolean =>
  readFileSync('/proc/sys/kernel/unprivileged_bpf_disabled', 'latin1').trim() === '0';

describeKernel('without a kernel to ask', () => {
  afterEach(() => {
    process.seteuid?.(0);
    vi.resetModules();
  });

  it('one line says so', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root can become someone else');
    if (everyoneMayLoad()) skip('this kernel lets everyone call bpf(2)');
    expect(kernelAvailable().ok).toBe(true);
    vi.resetModules();
    const fresh = await import('../../src/oracle/available.js');
    const { KernelJudge: FreshJudge } = await import('../../src/oracle/bulk.js');
    process.seteuid?.(65534);
    expect(fresh.kernelAvailable()).toEqual({
      ok: false,
      reason: expect.stringMatching(/^bpf\(2\) is refused: EPERM/),
    });
    expect(() => new FreshJudge()).toThrow(/EPERM/);
  });
});

describe('without Linux', () => {
  it('a machine that is not Linux', async () => {
    vi.resetModules();
    const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin');
    try {
      const fresh = await import('../../src/oracle/available.js');
      expect(fresh.kernelAvailable()).toEqual({ ok: false, reason: 'bpf(2) needs Linux, this is darwin' });
    } finally {
      platform.mockRestore();
    }
  });
});
