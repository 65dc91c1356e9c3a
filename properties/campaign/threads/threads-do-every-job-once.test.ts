/** A pool answers each job with its own result, does as many at once as it has threads, and says which job failed, and why. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { openPool, type Pool } from '../../../src/campaign/threads/pool.js';
import { scratch } from '../../support/cli.js';

/** A worker thread that answers as `serve` would: waits, then adds its datum to the job; throws and dies when it is told to. */
const THREAD = `
import { parentPort, workerData } from 'node:worker_threads';
parentPort.on('message', async (sent) => {
  if (sent === 'close') return parentPort.close();
  const { id, job } = sent;
  if (job.die) throw new Error('gone');
  await new Promise((done) => setTimeout(done, job.wait ?? 0));
  if (job.fail) parentPort.postMessage({ id, ok: false, message: job.fail });
  else parentPort.postMessage({ id, ok: true, result: job.number + workerData });
});
`;

interface Job {
  readonly number: number;
  readonly wait?: number;
  readonly fail?: string;
  readonly die?: true;
}

/** What hangs here takes a moment otherwise. */
vi.setConfig({ testTimeout: 10_000 });

const entry = join(scratch(), 'thread.mjs');
writeFileSync(entry, THREAD);

interface Opened {
  readonly pool: Pool<Job, number>;
  /** Runners opened in this thread that are not closed. */
  readonly open: () => number;
}

async function open(workers: number, file = entry): Promise<Opened> {
  let opened = 0;
  const pool = await openPool<Job, number>({
    open: async () => {
      opened++;
      return {
        do: ({ number, fail }) => {
          if (fail !== undefined) throw new Error(fail);
          return number + 100;
        },
        close: () => {
          opened--;
        },
      };
    },
    entry: pathToFileURL(file),
    data: 100,
    workers,
  });
  return { pool, open: () => opened };
}

describe.each([1, 2, 3])('%i workers', (workers) => {
  it('answer every job with its own result, in whatever order they end', async () => {
    const { pool, open: left } = await open(workers);
    expect(pool.width).toBe(workers);
    // With threads there is nothing left open here.
    expect(left()).toBe(workers === 1 ? 1 : 0);
    const jobs = Array.from({ length: 12 }, (_, number) => ({ number, wait: number % 4 === 0 ? 15 : 0 }));
    expect(await Promise.all(jobs.map((job) => pool.run(job)))).toEqual(
      jobs.map(({ number }) => number + 100),
    );
    await pool.close();
    expect(left()).toBe(0);
  });

  it('reject the job that fails, and go on', async () => {
    const { pool } = await open(workers);
    const jobs = [1, 2, 3, 4].map((number) =>
      pool.run(number === 2 ? { number, fail: 'no luck' } : { number }),
    );
    expect((await Promise.allSettled(jobs)).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    await expect(jobs[1]).rejects.toThrow('no luck');
    await pool.close();
  });
});

it('a thread that dies takes its job with it, and the last one all that wait', async () => {
  const { pool } = await open(2);
  const jobs = [
    pool.run({ number: 1, die: true }),
    pool.run({ number: 2, wait: 100 }),
    pool.run({ number: 3 }),
    pool.run({ number: 4, die: true }),
    pool.run({ number: 5 }),
    pool.run({ number: 6 }),
  ];
  const results = await Promise.allSettled(jobs);
  expect(results.map(({ status }) => status)).toEqual([
    'rejected',
    'fulfilled',
    'fulfilled',
    'rejected',
    'rejected',
    'rejected',
  ]);
  await pool.close();
});

it('without the file of a thread all is done in this one', async () => {
  const { pool } = await open(3, join(scratch(), 'missing.js'));
  expect(pool.width).toBe(1);
  expect(await pool.run({ number: 1 })).toBe(101);
  await pool.close();
});
