/**
 * The simulation of policies and the comparison of `design` know one list of strategies. What a simulated kill leaves behind, and whether it ends the run
 * at once, is what the same kill of the same run shows under the strategy. What a strategy adds to a run makes the run longer. A program that a strategy
 * cannot take is not loaded, and it is said why.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { defaultCosts } from '../../src/cost/default-costs.js';
import { profilesOf } from '../../src/policy/simulate/profile.js';
import { WAYS } from '../../src/policy/words.js';
import { STRATEGIES } from '../../src/strategies/index.js';
import { killsUnder } from '../../src/strategies/killed-run.js';
import { usageOf } from '../../src/strategies/usage.js';
import { defaultChooser } from '../../src/vm/state/chooser.js';
import { here } from '../support/cli.js';
import { DESIGN_CASES, preparedCase } from '../support/strategies/kills.js';

const folder = mkdtempSync(join(tmpdir(), 'swansong-policies-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const costs = { costs: defaultCosts() };

it('each strategy is a way to stop runs, besides none, a budget, and the fast path by the rules of the policy', () => {
  expect(WAYS).toEqual(['none', 'fast-path', 'budget', ...STRATEGIES.map(({ name }) => name)]);
});

it.each(STRATEGIES.map(({ name }) => name))('a simulated kill by %s is that kill of that run', (name) => {
  const strategy = STRATEGIES.find((one) => one.name === name)!;
  let points = 0;
  for (const [of, one] of DESIGN_CASES) {
    const { code, verdict } = preparedCase(one);
    const ready = strategy.prepare({ code, facts: verdict.facts });
    if ('cannot' in ready) continue;
    const { program } = code;
    const of_ = { program, verified: verdict, costs, env: one.env, seeds: [] };
    const [profile] = profilesOf({ ...of_, prepared: ready });
    const options = { env: one.env, chooser: defaultChooser, facts: verdict.facts };
    const usage = usageOf(code, options);
    const every = Math.max(1, Math.floor(usage.run.steps / 24));
    const steps = profile!.kills.map((_, i) => i * every);
    const results = killsUnder(ready, code, options, steps);
    const shown = results.map((result) => [
      result.steps === result.killedAt,
      result.end === 'trap' || result.end === 'limit' ? undefined : result.held.length,
    ]);
    const told = profile!.kills.map(({ toExit, left }, i) => [
      toExit === 0,
      shown[i]?.[1] === undefined ? undefined : left,
    ]);
    expect([of, told]).toEqual([of, shown]);
    points += told.length;
    const [plain] = profilesOf({ ...of_, prepared: undefined });
    const more = ready.extra?.(usage) ?? 0;
    if (more === 0) expect([of, profile!.time]).toEqual([of, plain!.time]);
    else expect(profile!.time).toBeGreaterThan(plain!.time);
    // A kill without effect leaves the run as long as it is; one that makes it take fewer insns makes it shorter.
    for (const [i, { at, toExit }] of profile!.kills.entries()) {
      const rest = plain!.time - (at * plain!.time) / profile!.time;
      const { steps: all, tookEffect } = results[i]!;
      if (tookEffect < 0) expect(toExit).toBeCloseTo(rest, 6);
      else if (all < usage.run.steps) expect([of, i, toExit < rest]).toEqual([of, i, true]);
    }
    // A kill at the end of the run comes at its time.
    expect(profile!.kills.at(-1)!.at).toBeLessThanOrEqual(profile!.time);
    expect(plain!.kills).toEqual([]);
  }
  expect(points).toBeGreaterThan(20);
});

it('a program that a strategy cannot take is not loaded', async () => {
  const policy = join(folder, 'sweep.toml');
  const object = join(process.cwd(), 'corpus/design/socket-over-a-call.bpf');
  writeFileSync(
    policy,
    `[[limit]]
hook = "*"
time = "1ns"
action = "kill"

[simulate]
duration = "50us"
kill = "0ns"

[[simulate.hook]]
name = "ingress"
work = "1us"
clients = 1
object = "${object}"

[simulate.sweep]
strategy = ["throw", "abandon", "ledger", "sound", "fast-path", "none"]
`,
  );
  const { exit, out, err } = await here(['policy', 'simulate', policy, '--json']);
  expect([exit, err]).toEqual([0, '']);
  const { series } = JSON.parse(out) as {
    series: {
      values: { strategy: string };
      hooks: { refused: boolean; cannot?: string; runs: number; kills: number; leaked: number }[];
    }[];
  };
  const by = Object.fromEntries(series.map(({ values, hooks }) => [values.strategy, hooks[0]!]));
  expect(by.throw).toMatchObject({
    refused: true,
    cannot: expect.stringMatching(
      /^throw cannot take \w+: a socket is held where an exception may be raised$/,
    ),
    runs: 0,
  });
  expect(by.abandon!.kills).toBeGreaterThan(0);
  for (const name of ['ledger', 'sound', 'fast-path']) {
    expect([name, by[name]!.kills > 0, by[name]!.leaked, by[name]!.refused]).toEqual([name, true, 0, false]);
    expect(by[name]).not.toHaveProperty('cannot');
  }
  expect(by.sound).toEqual(by['fast-path']);
  expect(by.none!.kills).toBe(0);
  const words = await here(['policy', 'simulate', policy]);
  expect(words.out).toMatch(/^not loaded: throw cannot take \w+: a socket is held/m);
});
