/**
 * A program may break several checks because of one rule. The gravest is what its case shows: what stays held, is given back wrongly or faults
 * comes before what is acquired for nothing or takes long.
 */
import { expect, test } from 'vitest';
import { counterexample } from '../../../src/campaign/witness/counterexample.js';
import { contractOf } from '../../../src/kernel/catalog.js';
import { rule, ruleSet } from '../../../src/patch/define.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { CHECKS, gravity } from '../../../src/vm/state/trap.js';

test('each check has its place', () => {
  expect([...CHECKS].map(gravity).sort()).toEqual([...CHECKS.keys()]);
  const worst = [...CHECKS].sort((a, b) => gravity(a) - gravity(b));
  expect(worst.slice(0, 3)).toEqual(['leak', 'misuse', 'fault']);
  expect(worst.slice(-2)).toEqual(['acquire', 'bound']);
});

/** A lock that is skipped and a release that is skipped: what is shown, where other checks break as well. */
test.each([
  ['bpf_spin_unlock', 'leak'],
  ['bpf_sk_release', 'leak'],
  ['bpf_spin_lock', 'misuse'],
])('the case for %s shows a %s', (name, check) => {
  const rules = ruleSet('skips', [
    rule('skip')
      .when((f) => f.name === name)
      .stub({ r0: 0 }),
  ]);
  const { small } = counterexample({ name: 'skips', rules }, contractOf(name)!);
  expect(parseCase(small!.text).expect).toMatchObject({ kind: 'breaks', check });
});
