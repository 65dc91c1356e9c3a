/** The programs that `verify --kernel` warms up with are walked to their end by both verifiers. */
import { expect, it } from 'vitest';
import { warmUpPrograms } from '../../src/cli/measure/warm-up.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { verify } from '../../src/verifier/verify.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

it('ours accepts them', () => {
  for (const program of warmUpPrograms())
    expect(verify(program, { facts: false })).toMatchObject({ ok: true });
});

describeKnownKernel('the kernel', () => {
  it('accepts them', () => {
    const judge = new KernelJudge();
    try {
      for (const program of warmUpPrograms())
        expect(judge.judge(program)).toEqual({ accepted: true, judged: true });
    } finally {
      judge.close();
    }
  });
});
