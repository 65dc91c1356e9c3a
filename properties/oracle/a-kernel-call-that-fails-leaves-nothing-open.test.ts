/** Any bpf(2) call may fail with any error: a load is then retried or refused, and leaves nothing open. */
import { constants } from 'node:os';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { exit, ldMap, mov, r0, r1 } from '../../src/isa/build.js';
import { MAP_TYPES } from '../../src/object/program.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { openBpfFiles } from '../../src/oracle/files.js';
import { loadProgram } from '../../src/oracle/load.js';
import { lockCases } from '../support/kernel/locks.js';
import { programOf, smallMap } from '../support/kernel/programs.js';
import { describeKernel, messagesKnown } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

/** What the next calls return instead of reaching the kernel; undefined lets one through. */
const plan = vi.hoisted(() => ({ next: [] as (number | undefined)[] }));

vi.mock('../../src/oracle/syscall.js', async (original) => {
  const real = await original<typeof import('../../src/oracle/syscall.js')>();
  return {
    ...real,
    bpf: ((cmd, attr) => plan.next.shift() ?? real.bpf(cmd, attr)) satisfies typeof real.bpf,
  };
});

const { EAGAIN, EPERM, ENOMEM, EINTR, ENOSPC, EINVAL } = constants.errno;

const maps = [
  ...MAP_TYPES.map((type) => smallMap(type)),
  {
    ...smallMap('array', '.rodata'),
    maxEntries: 1,
    flags: 1 << 7,
    initial: new Uint8Array([1]),
    frozen: true,
  },
];
const good = programOf('xdp', [ldMap(r1, 0), mov(r0, 2), exit()], { maps });
const small = programOf('xdp', [mov(r0, 2), exit()]);
const refused = programOf('xdp', [
  mov(r0, r1),
  mov(r0, r0),
  { kind: 'call', target: 'helper', imm: 999 },
  exit(),
]);
const locked = lockCases.filter((known) => known.verdict === 'LOADS').map((known) => known.program);

describeKernel('a kernel call that fails leaves nothing open', () => {
  it('any errors, anywhere', () => {
    const errors = fc.array(
      fc.option(fc.constantFrom(...[EAGAIN, EPERM, ENOMEM, EINTR, ENOSPC, EINVAL].map((code) => -code)), {
        nil: undefined,
      }),
      { maxLength: 24 },
    );
    const before = openBpfFiles();
    let interfered = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(good, small, refused, ...locked),
        errors,
        fc.constantFrom(0 as const, 1 as const, 2 as const),
        (program, next, logLevel) => {
          plan.next = [...next];
          const result = loadProgram(program, { logLevel });
          plan.next = [];
          if (result.ok) result.close();
          else {
            interfered++;
            expect(result.errno).toMatch(/^E[A-Z]+$/);
            expect(result.message).not.toBe('');
          }
          expect(openBpfFiles()).toBe(before);
        },
      ),
      seeded(500),
    );
    expect(interfered).toBeGreaterThan(100);
  });

  it.skipIf(!messagesKnown())('the same for a judge', () => {
    const before = openBpfFiles();
    const judge = new KernelJudge();
    fc.assert(
      fc.property(fc.array(fc.constantFrom(undefined, -ENOMEM, -EPERM), { maxLength: 12 }), (next) => {
        plan.next = [...next];
        judge.judge(good);
        plan.next = [];
        expect(judge.judge(good)).toEqual({ accepted: true, judged: true });
      }),
      seeded(200),
    );
    judge.close();
    expect(openBpfFiles()).toBe(before);
  });

  it('an interrupted verifier is asked again, five times at most', () => {
    plan.next = [-EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN];
    const result = loadProgram(small);
    expect(result.ok).toBe(true);
    if (result.ok) result.close();
    plan.next = Array.from({ length: 10 }, () => -EAGAIN);
    expect(loadProgram(small)).toMatchObject({ ok: false, stage: 'call', errno: 'EAGAIN' });
    expect(plan.next).toHaveLength(5);
    plan.next = [];
    for (const errno of [EPERM, ENOMEM]) {
      plan.next = [-errno, -errno];
      expect(loadProgram(small)).toMatchObject({ ok: false, stage: 'call' });
      plan.next = [];
    }
  });
});
