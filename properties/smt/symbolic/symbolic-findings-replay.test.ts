/**
 * Exploring generated programs killed anywhere: nothing is found under `sound`, and what is found under the posted rule sets replays
 * from the text of its case alone, under its own rules and under no others.
 */
import { expect, test } from 'vitest';
import { sample } from '../../../generators/sample.js';
import type { Program } from '../../../src/object/program.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import type { FastPath } from '../../../src/patch/rule.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import { type Exploration, explore } from '../../../src/smt/symbolic/explore.js';
import { caseOf } from '../../../src/smt/witness.js';
import type { Facts } from '../../../src/verifier/result.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { killEverywhere } from '../../../src/vm/kill.js';
import { replay } from '../../../src/vm/replay.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';

const PROGRAMS = 24;
const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);

interface Verified {
  readonly program: Program;
  readonly facts: Facts;
  readonly path: (rules: string) => FastPath;
}

function programs(): readonly Verified[] {
  return Array.from({ length: PROGRAMS }, (_, index) => {
    const { program } = sample(SEED, index, { maxInsns: 50 });
    const verdict = verify(program);
    if (!verdict.ok) throw new Error(`program ${index}: ${verdict.message}`);
    const { facts } = verdict;
    return { program, facts, path: (rules) => fastPath(program, facts, shippedRuleSet(rules)!) };
  });
}

const look = ({ program, facts, path }: Verified, rules: string): Promise<Exploration> =>
  explore(program, { facts, fastPath: path(rules), kill: 'any', maxPaths: 150, maxFindings: 3 });

test('nothing is found under sound, and no run goes another way than predicted', async () => {
  let safe = 0;
  for (const one of programs()) {
    const found = await look(one, 'sound');
    expect([found.findings, found.stats.diverged]).toEqual([[], 0]);
    if (found.verdict === 'safe') safe += 1;
  }
  expect(safe).toBeGreaterThan(PROGRAMS / 4);
});

test.each(['rfc-v1', 'naive'])('what is found under %s replays from its text', async (rules) => {
  const checks = new Set<string>();
  let count = 0;
  for (const one of programs()) {
    const found = await look(one, rules);
    for (const finding of found.findings) {
      const read = parseCase(printCase(caseOf(finding, one.program, rules, 'privileged')));
      const again = replay(read, one.path(rules), { facts: one.facts });
      expect([again.ok, again.got]).toEqual([true, again.expected]);
      expect(replay(read, one.path('sound'), { facts: one.facts }).ok).toBe(false);
      checks.add(finding.violation.check);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(5);
  expect([...checks]).toContain('leak');
});

test('what is said to be safe survives kills in random worlds', async () => {
  let safe = 0;
  for (const one of programs()) {
    for (const rules of ['rfc-v1', 'naive']) {
      const path = one.path(rules);
      if ((await look(one, rules)).verdict !== 'safe') continue;
      safe += 1;
      for (let seed = 0; seed < 20; seed++) {
        const packet = seededChooser(seed).bytes('packet', 64);
        const env = { packet, ctx: seededChooser(seed).bytes('ctx', 24), choices: new Map<string, string>() };
        const killed = killEverywhere(one.program, path, env, {
          facts: one.facts,
          chooser: seededChooser(seed),
        });
        expect(killed.violations).toEqual([]);
      }
    }
  }
  expect(safe).toBeGreaterThan(PROGRAMS / 4);
});

test('the same exploration twice is the same', async () => {
  const [one] = programs();
  const twice = [await look(one!, 'rfc-v1'), await look(one!, 'rfc-v1')];
  expect(twice[0]).toEqual(twice[1]);
});

const lookup = (key: string): string => `
.type xdp
.map m array key=4 value=16 entries=4
    r6 = *(u32 *)(r1 + 16)
    ${key}
    r1 = map m
    r2 = r10
    r2 += -8
    call bpf_map_lookup_elem
    if r0 == 0 goto out
    r1 = *(u64 *)(r0 + 0)
out:
    r0 = 2
    exit
`;

test('a site is stubbed only where its stub can happen in every state that reaches it', () => {
  const stubs = (text: string): readonly number[] => {
    const { program } = parseCase(text);
    const verdict = verify(program);
    if (!verdict.ok) throw new Error(verdict.message);
    return [...fastPath(program, verdict.facts, shippedRuleSet('sound')!).stubs.keys()];
  };
  expect(stubs(lookup('*(u32 *)(r10 - 8) = 3'))).toEqual([]);
  expect(stubs(lookup('*(u32 *)(r10 - 8) = 4'))).toEqual([6]);
  expect(stubs(lookup('*(u32 *)(r10 - 8) = r6'))).toEqual([6]);
});
