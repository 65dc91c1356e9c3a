import { describe, expect, test } from 'vitest';
import type { FastPath, Stub } from '../../../src/patch/rule.js';
import type { Case } from '../../../src/vm/case/case.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { expectationOf } from '../../../src/vm/case/expectation.js';
import { printCase } from '../../../src/vm/case/print.js';
import { killEverywhere } from '../../../src/vm/kill.js';
import { replay } from '../../../src/vm/replay.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { SAMPLES } from '../../support/vm/sample-cases.js';

/** Calls replaced by a stub that does nothing and returns 0: all of them, or one in two. Wrong in most ways there are. */
function nothing({ program }: Case, which: 'all' | 'even' | 'odd'): FastPath {
  const stub: Stub = { r0: 0n, writes: [], slots: [] };
  const calls = program.insns.flatMap(({ opcode }, slot) => (opcode === 0x85 ? [slot] : []));
  const taken = calls.filter((_, index) => which === 'all' || index % 2 === (which === 'odd' ? 1 : 0));
  return { rules: which, stubs: new Map(taken.map((slot) => [slot, stub])) };
}
const WHICH = ['all', 'even', 'odd'] as const;

describe('a violation found by killing is found again by replaying its case', () => {
  for (const [name, one] of SAMPLES) {
    test(name, () => {
      for (const [seed, which] of WHICH.entries()) {
        const fastPath = nothing(one, which);
        const report = killEverywhere(one.program, fastPath, one.env, { chooser: seededChooser(seed) });
        for (const violation of report.violations) {
          const found: Case = {
            ...one,
            kill: violation.at,
            env: report.run.env,
            expect: expectationOf(violation),
          };
          const { ok, got, expected } = replay(parseCase(printCase(found)), fastPath);
          // The unkilled run made more choices than the killed one; those it shares decide.
          expect({ ok, got }, printCase(found)).toEqual({ ok: true, got: expected });
        }
      }
    });
  }

  test('there are violations among them', () => {
    const found = [...SAMPLES.values()].flatMap((one) =>
      WHICH.flatMap((which) => killEverywhere(one.program, nothing(one, which), one.env).violations),
    );
    expect(new Set(found.map(({ check }) => check)).size).toBeGreaterThan(2);
  });
});

describe('a replay that does not show it says what it shows instead', () => {
  const text = (expected: string, kill = ''): string =>
    `.type tc\n${kill}${expected}\n call bpf_rcu_read_lock\n call bpf_rcu_read_unlock\n r0 = 0\n exit\n`;
  const stubs = new Map<number, Stub>([[1, { r0: 'void', writes: [], slots: [] }]]);
  const fastPath = { rules: 'no unlock', stubs };
  const rows: readonly (readonly [string, string, boolean, string])[] = [
    ['.expect holds', '', true, 'holds'],
    ['', '', true, 'holds'],
    ['.expect leak bpf_rcu_read_lock at 3', '.kill step=1\n', true, 'leak bpf_rcu_read_lock at 3'],
    ['.expect leak', '.kill step=1\n', true, 'leak'],
    ['.expect leak bpf_rcu_read_lock at 2', '.kill step=1\n', false, 'leak bpf_rcu_read_lock at 3'],
    ['.expect misuse', '.kill step=1\n', false, 'leak bpf_rcu_read_lock at 3'],
    ['.expect holds', '.kill step=1\n', false, 'leak bpf_rcu_read_lock at 3'],
    ['.expect leak', '', false, 'holds'],
    ['.expect leak', '.kill step=99\n', false, 'holds'],
  ];
  for (const [expected, kill, ok, got] of rows) {
    test(`${expected || 'no expectation'} ${kill.trim()}`, () => {
      expect(replay(parseCase(text(expected, kill)), fastPath)).toMatchObject({ ok, got });
    });
  }
});
