/** A campaign reports every contradiction between its witnesses, and calls none of them a finding. Each is seeded here. */
import { describe, expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { type CheckOptions, checkOne, checkProgram } from '../../../src/campaign/check/check.js';
import { loadRuleSets } from '../../../src/campaign/naming/rules.js';
import { add, findings, newState } from '../../../src/campaign/shards/state.js';
import type { CampaignSetting } from '../../../src/campaign/threads/job.js';
import { rule, ruleSet } from '../../../src/patch/define.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import type { ProgramProof } from '../../../src/smt/proof.js';
import { identityOf } from '../../support/campaign/reports.js';

const [sound, rfc] = await loadRuleSets(['sound', 'rfc-v1']);
const base: CheckOptions = { seed: 1, rules: [sound!], worlds: 2, prove: true };
const setting: CampaignSetting = { seed: 1, rules: ['sound'], worlds: 2, prove: true, kernel: false };

/** A prover that gives another verdict than it should. */
const lying =
  (verdict: ProgramProof['verdict'], more: Partial<ProgramProof> = {}): typeof proveProgram =>
  async (...args) => {
    const { witness: _, ...proof } = await proveProgram(...args);
    return { ...proof, verdict, ...more };
  };

/** A program of the campaign that rfc-v1 breaks. */
async function brokenIndex(): Promise<number> {
  for (let index = 0; index < 60; index++) {
    const { suspects } = await checkProgram(index, { ...base, rules: [rfc!], prove: false });
    if (suspects.length > 0) return index;
  }
  throw new Error('no program is broken by rfc-v1');
}

describe('a disagreement', () => {
  it('is not seen where there is none', async () => {
    for (let index = 0; index < 12; index++) {
      const report = await checkProgram(index, base);
      expect(report.disagreements).toEqual([]);
      expect(report.suspects).toEqual([]);
      expect(report.proofs).toEqual([{ rules: 'sound', verdict: 'proven' }]);
    }
  });

  it('our verifier refuses a program that should be accepted', async () => {
    const { program } = sample(1, 0);
    const report = await checkOne({ ...program, insns: program.insns.slice(0, -1) }, 0, base);
    expect(report).toMatchObject({ accepted: false, suspects: [], disagreements: [{ between: 'verifier' }] });
  });

  it('the kernel refuses it', async () => {
    const judge = () => ({ accepted: false, judged: true, message: 'no' });
    const report = await checkProgram(0, { ...base, judge });
    expect(report.disagreements).toMatchObject([
      { between: 'kernel', message: expect.stringContaining('no') },
    ]);
    // A kernel that cannot be asked about it says nothing.
    const silent = await checkProgram(0, { ...base, judge: () => ({ accepted: false, judged: false }) });
    expect(silent.disagreements).toEqual([]);
  });

  it('a program is proven, and yet a kill breaks a check', async () => {
    const report = await checkProgram(await brokenIndex(), {
      ...base,
      rules: [rfc!],
      prover: lying('proven'),
    });
    expect(report.disagreements).toMatchObject([
      { between: 'proof', message: expect.stringContaining('proven, but') },
    ]);
  });

  it('a program is refuted without a witness, or with one that does not replay', async () => {
    const without = await checkProgram(0, { ...base, prover: lying('refuted') });
    expect(without.disagreements).toMatchObject([{ between: 'proof' }]);
    expect(without.suspects).toEqual([]);
    const { program } = sample(1, 0);
    const witness = {
      program,
      profile: 'privileged' as const,
      kill: 0,
      env: { choices: new Map() },
      expect: { kind: 'breaks' as const, check: 'leak' as const },
      comments: [],
    };
    const bad = await checkProgram(0, { ...base, prover: lying('refuted', { witness }) });
    expect(bad.disagreements).toMatchObject([
      { between: 'proof', message: expect.stringContaining('does not replay') },
    ]);
    expect(bad.suspects).toEqual([]);
  });

  it('something throws', async () => {
    const rules = ruleSet('throws', [
      rule('fails')
        .when(() => {
          throw new Error('no luck');
        })
        .keep(),
    ]);
    const index = await brokenIndex();
    const report = await checkProgram(index, { ...base, rules: [{ name: 'throws', rules }] });
    expect(report.disagreements).toMatchObject([
      { between: 'itself', message: expect.stringContaining('no luck') },
    ]);
  });

  it('is counted and kept, and is no finding', async () => {
    const state = newState(identityOf('sound'), setting);
    const judge = () => ({ accepted: false, judged: true, message: 'no' });
    for (let index = 0; index < 3; index++)
      add(state, await checkProgram(index, { ...base, prove: false, judge }));
    expect(state).toMatchObject({ done: 3, kernelRejected: 3, kernelAccepted: 0, disagreementCount: 3 });
    expect(state.disagreements.map(({ program }) => program)).toEqual([0, 1, 2]);
    expect(findings(state)).toEqual([]);
  });
});

it('unknown is not proven', async () => {
  const report = await checkProgram(0, { ...base, prover: lying('unknown', { reason: 'no luck' }) });
  expect(report.proofs).toEqual([{ rules: 'sound', verdict: 'unknown', reason: 'no luck' }]);
  expect(report.disagreements).toEqual([]);
});

it('what the VM has refuted is refuted, also where the proof gives up', async () => {
  const report = await checkProgram(await brokenIndex(), {
    ...base,
    rules: [rfc!],
    prover: lying('unknown'),
  });
  expect(report.proofs).toEqual([{ rules: 'rfc-v1', verdict: 'refuted' }]);
  expect(report.suspects.length).toBeGreaterThan(0);
});
