/** Facts of a program of thousands of insns are about as many as the insns that were walked, though paths miss the states that they were to end at. */
import { expect, it } from 'vitest';
import { compileTree } from '../../../generators/compile/program.js';
import { sample } from '../../../generators/sample.js';
import { verify } from '../../../src/verifier/verify.js';

it('of generated programs, one behind the other', () => {
  let long = 0;
  for (const first of [0, 3000, 4000]) {
    const { tree } = sample(1, first);
    let body = tree.body;
    for (let index = first + 1; index < first + 400; index++) {
      const next = sample(1, index).tree;
      if (next.type === tree.type) body = [...body, ...next.body];
    }
    const verdict = verify(compileTree({ ...tree, body }, 2000));
    if (!verdict.ok) continue;
    long++;
    expect(verdict.facts.size).toBeLessThan(1.6 * verdict.walked);
  }
  expect(long).toBeGreaterThan(0);
});
