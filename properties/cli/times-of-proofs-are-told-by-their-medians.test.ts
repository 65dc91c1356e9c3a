/** Of times of proofs the medians are told, each program's own ratio counted once, and every time is in the table and in the picture. */
import { expect, it } from 'vitest';
import {
  measuresOfProofs,
  type ProofTime,
  proofPicture,
  proofTable,
} from '../../src/cli/measure/bench/proofs.js';

const time = (insns: number, verification: number, proof: number): ProofTime => ({
  insns,
  points: insns,
  verification,
  proof,
});

// One slow program of many insns does not decide the ratio.
const TIMES = [time(20, 1, 2), time(150, 1, 3), time(200, 2, 8), time(1900, 10, 500), time(2000, 20, 60)];

it('the ratio is the median of ratios, and the growth compares the time of an insn', () => {
  const [ratio, growth] = measuresOfProofs(TIMES);
  expect(ratio!.ratio).toBeCloseTo(3);
  // 263 and 30 us an insn of about 2,000; 20 and 40 of about 200.
  expect(growth!.ours).toBeCloseTo((500_000 / 1900 + 30) / 2);
  expect(growth!.other).toBeCloseTo(30);
});

it('every time is in the table and in the picture, a longer one higher up', () => {
  expect(proofTable(TIMES).trimEnd().split('\n')).toHaveLength(TIMES.length + 1);
  expect(proofTable(TIMES)).toContain('1900\t1900\t10.000\t500.000');
  const dots = [...proofPicture(TIMES).matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [
    Number(x),
    Number(y),
  ]);
  expect(dots).toHaveLength(2 * TIMES.length);
  TIMES.forEach(({ insns, verification, proof }, i) => {
    const [under, over] = [dots[i]!, dots[TIMES.length + i]!];
    expect([over[0], over[1]! < under[1]!]).toEqual([under[0], proof > verification]);
    if (i > 0) expect(under[0]! > dots[i - 1]![0]!).toBe(insns > TIMES[i - 1]!.insns);
  });
});
