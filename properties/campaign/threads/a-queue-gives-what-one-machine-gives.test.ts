/**
 * A campaign over a queue comes to the state that one machine comes to, whatever happens to its workers and its Redis: workers that take
 * shards and are never heard of again, a Redis that restarts, one that forgets everything, a campaign that is stopped and taken up again. Each
 * result counts once, and nothing is left on the queue. What the workers compute is drawn at random here; the queue is real.
 */
import { join } from 'node:path';
import { Queue, Worker as QueueWorker } from 'bullmq';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type CampaignOptions, runCampaign } from '../../../src/campaign/campaign.js';
import { PREFIX, queueName } from '../../../src/campaign/queue/names.js';
import { openQueue } from '../../../src/campaign/queue/publish.js';
import { type Worked, type WorkOptions, workOn } from '../../../src/campaign/queue/work.js';
import { SHARD } from '../../../src/campaign/shards/schedule.js';
import type { CampaignState } from '../../../src/campaign/shards/state.js';
import type { CampaignSetting, Job } from '../../../src/campaign/threads/job.js';
import { describeRedis, startRedis, type TestRedis, withoutRedis } from '../../support/campaign/redis.js';
import { reportOf } from '../../support/campaign/reports.js';
import { scratch } from '../../support/cli.js';
import { seeded } from '../../support/seed.js';

/** What was computed: how often each piece of work was. */
const computed = vi.hoisted(() => ({ times: new Map<string, number>(), turns: (): number => 0 }));

vi.mock('../../../src/campaign/threads/job.js', () => {
  const open = async () => ({ do: (job: Job) => compute(job), close: () => {} });
  return {
    Worker: { open },
    openWorkers: async () => ({ width: 2, run: compute, close: async () => {} }),
  };
});

async function compute(job: Job): Promise<unknown> {
  const key = JSON.stringify(job);
  computed.times.set(key, (computed.times.get(key) ?? 0) + 1);
  for (let turns = computed.turns(); turns > 0; turns--) await wait(1);
  if (job.kind === 'check')
    return Array.from({ length: job.to - job.from }, (_, i) => reportFor(job.from + i));
  if (job.kind === 'shrink') return { text: `small ${job.text}`, insns: 3, cause: job.cause };
  throw new Error('no such job');
}

const reportFor = (index: number) => fc.sample(reportOf(index), { seed: index + 7, numRuns: 1 })[0]!;
const wait = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const setting: CampaignSetting = { seed: 1, rules: ['sound'], worlds: 1, prove: false, kernel: false };
const timeless = ({ ms: _, ...state }: CampaignState): unknown => JSON.parse(JSON.stringify(state));

vi.setConfig({ testTimeout: 60_000 });

let redis: TestRedis;
beforeAll(async () => {
  if (withoutRedis() === '') redis = await startRedis();
});
afterAll(async () => redis?.stop());

/** A build of its own for each test, and with it a queue. */
let code = '';
let builds = 0;
beforeEach(() => {
  code = `build${builds++}`;
  computed.times = new Map();
  computed.turns = () => 0;
});

/** Milliseconds for which shards are held. */
const LOCK = 300;

/** Starts a worker; `end` ends it and answers what it did. */
function worker(more: Partial<WorkOptions> = {}): { readonly end: () => Promise<Worked> } {
  const stop = new AbortController();
  const options = { address: redis.address, code, workers: 1, lock: LOCK, stop: stop.signal };
  const worked = workOn({ ...options, ...more });
  return {
    end: () => {
      stop.abort();
      return worked;
    },
  };
}

/** Takes one shard, and is never heard of again. */
async function killedWorker(): Promise<void> {
  let taken: () => void = () => {};
  const took = new Promise<void>((done) => {
    taken = done;
  });
  const never = (): Promise<never> => {
    taken();
    return new Promise<never>(() => {});
  };
  const one = new QueueWorker(queueName(code), never, {
    connection: redis.client,
    prefix: PREFIX,
    lockDuration: LOCK,
    skipLockRenewal: true,
    skipStalledCheck: true,
  });
  one.on('error', () => {});
  await Promise.race([took, wait(400)]);
  void one.close(true);
}

/** Shards of a campaign here, the last one short, and its programs. */
const SHARDS = 6;
const PROGRAMS = (SHARDS - 1) * SHARD + 2;

const published = (more: Partial<CampaignOptions> = {}, stop?: AbortSignal) =>
  runCampaign({
    setting,
    programs: PROGRAMS,
    workers: 1,
    ...(stop === undefined ? {} : { stop }),
    open: () => openQueue(setting, { address: redis.address, code, ...(stop === undefined ? {} : { stop }) }),
    ...more,
  });

const alone = async (programs: number): Promise<unknown> =>
  timeless((await runCampaign({ setting, programs, workers: 2 })).state);

const onQueue = async (): Promise<readonly string[]> => {
  const queue = new Queue(queueName(code), { connection: redis.client, prefix: PREFIX });
  const ids = await queue.getRanges(['waiting', 'active', 'delayed', 'completed', 'failed'], 0, -1);
  await queue.close();
  return ids;
};

describeRedis('a campaign over a queue', () => {
  it('comes to the state of one machine, however many workers there are, and some are killed', async () => {
    const cases = fc.tuple(
      fc.integer({ min: 1, max: 6 * SHARD }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 2 }),
      fc.infiniteStream(fc.nat({ max: 8 })),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ([programs, count, kills, random]) => {
        code = `build${builds++}`;
        const expected = await alone(programs);
        computed.turns = () => random.next().value!;
        const campaign = published({ programs });
        for (let i = 0; i < kills; i++) await killedWorker();
        const workers = Array.from({ length: count }, (_, i) => worker({ workers: i + 1 }));
        const { state, finished } = await campaign;
        expect(finished).toBe(true);
        expect(timeless(state)).toEqual(expected);
        const worked = await Promise.all(workers.map(({ end }) => end()));
        const sum = worked.reduce((all, one) => all + one.programs, 0);
        expect(sum).toBe(programs);
        expect(await onQueue()).toEqual([]);
      }),
      seeded(4),
    );
  });

  it('does so though Redis restarts', async () => {
    const expected = await alone(PROGRAMS);
    computed.turns = () => 10;
    const campaign = published();
    await killedWorker();
    const workers = [worker(), worker()];
    await wait(150);
    await redis.restart();
    expect(timeless((await campaign).state)).toEqual(expected);
    for (const { end } of workers) await end();
  });

  it('and though Redis forgets everything', async () => {
    const expected = await alone(PROGRAMS);
    computed.turns = () => 10;
    const campaign = published();
    const workers = [worker(), worker()];
    await wait(150);
    await redis.client.flushall();
    expect(timeless((await campaign).state)).toEqual(expected);
    for (const { end } of workers) await end();
    expect(await onQueue()).toEqual([]);
  });

  it('stopped, it leaves its shards, whose results are there when it is taken up again', async () => {
    const expected = await alone(PROGRAMS);
    computed.times = new Map();
    const folder = join(scratchFolder, code);
    const stop = new AbortController();
    const begun = published({ folder }, stop.signal);
    while ((await onQueue()).length < SHARDS) await wait(20);
    stop.abort();
    const { state, interrupted } = await begun;
    expect([interrupted, state.done]).toEqual([true, 0]);
    expect(await onQueue()).toHaveLength(SHARDS);
    const one = worker();
    while ([...computed.times.keys()].length < SHARDS) await wait(20);
    expect(timeless((await published({ folder })).state)).toEqual(expected);
    await one.end();
    expect([...computed.times.values()].filter((times) => times !== 1)).toEqual([]);
  });

  it('ends by its time, with nothing left behind, even where nobody works', async () => {
    const { state, finished } = await published({ time: 300, programs: 10_000 });
    expect([state.done, finished]).toEqual([0, false]);
    expect(await onQueue()).toEqual([]);
  });

  it('two of them at once have their own results, and those of another build are left alone', async () => {
    const other = { ...setting, seed: 2 };
    const notes: string[] = [];
    const stranger = worker({ code: 'another', note: (line) => notes.push(line) });
    const [one, two] = [
      published({ programs: 2 * SHARD + 1 }),
      runCampaign({
        setting: other,
        programs: 3 * SHARD + 2,
        workers: 1,
        open: () => openQueue(other, { address: redis.address, code }),
      }),
    ];
    await wait(200);
    expect(computed.times.size).toBe(0);
    const ours = worker({ workers: 2 });
    expect([(await one).state.done, (await two).state.done]).toEqual([2 * SHARD + 1, 3 * SHARD + 2]);
    expect((await ours.end()).refused).toBe(0);
    while (!notes.some((line) => line.includes(code))) await wait(50);
    const told = await stranger.end();
    expect(told).toMatchObject({ shards: 0, refused: 0 });
    expect(told.otherBuilds).toContain(code);
    expect(notes.filter((line) => line.includes(code))).toEqual([
      `shards of another build wait here (code ${code}, this is another): they are left to its workers`,
    ]);
  });

  it('a worker ends in order: it hands in what it has begun, and takes nothing more', async () => {
    computed.turns = () => 100;
    const campaign = published();
    const first = worker({ workers: 2 });
    while (computed.times.size < 2) await wait(5);
    expect(await first.end()).toMatchObject({ shards: 2, programs: 2 * SHARD });
    computed.turns = () => 0;
    const second = worker();
    await campaign;
    await second.end();
    expect([...computed.times.values()].filter((times) => times !== 1)).toEqual([]);
  });

  it('a worker that is idle for long ends by itself', async () => {
    expect(await workOn({ address: redis.address, code, workers: 1, idle: 100 })).toMatchObject({
      shards: 0,
    });
  });
});

const scratchFolder = scratch();
