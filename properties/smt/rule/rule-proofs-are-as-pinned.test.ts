/**
 * The rule proof of every function under every shipped rule set, pinned in rule-proofs.txt (rewritten by `vitest -u`; read the difference):
 * verdicts in full, and for each refutation its check, its situation, the state it leads to and what every outcome misses.
 */
import { expect, test } from 'vitest';
import { contracts } from '../../../src/kernel/catalog.js';
import { ruleSet } from '../../../src/patch/define.js';
import { RULE_SETS } from '../../../src/patch/sets/index.js';
import { proveRules, type RuleProof } from '../../../src/smt/rule-proof.js';

function lines({ name, kind, action, rule: by, verdict, witness }: RuleProof): string {
  const head = `${name} (${kind}): ${action} by '${by ?? ''}' ${verdict}`;
  if (witness === undefined) return head;
  const { check, guards, r0, state, missed } = witness;
  const situation = Object.entries(guards).map(([guard, is]) => `${is ? '' : 'not '}${guard}`);
  return [
    `${head}: ${check}${situation.length === 0 ? '' : `, where ${situation.join(', ')}`}; r0 ${r0 ?? '-'}; ${state.join(', ')}`,
    ...missed.map(({ outcome, why }) => `    not ${outcome}: ${why.join(', ')}`),
  ].join('\n');
}

test('of each function under each shipped rule set', async () => {
  const parts: string[] = [];
  for (const rules of [...RULE_SETS, ruleSet('keeps', [])]) {
    const { functions } = await proveRules(rules, contracts());
    const proven = functions.filter(({ verdict }) => verdict === 'proven');
    const names = (action: string): string =>
      proven.flatMap((one) => (one.action === action ? [one.name] : [])).join(' ');
    parts.push(
      `${rules.name}: ${proven.length} proven of ${functions.length}`,
      `stubbed: ${names('stub')}`,
      `kept: ${names('keep')}`,
      ...functions.filter(({ verdict }) => verdict !== 'proven').map(lines),
      '',
    );
  }
  await expect(parts.join('\n')).toMatchFileSnapshot('../../support/smt/rule-proofs.txt');
});

test('a question that is too hard is unknown, not proven', async () => {
  const spin = contracts().filter(({ name }) => name === 'bpf_probe_read_kernel_str');
  const set = RULE_SETS.find(({ name }) => name === 'naive')!;
  const { functions } = await proveRules(set, spin, { rlimit: 1 });
  expect(functions.map(({ verdict }) => verdict)).not.toContain('proven');
});
