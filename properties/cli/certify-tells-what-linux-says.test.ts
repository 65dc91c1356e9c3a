/**
 * The certify command: what scripts rely on in its JSON, its exit codes, and the case it writes for a refusal. And the forms of a two-mode
 * program: each runs as the program does until it is killed, is accepted where the sound rules are, and long programs are no exception.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import { runEnvironment } from '../../src/campaign/kill/environments.js';
import { prepareProgram } from '../../src/campaign/kill/prepared-program.js';
import { certify } from '../../src/oracle/certify.js';
import { callSites } from '../../src/patch/fast-path.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import sound from '../../src/patch/sets/sound.js';
import { twoMode } from '../../src/patch/two-mode/two-mode.js';
import { parseCase } from '../../src/vm/case/case.js';
import { Vm } from '../../src/vm/vm.js';
import { here, scratch } from '../support/cli.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const folder = scratch();
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const SECTION =
  '.type tc\n\n    call bpf_rcu_read_lock\n    call bpf_rcu_read_unlock\n    r0 = 0\n    exit\n';
/** r0 is an address where it should be a number: Linux refuses it from whoever has not all capabilities. */
const BAD = '.type xdp\n\n    r0 = *(u64 *)(r3 +0)\n    exit\n';

async function certified(args: readonly string[], exit: number): Promise<Record<string, unknown>[]> {
  const ran = await here(['certify', ...args, '--json']);
  expect(ran).toMatchObject({ exit, err: '' });
  return (JSON.parse(ran.out) as { programs: Record<string, unknown>[] }).programs;
}

describeKnownKernel('certify', () => {
  const good = put('section.bpf', SECTION);

  it('tells what the contract says', async () => {
    const [row] = await certified([good], 0);
    expect(row).toMatchObject({
      verdict: 'certified',
      message: '',
      sitesLeftOut: [],
      name: 'case',
      insns: 4,
    });
    expect(row!.walked).toBeGreaterThan(4);
    expect(typeof row!.ms).toBe('number');
  });

  it('exits with 1 for a refusal, and writes a case that replays', async () => {
    const corpus = join(folder, 'cases');
    const [row] = await certified([good, '--rules', 'naive', '--corpus', corpus], 1);
    expect(row).toMatchObject({ verdict: 'refused', sitesStubbed: 2 });
    expect(row!.message).toMatch(/after the kill, insn \d+: .*bpf_rcu_read_lock-ed region/);
    const [file] = readdirSync(corpus);
    expect(row!.case).toBe(join(corpus, file!));
    expect((await here(['replay', join(corpus, file!)])).exit).toBe(0);
  });

  it('exits with 3 for what it cannot judge', async () => {
    const [row] = await certified([put('bad.bpf', BAD)], 3);
    expect(row).toMatchObject({ verdict: 'inexpressible' });
    expect(row!.message).not.toBe('');
  });

  it('exits with 2 for what is no program and no rule set', async () => {
    expect((await here(['certify', join(folder, 'none.bpf')])).exit).toBe(2);
    expect((await here(['certify', good, '--rules', 'none'])).exit).toBe(2);
  });

  it('judges a program that is too long for 16-bit jumps', () => {
    const filler = '    r6 = 1\n'.repeat(34_000);
    const long = `.type tc\n\n    call bpf_rcu_read_lock\n    call bpf_ktime_get_ns\n${filler}    call bpf_ktime_get_ns\n    call bpf_rcu_read_unlock\n    r0 = 0\n    exit\n`;
    const { program } = parseCase(long);
    // A kill before each of its insns would take Linux minutes, and is not tried.
    const form = { points: 'needed', by: 'compare' };
    const result = certify(program, sound);
    expect(result).toMatchObject({ verdict: 'certified', message: '', form });
    expect(result.insns).toBeGreaterThan(65_536);
    expect(certify(program, shippedRuleSet('naive')!)).toMatchObject({ verdict: 'refused', form });
  });

  it('says the same in every form, of programs under the sound rules', () => {
    for (let index = 0; index < 12; index++) {
      const made = prepareProgram(sample(SEED, index, { maxInsns: 60 }).program, 'privileged');
      if (typeof made === 'string') throw new Error(made);
      for (const by of ['may_goto', 'compare'] as const) {
        const forms = [{ points: 'needed', by } as const];
        const one = certify(made.program, sound, { verified: made.verdict, forms });
        expect([index, by, one.verdict, one.message]).toEqual([index, by, 'certified', '']);
      }
    }
  });
});

describe('a two-mode program that is not killed', () => {
  // The VM decides for a may_goto as it does for every choice; r10 is never what it is compared with.
  const forms = (['every', 'needed'] as const).map((points) => ({ points, by: 'compare' }) as const);

  it.each(forms)('runs as the program does ($points point)', (form) => {
    for (let index = 0; index < 25; index++) {
      const made = prepareProgram(sample(SEED, index, { maxInsns: 80 }).program, 'privileged');
      if (typeof made === 'string') throw new Error(made);
      const { program, verdict } = made;
      const sites = callSites(program, verdict.facts, shippedRuleSet('naive')!);
      const twin = twoMode(program, verdict, sites, form);
      expect(twin.origins.length).toBe(twin.program.insns.length);
      for (let world = 0; world < 3; world++) {
        const around = { ...runEnvironment(program, SEED, index, world), maxSteps: 3000 };
        const plain = new Vm(program, around).run();
        const two = new Vm(twin.program, { ...around, maxSteps: 12_000 }).run();
        if (plain.end === 'limit') continue;
        expect([index, world, two.end, two.r0]).toEqual([index, world, plain.end, plain.r0]);
        expect([...two.env.choices]).toEqual([...plain.env.choices]);
      }
    }
  });
});
