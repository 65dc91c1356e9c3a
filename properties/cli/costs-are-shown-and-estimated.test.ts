/** `costs`, `prove --cost` and a kill where a program asks for it, as a person meets them on the command line. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type {
  CostsEstimateDocument,
  CostsShowDocument,
  ProveDocument,
  RunDocument,
} from '../../src/report/documents.js';
import { here, scratch } from '../support/cli.js';

const folder = scratch();
const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const LOCK = 'corpus/objects/lock_counter.o';

describe('costs are shown and estimated', () => {
  it('the shipped table', async () => {
    const { exit, out } = await here(['costs', 'show', '--json']);
    const { costs } = JSON.parse(out) as CostsShowDocument;
    expect(exit).toBe(0);
    expect(costs.find(({ name }) => name === 'bpf_ktime_get_ns')).toMatchObject({
      kind: 'helper',
      per: 'call',
    });
    expect(costs.find(({ name }) => name === 'sleeps')).toMatchObject({ worst: null, source: 'assumed' });
  });

  it('an estimate, for people and as a document', async () => {
    const { exit, out } = await here(['costs', 'estimate', LOCK, '--json']);
    const [row] = (JSON.parse(out) as CostsEstimateDocument).programs;
    expect(exit).toBe(0);
    expect(row!.best).toBeGreaterThan(10);
    expect(row!.worst).toBeGreaterThan(row!.best!);
    expect(row!.actual).toBeGreaterThanOrEqual(row!.best!);
    expect(row!.actual).toBeLessThanOrEqual(row!.worst!);
    const contended = await here(['costs', 'estimate', LOCK, '--contended', '--json']);
    expect((JSON.parse(contended.out) as CostsEstimateDocument).programs[0]!.worst).toBeGreaterThan(
      row!.worst!,
    );
    expect((await here(['costs', 'estimate', LOCK])).out).toMatch(/^lock_counter: .* bpf_spin_lock at \d+/m);
  });

  it('the time to die', async () => {
    const { out } = await here(['prove', LOCK, '--cost', '--json']);
    const [row] = (JSON.parse(out) as ProveDocument).programs;
    expect(row!.timeToDie!.run).toBeGreaterThan(0);
    expect(row!.timeToDie!.kill).toBeGreaterThan(0);
    expect((await here(['prove', LOCK, '--cost'])).out).toMatch(/dies within \d/);
  });

  it('what is no table, and a command that is none', async () => {
    const bad = await here(['costs', 'estimate', LOCK, '--costs', put('bad.tsv', 'helper\tx\n')]);
    expect([bad.exit, bad.err]).toEqual([2, expect.stringMatching(/bad\.tsv:1: expected 8 columns/)]);
    const none = await here(['costs', 'measur']);
    expect([none.exit, none.err]).toEqual([
      2,
      expect.stringMatching(/choose one of measure, show, estimate/),
    ]);
  });

  it('a program that asks to be killed is killed there', async () => {
    const asks = ['run', 'corpus/objects/papers/asks.o', '--functions', 'corpus/functions/die.ts', '--json'];
    const document = async (...more: string[]) => {
      const { exit, out } = await here([...asks, ...more]);
      return { exit, killed: (JSON.parse(out) as RunDocument).killed };
    };
    const { exit, killed } = await document();
    expect(exit).toBe(0);
    expect(killed).toHaveLength(1);
    // What it holds there is given back, though no more of the loop's helpers run for real.
    expect(killed[0]).toMatchObject({ checks: [] });
    expect((await document('--kill', 'call=bpf_die_kfunc')).killed).toEqual(killed);
    expect((await document('--kill', 'call=bpf_get_prandom_u32')).killed).toHaveLength(100);
    const nowhere = await here([...asks, '--kill', 'call=bpf_loop']);
    expect([nowhere.exit, nowhere.err]).toEqual([
      2,
      expect.stringMatching(/the program does not call it; it calls/),
    ]);
  });
});
