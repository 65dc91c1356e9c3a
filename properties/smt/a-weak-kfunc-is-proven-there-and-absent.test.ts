/**
 * A program that asks whether the kernel has a weak kfunc is two programs: the verdict is the worse of both, the bound the larger, and the
 * witness is a run of the one that breaks. A kernel that lacks a kfunc that is called without asking takes no such program.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { replayText } from '../../src/campaign/check/replay.js';
import { readObject } from '../../src/object/load.js';
import { kernelShowsBtf } from '../../src/oracle/btf.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import type { ProgramProof } from '../../src/smt/proof.js';
import { parseCase } from '../../src/vm/case/case.js';
import { printCase } from '../../src/vm/case/print.js';
import { here, scratch } from '../support/cli.js';

const RULES = shippedRuleSet('rfc-v1')!;
const WEAK = ['bpf_rcu_read_lock', 'bpf_preempt_disable'] as const;
const ID = { bpf_rcu_read_lock: 7, bpf_preempt_disable: 9 } as const;

const HEAD = `.type tc
.license GPL
.map m array key=4 value=16 entries=1 spin_lock@0
`;
/** Ends of programs, by what they are under rfc-v1. */
const ENDS = {
  short: '    r0 = 0\n    exit\n',
  long: `${'    r0 = 0\n'.repeat(9)}    exit\n`,
  locking: `    r1 = mapvalue m
    call bpf_spin_lock
    r1 = mapvalue m
    call bpf_spin_unlock
    r0 = 0
    exit
`,
} as const;
type End = keyof typeof ENDS;

const declared = (names: readonly (typeof WEAK)[number][]): string =>
  names.map((name) => `.kernel_var ${ID[name]} size=0\n.weak ${name} btf=${ID[name]}\n`).join('');

const asks = (there: string, absent: End): string =>
  `${HEAD}${declared(['bpf_rcu_read_lock'])}main:
    r1 = btf_id 7
    if r1 != 0x0 goto there
${ENDS[absent]}there:
${there}`;
const alone = (first: string, end: string): string => `${HEAD}main:\n    r1 = ${first}\n    goto +0\n${end}`;

const prove = (text: string): Promise<ProgramProof> => proveProgram(parseCase(text).program, RULES);
const ORDER = ['proven', 'unknown', 'refuted'];
const RCU = '    call bpf_rcu_read_lock\n    call bpf_rcu_read_unlock\n';

describe('a program that asks for a weak kfunc', () => {
  it.each([
    ['short', 'short'],
    ['short', 'long'],
    ['long', 'short'],
    ['short', 'locking'],
    ['locking', 'short'],
    ['locking', 'locking'],
  ] as const)('%s with it, %s without', async (there, absent) => {
    const both = await prove(asks(RCU + ENDS[there], absent));
    const [one, other] = [
      await prove(alone('1', RCU + ENDS[there])),
      await prove(alone('0x0 ll', ENDS[absent])),
    ];
    const [verdict] = [one.verdict, other.verdict].sort((a, b) => ORDER.indexOf(b) - ORDER.indexOf(a));
    expect(both.verdict).toBe(verdict);
    expect(both.absent).toMatchObject([{ absent: ['bpf_rcu_read_lock'], verdict: other.verdict }]);
    if (verdict === 'proven') {
      expect(both.bound).toBe(Math.max(one.bound!, other.bound!));
      // Every insn is on a way out with the kfunc, or without it.
      expect([...both.bounds.values()].every((bound) => bound! > 0)).toBe(true);
      expect(both.bounds.size).toBeGreaterThan(Math.max(one.bounds.size, other.bounds.size) - 1);
      return;
    }
    const onlyAbsent = one.verdict === 'proven';
    expect(both.reason.startsWith('without bpf_rcu_read_lock: ')).toBe(onlyAbsent);
    expect(both.witness!.comments.includes('without bpf_rcu_read_lock')).toBe(onlyAbsent);
    expect(await replayText(printCase(both.witness!), 'witness.bpf')).toMatchObject({ ok: true });
  });

  it('is proven for every combination of two', async () => {
    // Only a kernel that has the first and lacks the second comes to the lock.
    const text = `${HEAD}${declared(WEAK)}main:
    r1 = btf_id 7
    if r1 == 0x0 goto out
    r1 = btf_id 9
    if r1 != 0x0 goto out
${ENDS.locking}out:
${ENDS.short}`;
    const proof = await prove(text);
    expect(proof.absent!.map(({ absent, verdict }) => `${absent} ${verdict}`)).toEqual([
      'bpf_rcu_read_lock proven',
      'bpf_preempt_disable refuted',
      'bpf_rcu_read_lock,bpf_preempt_disable proven',
    ]);
    expect(proof).toMatchObject({
      verdict: 'refuted',
      reason: expect.stringMatching(/^without bpf_preempt_disable: /),
    });
  });

  it('is not loaded without one that it calls without asking', async () => {
    const text = `${HEAD}.weak bpf_rcu_read_lock\nmain:\n${RCU}${ENDS.short}`;
    expect(await prove(text)).toMatchObject({ verdict: 'proven', absent: [{ verdict: 'not loaded' }] });
  });

  it('is not called proven where there are too many to try', async () => {
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => `.weak bpf_${name}\n`).join('');
    expect(await prove(`${HEAD}${many}main:\n${ENDS.short}`)).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining('more than 4 weak kfuncs'),
    });
  });

  it('runs either way', async () => {
    const folder = scratch();
    const file = `${folder}/weak.bpf`;
    writeFileSync(file, asks(RCU + ENDS.short, 'locking'));
    const steps = async (...more: readonly string[]): Promise<unknown> =>
      (JSON.parse((await here(['run', file, ...more, '--json'])).out) as { steps: number }).steps;
    expect([await steps(), await steps('--without', 'bpf_rcu_read_lock')]).toEqual([6, 8]);
    expect(await here(['run', file, '--without', 'bpf_rcu_read_unlock'])).toMatchObject({ exit: 2 });
  });
});

it('an object says which kfuncs are weak, and its text says it too', async ({ skip }) => {
  if (!kernelShowsBtf()) skip('a weak kfunc is looked for in the BTF of the kernel, and it shows none');
  const file = new URL('../../corpus/objects/rcu_or_lock.o', import.meta.url);
  const { programs } = readObject(readFileSync(file), 'rcu_or_lock.o');
  const [program] = programs;
  // Where the target lacks it, the program is as its kernel loads it.
  if (program!.kfuncs.includes('bpf_rcu_read_lock')) {
    expect(program!.weakKfuncs!.map(({ name }) => name)).toEqual([
      'bpf_rcu_read_lock',
      'bpf_rcu_read_unlock',
    ]);
    expect(program!.weakKfuncs!.map(({ btfId }) => btfId !== undefined)).toEqual([true, false]);
  }
  const [one, text] = [
    await proveProgram(program!, RULES),
    await prove(
      printCase({ program: program!, profile: 'privileged', env: { choices: new Map() }, comments: [] }),
    ),
  ];
  expect([one.verdict, one.absent]).toEqual([text.verdict, text.absent]);
  expect(one.verdict).toBe('refuted');
});
