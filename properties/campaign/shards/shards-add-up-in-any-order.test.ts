/**
 * A campaign hands out its programs in shards, several at once, and comes to the same state in whatever order they come back. Stopped at any
 * time, and taken up again from its folder, it comes to the same. The workers here are none: they
 * hand out reports drawn at random, and end in an order drawn at random.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, expect, it, vi } from 'vitest';
import { runCampaign } from '../../../src/campaign/campaign.js';
import { identityOf } from '../../../src/campaign/shards/identity.js';
import { SHARD } from '../../../src/campaign/shards/schedule.js';
import { add, type CampaignState, newState } from '../../../src/campaign/shards/state.js';
import type { Job } from '../../../src/campaign/threads/job.js';
import { reportOf } from '../../support/campaign/reports.js';
import { scratch } from '../../support/cli.js';
import { seeded } from '../../support/seed.js';

const identity = await identityOf([]);
const setting = { seed: 1, rules: [], worlds: 1, prove: false, kernel: false };

/** The workers of the campaign that runs. */
const workers = vi.hoisted(() => ({
  width: 1,
  /** Jobs that were begun. */
  jobs: [] as unknown[],
  /** Jobs under way, and the most there were. */
  busy: 0,
  most: 0,
  open: 0,
  answer: async (_job: unknown): Promise<unknown> => undefined,
}));

vi.mock('../../../src/campaign/threads/job.js', () => ({
  openWorkers: async () => {
    workers.open++;
    return {
      width: workers.width,
      run: async (job: unknown) => {
        workers.jobs.push(job);
        workers.most = Math.max(workers.most, ++workers.busy);
        try {
          return await workers.answer(job);
        } finally {
          workers.busy--;
        }
      },
      close: async () => {
        workers.open--;
      },
    };
  },
}));

/** What hangs here takes a moment otherwise. */
vi.setConfig({ testTimeout: 20_000 });

beforeEach(() => {
  Object.assign(workers, { width: 1, jobs: [], busy: 0, most: 0, open: 0 });
});

const reportFor = (index: number) => fc.sample(reportOf(index), { seed: index + 7, numRuns: 1 })[0]!;
const small = (text: string) => ({ text: `small ${text}`, insns: 3 });

/** Answers after a number of turns that `random` says. */
function answering(random: () => number): (job: unknown) => Promise<unknown> {
  return async (given) => {
    const job = given as Job;
    for (let turns = random() % 6; turns > 0; turns--) await new Promise((done) => setImmediate(done));
    if (job.kind === 'check')
      return Array.from({ length: job.to - job.from }, (_, i) => reportFor(job.from + i));
    if (job.kind === 'shrink') return { ...small(job.text), cause: job.cause };
    throw new Error('no such job');
  };
}

/** What the first `programs` reports add up to, all that was found shrunk. */
function summed(programs: number): CampaignState {
  const state = newState(identity, setting);
  for (let index = 0; index < programs; index++) add(state, reportFor(index));
  for (const one of state.found) one.small = { ...small(one.text), cause: one.cause };
  return state;
}

const timeless = ({ ms: _, ...state }: CampaignState): unknown => JSON.parse(JSON.stringify(state));

it('in whatever order shards end, the state is that of the programs in order', async () => {
  const cases = fc.tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 6 * SHARD }),
    fc.infiniteStream(fc.nat()),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([width, programs, random]) => {
      Object.assign(workers, { width, jobs: [], most: 0, answer: answering(() => random.next().value!) });
      const done: number[] = [];
      const { state, finished, interrupted } = await runCampaign({
        setting,
        programs,
        workers: width,
        progress: (progress) => done.push(progress.done),
      });
      expect([finished, interrupted]).toEqual([true, false]);
      expect(timeless(state)).toEqual(timeless(summed(programs)));
      expect(workers.most).toBeLessThanOrEqual(width);
      if (programs > SHARD * width) expect(workers.most).toBe(width);
      const shards = (workers.jobs as Job[]).flatMap((job) => (job.kind === 'check' ? [job] : []));
      expect(shards.map(({ from }) => from)).toEqual(shards.map((_, i) => SHARD * i));
      expect(shards.map(({ to }) => to)).toEqual(shards.map((_, i) => Math.min(SHARD * (i + 1), programs)));
      expect(workers.jobs.length - shards.length).toBe(state.found.length);
      expect(done).toEqual([...done].sort((a, b) => a - b));
      expect(done.at(-1)).toBe(programs);
      expect(workers.open).toBe(0);
    }),
    seeded(60),
  );
});

it('stopped at any time and taken up again, it comes to the same', async () => {
  const cases = fc.tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.array(fc.nat({ max: 25 }), { minLength: 1, maxLength: 3 }),
    fc.infiniteStream(fc.nat()),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([width, stops, random]) => {
      Object.assign(workers, { width, answer: answering(() => random.next().value!) });
      const folder = scratchFolder();
      const options = { setting, programs: 30, workers: width, folder };
      for (const after of stops) {
        workers.jobs = [];
        const stop = new AbortController();
        const { state, finished, interrupted } = await runCampaign({
          ...options,
          stop: stop.signal,
          progress: ({ done }) => done >= after && stop.abort(),
        });
        expect(interrupted).toBe(!finished);
        const kept = JSON.parse(readFileSync(join(folder, 'campaign.json'), 'utf8')) as CampaignState;
        expect(kept).toEqual(JSON.parse(JSON.stringify(state)));
        expect(kept.done).toBeLessThanOrEqual(30);
        // What was begun is waited for and kept.
        for (const job of workers.jobs as Job[])
          if (job.kind === 'check') expect(kept.done).toBeGreaterThanOrEqual(job.to);
      }
      const { state, finished } = await runCampaign(options);
      expect(finished).toBe(true);
      expect(timeless(state)).toEqual(timeless(summed(30)));
    }),
    seeded(25),
  );
});

const base = scratch();
let folders = 0;
const scratchFolder = (): string => join(base, `${folders++}`);

it('a job that throws ends the campaign with its error, and what was done before is kept', async () => {
  const folder = scratchFolder();
  const good = answering(() => 0);
  workers.answer = async (job) => {
    if ((job as Job).kind === 'check' && (job as { from: number }).from === 2 * SHARD)
      throw new Error('no luck');
    return good(job);
  };
  const { failure, finished } = await runCampaign({ setting, programs: 4 * SHARD, workers: 1, folder });
  expect([failure?.message, finished]).toEqual(['no luck', false]);
  const kept = JSON.parse(readFileSync(join(folder, 'campaign.json'), 'utf8')) as CampaignState;
  expect(kept.done).toBe(2 * SHARD);
  expect(workers.open).toBe(0);
});

it('one that ends by its time is not finished, and not interrupted; one that is stopped is', async () => {
  workers.answer = answering(() => 0);
  const timed = await runCampaign({ setting, time: 30, workers: 1 });
  expect([timed.finished, timed.interrupted]).toEqual([false, false]);
  expect(timed.state.done).toBeGreaterThan(0);
  expect(timed.state.ms).toBeGreaterThanOrEqual(30);
  const short = await runCampaign({ setting, time: 1, programs: 100_000, workers: 1 });
  expect([short.finished, short.interrupted]).toEqual([false, true]);
  const stop = new AbortController();
  stop.abort();
  const stopped = await runCampaign({ setting, time: 10_000, workers: 1, stop: stop.signal });
  expect([stopped.finished, stopped.interrupted, stopped.state.done]).toEqual([false, true, 0]);
});

it('progress tells how much is done, found and left to shrink', async () => {
  workers.answer = answering(() => 0);
  const seen: unknown[] = [];
  const { state } = await runCampaign({
    setting,
    programs: 9,
    workers: 1,
    progress: (one) => seen.push(one),
  });
  expect(seen[0]).toMatchObject({
    done: 0,
    programs: 9,
    found: 0,
    shrinking: 0,
    disagreements: 0,
    news: 0,
    called: 0,
  });
  expect(seen.at(-1)).toMatchObject({
    done: 9,
    programs: 9,
    found: state.found.length,
    shrinking: 0,
    disagreements: state.disagreementCount,
    news: state.found.length,
    called: Object.keys(state.coverage.functions).length,
  });
  expect(state.found.length).toBeGreaterThan(1);
  expect((seen as { shrinking: number }[]).some(({ shrinking }) => shrinking > 0)).toBe(true);
});
