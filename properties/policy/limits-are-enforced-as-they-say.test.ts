/** What a simulation says of hooks that can be counted by hand: throughput, latency, kills, throttles, detachment; and what holds of any. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../src/policy/words.js';
import { hookOf, limitOf, runOf, simulated } from '../support/policy/hooks.js';
import { seeded } from '../support/seed.js';

describe('limits are enforced as they say', () => {
  it('without a program the work alone counts', () => {
    const { throughput, latency, runs } = simulated(hookOf([]));
    expect(throughput).toBe(1e6);
    expect([latency?.median, latency?.p99, runs]).toEqual([1000, 1000, 0]);
  });

  it('the program takes its time, and so does what is around it', () => {
    const one = simulated(hookOf([runOf(500)], undefined, { runs: 2, overhead: 250 }));
    expect(one.throughput).toBe(400_000);
    expect(one.runTime).toBe(500);
    // Half a run in each operation is one in every second.
    const half = simulated(hookOf([runOf(500)], undefined, { runs: 0.5 }));
    expect(half.throughput).toBeCloseTo(1e9 / 1250, -4);
  });

  it('clients wait for a CPU, and more CPUs do more', () => {
    const many = hookOf([], undefined, { clients: 10 });
    expect(simulated(many).latency?.median).toBe(10_000);
    expect(simulated(many, { cpus: 5 }).latency?.median).toBe(2000);
    expect(simulated(many, { cpus: 5 }).throughput).toBe(5e6);
    const thinks = simulated(hookOf([], undefined, { think: 3000 }));
    expect(thinks.throughput).toBe(250_000);
  });

  it('a killed run takes its limit, the kill and the way to its exit', () => {
    const hook = hookOf([runOf(50_000, 700)], limitOf({ time: 2000 }));
    const { runTime, kills, runs, overruns, timeLost, leaked } = simulated(hook, {}, { kill: 300 });
    expect(runTime).toBe(2000 + 300 + 700);
    expect([kills, overruns, leaked]).toEqual([runs, 0, 0]);
    expect(timeLost).toBe(1000 * runs);
  });

  it('a watchdog that looks seldom comes late, on the average by half', () => {
    const hook = hookOf([runOf(1e6)], limitOf({ time: 1000 }));
    const { runTime, runs } = simulated(hook, { duration: 1e9 }, { watchdog: 10_000 });
    expect(runs).toBeGreaterThan(1000);
    expect(runTime).toBeGreaterThan(1000 + 4700);
    expect(runTime).toBeLessThan(1000 + 5300);
  });

  it('a run that ends before the kill has come is not killed', () => {
    const late = simulated(hookOf([runOf(1500)], limitOf({ time: 1000 })), {}, { kill: 600 });
    expect([late.kills, late.runTime]).toEqual([0, 1500]);
    expect(late.overruns).toBe(late.runs);
    expect(late.timeLost).toBe(500 * late.runs);
    const soon = simulated(hookOf([runOf(1500)], limitOf({ time: 1000 })), {}, { kill: 400 });
    expect(soon.kills).toBe(soon.runs);
  });

  it('a killed run leaves behind what its profile says, and one that nobody kills leaves nothing', () => {
    const hook = hookOf([runOf(9000, 500, 3)], limitOf({ time: 1000 }));
    const left = simulated(hook);
    expect([left.runTime, left.leaked]).toEqual([1500, 3 * left.kills]);
    expect(left.kills).toBeGreaterThan(100);
    for (const by of ['none', 'budget'] as const) expect(simulated(hook, {}, { by }).leaked).toBe(0);
  });

  it('a budget costs its checks, and ends the run behind the next one', () => {
    const hook = hookOf([runOf(10_000, 0, 0, 10)], limitOf({ time: 4000 }));
    // A round with its check takes 1,250 ns; the fourth ends at 5,000.
    const over = simulated(hook, {}, { by: 'budget', clock: 250 });
    expect([over.runTime, over.kills]).toEqual([5000, over.runs]);
    const within = simulated(
      hookOf([runOf(1000, 0, 0, 10)], limitOf({ time: 4000 })),
      {},
      { by: 'budget', clock: 250 },
    );
    expect([within.runTime, within.kills]).toEqual([3500, 0]);
  });

  it('a throttled hook is left alone, each time for longer', () => {
    const hook = hookOf(
      [runOf(9000)],
      limitOf({ time: 1000, action: 'throttle', for: 10_000, backOff: 2, atMost: 80_000 }),
    );
    const { kills, denied, operations } = simulated(hook, { duration: 700_000 });
    // Kills are 1,000 ns, then throttled for 10, 20, 40, 80, 80, ... microseconds.
    let time = 0;
    let expected = 0;
    for (let pause = 10_000; time < 700_000; pause = Math.min(80_000, pause * 2)) {
      expected++;
      time += 2000 + pause;
    }
    expect(Math.abs(kills - expected)).toBeLessThanOrEqual(1);
    expect(denied).toBe(operations + 1 - kills);
  });

  it('a detached program never runs again', () => {
    const hook = hookOf([runOf(9000)], limitOf({ time: 1000, action: 'detach', after: 3 }));
    const { kills, runs, detachedAt, denied, operations } = simulated(hook);
    expect([kills, runs]).toEqual([3, 3]);
    // Two operations of 2,000 ns, and the run of the third.
    expect(detachedAt).toBe(2 * 2000 + 1000);
    expect(denied).toBe(operations + 1 - 3);
  });

  it('a refused program does not run at all, and one that only may be refused is not killed', () => {
    const limit = limitOf({ time: 1000, action: 'refuse' });
    expect(simulated(hookOf([runOf(9000)], limit, {}, true))).toMatchObject({
      runs: 0,
      kills: 0,
      throughput: 1e6,
    });
    expect(simulated(hookOf([runOf(9000)], limit))).toMatchObject({ kills: 0, runTime: 9000 });
  });

  it('any: the same for the same seed, no more than the CPUs can do, and no run over its limit for longer than a kill takes', () => {
    const setting = fc.record({
      seed: fc.nat(),
      cpus: fc.integer({ min: 1, max: 4 }),
      times: fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 4 }),
      toExit: fc.nat(900),
      left: fc.nat(3),
      action: fc.constantFrom(...ACTIONS),
      by: fc.constantFrom('none', 'budget', 'kill'),
      watchdog: fc.nat(3000),
      kill: fc.nat(500),
      clients: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      runs: fc.constantFrom(0, 0.3, 1, 2.5),
    });
    fc.assert(
      fc.property(setting, (s) => {
        const limit = limitOf({ time: 3000, action: s.action, after: 4 });
        const rate = s.clients === undefined ? 200_000 : undefined;
        const hook = hookOf(
          s.times.map((time) => runOf(time, s.toExit, s.left, 5)),
          limit,
          { ...s, rate },
        );
        const once = () => simulated(hook, s, { ...s, clock: 20 });
        const result = once();
        expect(once()).toEqual(result);
        expect(result.throughput).toBeLessThanOrEqual(s.cpus * 1e6);
        expect(result.kills).toBeLessThanOrEqual(result.runs);
        expect(result.leaked).toBe(s.by === 'kill' ? result.kills * s.left : 0);
        if (s.by === 'none' || s.action === 'refuse') expect(result.kills).toBe(0);
        else if (s.by === 'budget') {
          expect(result.timeLost).toBeLessThanOrEqual(result.runs * (20_000 / 5 + 20) + 1e-6);
        } else {
          const most = s.watchdog + s.kill + Math.max(s.toExit, 0);
          expect(result.timeLost).toBeLessThanOrEqual(result.runs * most + 1e-6);
        }
        if (s.action === 'detach') expect(result.kills).toBeLessThanOrEqual(4 + s.cpus - 1);
        else expect(result.detachedAt).toBeNull();
      }),
      seeded(150),
    );
  });
});
