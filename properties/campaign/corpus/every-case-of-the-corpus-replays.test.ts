/** The corpus holds what rule sets and other ways to kill were found to get wrong: every case still shows it, and shows nothing under the sound rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { replayFile } from '../../../src/campaign/check/replay.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import { loadRules } from '../../../src/patch/load.js';
import type { RuleSet } from '../../../src/patch/rule.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import { verify } from '../../../src/verifier/verify.js';
import { type Case, parseCase } from '../../../src/vm/case/case.js';
import { replay } from '../../../src/vm/replay.js';

const folder = new URL('../../../corpus/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.bpf'));
/** Those in folders of the corpus too: killed in other ways than by rules, or judged by invariants. */
const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.bpf'),
);
const read = (name: string): Case => parseCase(readFileSync(new URL(name, folder), 'utf8'), name);

function replayed(one: Case, rules: RuleSet): string {
  const verdict = verify(one.program, { profile: one.profile });
  if (!verdict.ok) return `refused: ${verdict.message}`;
  const answer = replay(one, fastPath(one.program, verdict.facts, rules), { facts: verdict.facts });
  return answer.got;
}

describe('every case of the corpus', () => {
  it('is there', () => {
    const sets = new Set(files.map((name) => read(name).rules));
    for (const name of ['rfc-v1', 'rfc-v2', 'naive']) expect(sets).toContain(name);
  });

  it.each(all)('%s shows what it was written down for', async (name) => {
    const answer = await replayFile(fileURLToPath(new URL(name, folder)));
    expect(answer.got).toBe(answer.expected);
  });

  it.each(files)('%s replays', async (name) => {
    const one = read(name);
    const { rules } = await loadRules(one.rules ?? 'sound');
    const [check] = replayed(one, rules).split(' ');
    expect(one.expect?.kind === 'breaks' ? one.expect.check : 'holds').toBe(check);
  });

  it.each(files)('%s holds under the sound rules', (name) => {
    expect(replayed(read(name), shippedRuleSet('sound')!)).toBe('holds');
  });

  it.each(files)('%s holds when nothing kills it', (name) => {
    const { kill: _, ...unkilled } = read(name);
    expect(replayed({ ...unkilled, expect: { kind: 'holds' } }, shippedRuleSet('naive')!)).toBe('holds');
  });
});
