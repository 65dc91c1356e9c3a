/**
 * `rules check` tells what is wrong, and lists the rest only when asked. Its answer does not depend on how many threads worked on it, and
 * each program that it writes fails as it says when it is replayed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { here, scratch, swansong } from '../support/cli.js';

const folder = scratch();
const RULES = join(folder, 'mixed.mjs');
writeFileSync(
  RULES,
  `import { rule, ruleSet } from 'swansong';
export default ruleSet('mixed', [
  rule('locks are skipped').when((f) => f.name === 'bpf_spin_lock').stub({ r0: 'void' }),
  rule('what may fail, fails').at((s) => s.canFail).stub((f, s) => s.failure),
  rule('the rest runs').keep(),
]);
`,
);

test('the same bytes from one thread and from three', () => {
  const one = swansong(['rules', 'check', 'sound', '--json', '--workers', '1']);
  const three = swansong(['rules', 'check', 'sound', '--json', '--workers', '3']);
  expect([one.exit, three.exit]).toEqual([0, 0]);
  expect(three.out).toBe(one.out);
  expect(JSON.parse(one.out).functions.length).toBeGreaterThan(300);
});

test('only what is wrong is told, and everything with --all', async () => {
  const only = ['rules', 'check', RULES, '--function'];
  const wrong = await here([...only, 'bpf_spin_lock']);
  expect(wrong.exit).toBe(1);
  expect(wrong.out).toMatch(/^bpf_spin_lock: misuse\n {4}stubbed by 'locks are skipped', \S+mixed\.mjs:3\n/);
  expect(wrong.out).toMatch(/\n0 proven, 1 refuted, 0 unknown\n$/);
  // A function that is asked for by name has its row in any case.
  const right = await here([...only, 'bpf_spin_unlock']);
  expect(right.exit).toBe(0);
  expect(right.out).toMatch(/^function.*verdict[\s\S]*bpf_spin_unlock +keep +proven +the rest runs/);
  expect(right.out).toMatch(/\n1 proven, 0 refuted, 0 unknown\n$/);
});

test('a program that is written fails as it says', async () => {
  const out = join(folder, 'cases');
  const checked = await here([
    'rules',
    'check',
    RULES,
    '--function',
    'bpf_spin_lock',
    '--out',
    out,
    '--json',
  ]);
  const { witness } = JSON.parse(checked.out).functions[0];
  expect(readdirSync(out).map((file) => join(out, file))).toEqual([witness.file]);
  // The file names the rules from where it is.
  const rules = /^\.rules .*$/m;
  expect(readFileSync(witness.file, 'utf8').replace(rules, '')).toBe(witness.case.replace(rules, ''));
  const replayed = await here(['replay', out, '--json']);
  expect(replayed.exit).toBe(0);
  expect(JSON.parse(replayed.out).cases).toMatchObject([
    { ok: true, expected: expect.stringMatching(/^misuse/) },
  ]);
});
