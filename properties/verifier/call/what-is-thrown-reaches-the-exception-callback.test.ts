/**
 * Programs that say what is to run when they throw (`.exception_callback`): judged as by Linux, run as by Linux from whatever depth they
 * throw, killed, proven and certified in the callback as anywhere else. A rule that is wrong only there is found, and the finding is shrunk.
 */
import { describe, expect, it } from 'vitest';
import { killBeforeEveryInsn } from '../../../src/campaign/kill/kill-everywhere.js';
import { pathOf, prepareProgram, runOptions } from '../../../src/campaign/kill/prepared-program.js';
import { certify } from '../../../src/oracle/certify.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { testRun } from '../../../src/oracle/testrun.js';
import { rule, ruleSet } from '../../../src/patch/define.js';
import sound from '../../../src/patch/sets/sound.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { Vm } from '../../../src/vm/vm.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';

const head = (type: string, more: readonly string[] = []): string =>
  [`.type ${type}`, ...more, '.global main', '.global caught', '.exception_callback caught', ''].join('\n');

/** Throws the first bytes of the packet's length from two frames down; the callback tells short from long. */
const THROWS = `${head('tc')}
main:
    r6 = *(u32 *)(r1 +0)
    r1 = r6
    call middle
    r0 = 7
    exit
middle:
    r6 = r1
    call inner
    r0 = 0
    exit
inner:
    if r1 <= 0x40 goto out
    call bpf_throw
out:
    r0 = 0
    exit
caught:
    r6 = r1
    r0 = 1
    if r6 <= 0x80 goto done
    r0 = 2
done:
    exit
`;

/** The callback reserves a record and submits it. */
const RESERVES = `${head('tc', ['.map events ringbuf entries=4096'])}
main:
    r1 = 3
    call bpf_throw
    exit
caught:
    r1 = map events
    r2 = 8
    r3 = 0
    call bpf_ringbuf_reserve#131
    if r0 == 0x0 goto out
    r1 = r0
    r2 = 0
    call bpf_ringbuf_submit#132
out:
    r0 = 0
    exit
`;

const returns = (caught: string, main = 'r1 = 64\n    call bpf_throw\n    r0 = 0\n    exit'): string =>
  `main:\n    ${main}\ncaught:\n    ${caught}\n    exit\n`;

/** What Linux refuses, and its words. */
const REFUSED: readonly (readonly [what: string, text: string, message: RegExp])[] = [
  [
    'a callback that returns what the hook does not allow',
    head('cgroup_skb') + returns('r0 = r1'),
    /^At program exit the register R0 has unknown scalar value should have been in \[0, 1\]/,
  ],
  [
    'a callback that is called',
    head('xdp') + returns('r0 = r1', 'r1 = 1\n    call caught\n    r1 = 1\n    call bpf_throw\n    exit'),
    /^insn 1 cannot call exception cb directly/,
  ],
  [
    'a callback that throws',
    head('xdp') + returns('call bpf_throw\n    r0 = 0'),
    /^bpf_throw kfunc \(insn 4\) cannot be called from callback subprog 1/,
  ],
  [
    'a bad callback of a program that never throws',
    head('xdp') + returns('r0 = *(u64 *)(r1 +0)', 'r0 = 0\n    exit'),
    /^R1 invalid mem access 'scalar'/,
  ],
  [
    'a static callback',
    (head('xdp') + returns('r0 = 0')).replace('.global caught\n', ''),
    /^exception callback 'caught' must have global linkage/,
  ],
];

const throwsAnything = head('cgroup_skb') + returns('r0 = 1');

describe('an exception callback', () => {
  it.each(REFUSED)('is refused: %s', (_, text, message) => {
    const verdict = verify(parseCase(text).program);
    expect(verdict).toMatchObject({ ok: false, message: expect.stringMatching(message) });
  });

  it('takes any number, also one that the program may not return', () => {
    expect(verify(parseCase(throwsAnything).program).ok).toBe(true);
    const alone = `.type cgroup_skb\n${throwsAnything.slice(throwsAnything.indexOf('main:'), throwsAnything.indexOf('caught:\n'))}`;
    expect(verify(parseCase(alone).program)).toMatchObject({
      ok: false,
      message: expect.stringContaining('register R1 has smin=64'),
    });
  });

  it('is in the text of a case', () => {
    const one = parseCase(THROWS);
    expect(one.program.subprogs.filter((s) => s.exceptionCallback).map(({ name }) => name)).toEqual([
      'caught',
    ]);
    const { body: _body, ...rest } = one;
    const again = parseCase(printCase(rest));
    expect(again.program.subprogs).toEqual(one.program.subprogs);
    expect(() =>
      parseCase(THROWS.replace('.exception_callback caught', '.exception_callback thrown')),
    ).toThrow(/no function but the main program is called thrown/);
  });

  it('is killed and proven like the rest, and counts in the bound', async () => {
    for (const text of [THROWS, RESERVES]) {
      const made = prepareProgram(parseCase(text).program, 'privileged');
      if (typeof made === 'string') throw new Error(made);
      const path = pathOf(made, sound);
      let longest = 0;
      for (const length of [20, 100, 200]) {
        const env = { choices: new Map(), packet: new Uint8Array(length) };
        const { broken, worst } = killBeforeEveryInsn(made.code, { ...runOptions(made, path), env });
        expect(broken).toEqual([]);
        longest = Math.max(longest, worst);
      }
      const proof = await proveProgram(made.program, sound);
      expect(proof).toMatchObject({ verdict: 'proven' });
      expect(proof.bound).toBeGreaterThanOrEqual(longest);
      expect(proof.bound).toBe(longest);
    }
  });

  it('is where a wrong rule is found', async () => {
    const wrong = ruleSet('wrong', [
      rule('records are not submitted')
        .when((f) => f.name === 'bpf_ringbuf_submit')
        .stub({ r0: 'void' }),
      ...sound.rules,
    ]);
    const proof = await proveProgram(parseCase(RESERVES).program, wrong);
    expect(proof.verdict).toBe('refuted');
    expect(proof.witness?.expect).toMatchObject({ check: 'leak' });
  });
});

describeKnownKernel('an exception callback in Linux', () => {
  it.each([...REFUSED, ['nothing wrong', THROWS, undefined] as const])(
    'is judged alike: %s',
    (_, text, message) => {
      const loaded = loadProgram(parseCase(text).program);
      if (loaded.ok) loaded.close();
      expect(loaded.ok).toBe(message === undefined);
      if (!loaded.ok) expect(loaded.message).toMatch(message!);
    },
  );

  it.each([20, 64, 65, 128, 129, 200])('is given what was thrown: %d bytes', (length) => {
    const { program } = parseCase(THROWS);
    const packet = new Uint8Array(length);
    const loaded = loadProgram(program);
    if (!loaded.ok) throw new Error(loaded.message);
    try {
      const result = testRun(program, loaded, { data: packet });
      if (!result.ok) throw new Error(result.message);
      const ours = new Vm(program, { env: { choices: new Map(), packet } }).run();
      expect(ours.violations).toEqual([]);
      expect(result.retval).toBe(Number(ours.r0 & 0xffff_ffffn));
    } finally {
      loaded.close();
    }
  });

  it('is kept from Linux behind a function that is never called, for Linux would lose it and crash', () => {
    const text = `.type tc
.global main
.global caught
.exception_callback caught

main:
    r1 = 1
    if r1 == 0x1 goto throw
    call never
throw:
    call bpf_throw
    exit
never:
    r0 = 0
    exit
caught:
    r0 = 0
    exit
`;
    const loaded = loadProgram(parseCase(text).program);
    if (loaded.ok) loaded.close();
    expect(loaded).toMatchObject({ ok: false, message: expect.stringContaining('never called') });
  });

  it('is part of the two-mode program', () => {
    for (const text of [THROWS, RESERVES])
      expect(certify(parseCase(text).program, sound)).toMatchObject({ verdict: 'certified' });
    const naive = ruleSet('wrong', [
      rule('nothing is submitted')
        .when((f) => f.name === 'bpf_ringbuf_submit')
        .stub({ r0: 'void' }),
    ]);
    expect(certify(parseCase(RESERVES).program, naive)).toMatchObject({ verdict: 'refused' });
  });
});
