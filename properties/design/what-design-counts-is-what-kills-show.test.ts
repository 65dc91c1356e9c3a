/**
 * What is counted of a program under a strategy is what each of its kills shows by itself: points at which something leaks or faults, by kind; at
 * which the kill takes effect at once, or never; how far it is to there and to the end. Sums do not depend on the order of the programs or on how
 * the work is shared. Each kind of failure has a case that replays, and so it does when it is killed by name.
 */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { replayText } from '../../src/campaign/check/replay.js';
import { runEnvironment } from '../../src/campaign/kill/environments.js';
import { addLength, type Lengths, spreadOf } from '../../src/design/counts.js';
import { compareStrategies } from '../../src/design/design.js';
import {
  addPart,
  type DesignPart,
  type DesignSetting,
  DesignWorker,
  emptyPart,
} from '../../src/design/job.js';
import { measure } from '../../src/design/measure.js';
import { STRATEGIES } from '../../src/strategies/index.js';
import { killedUnder } from '../../src/strategies/killed-run.js';
import { Vm } from '../../src/vm/vm.js';
import { seeded } from '../support/seed.js';
import { DESIGN_CASES, optionsOf, preparedCase } from '../support/strategies/kills.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);

test('a spread is that of the sorted lengths', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 400 }), (all) => {
      const lengths: Lengths = new Map();
      for (const length of all) addLength(lengths, length);
      const sorted = [...all].sort((a, b) => a - b);
      const at = (percent: number): number => sorted[Math.ceil((sorted.length * percent) / 100) - 1]!;
      expect(spreadOf(lengths)).toEqual({ median: at(50), p99: at(99), max: sorted[sorted.length - 1] });
    }),
    seeded(200),
  );
  expect(spreadOf(new Map())).toBeNull();
});

describe('counts', () => {
  it.each([...DESIGN_CASES])('of %s', (name, one) => {
    const prepared = preparedCase(one);
    const { code, verdict } = prepared;
    const world = { env: one.env, chooser: runEnvironment(one.program, 0, 0, 0).chooser };
    const options = { ...optionsOf(prepared, one), ...world };
    const steps = new Vm(code, options).run().steps;
    const measured = measure({ prepared, number: 0, from: name, worlds: [world] }, STRATEGIES);
    expect(measured).toMatchObject({ worlds: 1, points: steps, disagreements: [] });
    for (const [i, strategy] of STRATEGIES.entries()) {
      const tally = measured.tallies[i]!;
      const ready = strategy.prepare({ code, facts: verdict.facts });
      if ('cannot' in ready) {
        expect([strategy.name, tally.refused, tally.points]).toEqual([
          strategy.name,
          { [ready.cannot]: 1 },
          0,
        ]);
        continue;
      }
      const kills = Array.from({ length: steps }, (_, step) => killedUnder(ready, code, options, step));
      for (const [step, { killedAt }] of kills.entries()) expect(killedAt).toBe(step);
      const at = (checks: readonly string[]): number =>
        kills.filter(({ violations }) => violations.some(({ check }) => checks.includes(check))).length;
      const never = kills.filter(({ tookEffect }) => tookEffect < 0).length;
      const effects = kills.flatMap(({ tookEffect, killedAt }) =>
        tookEffect < 0 ? [] : [tookEffect - killedAt],
      );
      const counted = {
        points: steps,
        leakPoints: at(['leak']),
        faultPoints: at(['misuse', 'fault', 'disclosure', 'return']),
        never,
        atOnce: effects.filter((effect) => effect === 0).length,
      };
      expect([strategy.name, tally]).toMatchObject([strategy.name, counted]);
      expect(tally.broken.bound ?? 0).toBe(at(['bound']));
      const all = (lengths: Lengths): readonly number[] =>
        [...lengths].flatMap(([length, times]) => Array<number>(times).fill(length)).sort((a, b) => a - b);
      const sorted = (lengths: readonly number[]): readonly number[] => [...lengths].sort((a, b) => a - b);
      expect(all(tally.toEffect)).toEqual(sorted(effects));
      expect(all(tally.toExit)).toEqual(sorted(kills.map((kill) => kill.steps - kill.killedAt)));
    }
    const abandoned = measured.tallies[STRATEGIES.findIndex((strategy) => strategy.name === 'abandon')]!;
    expect(abandoned.leakPoints).toBe(measured.holdingPoints);
  });
});

describe('generated programs', () => {
  const setting: DesignSetting = { given: [], generated: 24, seed: SEED, worlds: 2 };
  const times = (part: DesignPart): DesignPart => ({
    ...part,
    tallies: part.tallies.map((tally) => ({ ...tally, ms: 0 })),
  });

  it('are counted alike however the work is shared, and each failure replays under its strategy alone', async () => {
    const { part, strategies, lost } = await compareStrategies(setting, { workers: 1 });
    expect(lost).toEqual([]);
    expect(part).toMatchObject({ programs: 24, disagreements: [], leftOut: [] });
    const worker = await DesignWorker.open(setting);
    const sum = emptyPart(strategies.length);
    for (const [from, to] of [
      [17, 24],
      [0, 5],
      [5, 17],
    ] as const)
      addPart(sum, worker.do({ from, to }));
    expect(times(sum)).toEqual(times(part));

    const tally = (name: string) => part.tallies[strategies.findIndex((one) => one.name === name)]!;
    expect(tally('sound')).toMatchObject({ points: part.points, leakPoints: 0, faultPoints: 0 });
    expect(tally('abandon')).toMatchObject({ points: part.points, leakPoints: part.holdingPoints });
    expect(part.holdingPoints).toBeGreaterThan(0);
    let failures = 0;
    for (const [i, strategy] of strategies.entries()) {
      for (const { text, check, points } of part.tallies[i]!.witnesses.values()) {
        failures++;
        expect(points).toBeGreaterThan(0);
        expect(await replayText(text, 'it')).toMatchObject({
          ok: true,
          got: expect.stringMatching(`^${check}`),
        });
        // Without its strategy line it replays if the strategy is named.
        const bare = text.replace(/^\.strategy .*\n/m, '');
        expect(await replayText(bare, 'it', { strategy: strategy.name })).toMatchObject({ ok: true });
        expect(await replayText(text, 'it', { strategy: 'sound' })).toMatchObject({ ok: false });
      }
    }
    expect(failures).toBeGreaterThan(20);
  });
});
