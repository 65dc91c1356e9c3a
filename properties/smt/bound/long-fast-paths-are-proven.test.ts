/** A fast path that is long to walk is walked to its end: a first attempt that was cut short decides nothing. */
import { expect, it } from 'vitest';
import sound from '../../../src/patch/sets/sound.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import { parseCase } from '../../../src/vm/case/case.js';

/** Counts to `turns` after a call that the rules refuse; nothing is widened. */
const counting = (turns: number) =>
  parseCase(
    `.type tc
main:
    call bpf_ktime_get_ns#5
    r6 = 0
again:
    r6 += 1
    if r6 != ${turns} goto again
    r0 = 0
    exit
`,
    'counting.bpf',
  ).program;

it('is proven, and its bound known', async () => {
  const proof = await proveProgram(counting(40_000), sound);
  expect(proof).toMatchObject({ verdict: 'proven', reason: '', bound: 80_004 });
  expect(proof.walked.patched).toBeGreaterThan(80_000);
});

it('is unknown where the budget does not reach, and says so', async () => {
  const proof = await proveProgram(counting(40_000), sound, { budget: 60_000, maxRuns: 1 });
  expect(proof.verdict).toBe('unknown');
  expect(proof.reason).toContain('BPF program is too large. Processed 60001 insn');
});
