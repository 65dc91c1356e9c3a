/**
 * A worker: takes shards from a queue and computes them in threads, until it is told to stop. If it is killed, another worker takes its shards
 * some seconds later, because nobody renews the locks on them.
 */
import type { Job, Worker as QueueWorker } from 'bullmq';
import { InputError } from '../../isa/errors.js';
import { openPool, type Pool } from '../threads/pool.js';
import type { QueueAddress } from './address.js';
import { connect, type QueueConnection } from './connection.js';
import { BUILDS, PREFIX, queueName } from './names.js';
import { ShardRunner } from './runner.js';
import { type Answer, mustBeWhole, type Shard } from './shard.js';

/** Milliseconds for which a worker holds a shard without a sign of life. A sign is given twice as often. */
export const LOCK_MS = 5_000;
/** How often a shard may be taken from workers that were killed. One that kills every worker must come to an end. */
const MOST_STALLED = 20;
/** Milliseconds between two looks for shards of other builds, and seconds for which a build is remembered. */
const LOOK_EVERY = 3_000;
const RECENT_S = 30;

/** How a worker works. */
export interface WorkOptions {
  readonly address: QueueAddress;
  /** Digest of this build. */
  readonly code: string;
  /** Threads. */
  readonly workers: number;
  /** Ends the worker in order: shards under way are computed to their end. */
  readonly stop?: AbortSignal;
  /** Milliseconds without a shard after which the worker ends. */
  readonly idle?: number;
  /** Milliseconds that a Redis that went away is waited for. */
  readonly patience?: number;
  /** Milliseconds for which a shard is held without a sign of life. */
  readonly lock?: number;
  readonly progress?: (done: Worked) => void;
  /** Tells a person something, in one line. */
  readonly note?: (line: string) => void;
}

/** What a worker has done so far. */
export interface Worked {
  /** Shards whose results it handed in. */
  readonly shards: number;
  /** Programs in them. */
  readonly programs: number;
  /** Shards that it would not compute. */
  readonly refused: number;
  /** Builds, by the digest of their code, whose shards it left to others. */
  readonly otherBuilds: readonly string[];
}

/** Works until it is stopped or idle. Throws InputError as `connect`, and for a queue that is gone for too long. */
export async function workOn(options: WorkOptions): Promise<Worked> {
  const connection = await connect(options);
  try {
    const pool = await openPool<Shard, unknown>({
      open: async () => new ShardRunner(),
      entry: new URL('./thread.js', import.meta.url),
      data: undefined,
      workers: options.workers,
      always: true,
    });
    try {
      return await new QueueWork(connection, pool, options).run();
    } finally {
      await pool.close();
    }
  } finally {
    connection.close();
  }
}

/** The clock is only for when to stop; no result depends on it. */
const now = (): number => performance.now();

class QueueWork {
  private done = { shards: 0, programs: 0, refused: 0 };
  private readonly otherBuilds = new Set<string>();
  private busy = 0;
  private idleSince = now();
  private readonly worker: QueueWorker;
  private giveUp: (error: Error) => void = () => {};
  /** Rejects when no thread is left to compute anything. */
  private readonly broken = new Promise<never>((_, reject) => {
    this.giveUp = (error) => reject(new Error(`all threads of this worker have died: ${error.message}`));
  });

  constructor(
    private readonly connection: QueueConnection,
    private readonly pool: Pool<Shard, unknown>,
    private readonly options: WorkOptions,
  ) {
    const { code, workers, lock = LOCK_MS } = options;
    this.worker = new connection.bullmq.Worker(queueName(code), (job) => this.compute(job), {
      connection: connection.redis,
      prefix: PREFIX,
      concurrency: workers,
      lockDuration: lock,
      stalledInterval: lock / 2,
      maxStalledCount: MOST_STALLED,
      runRetryDelay: 500,
      drainDelay: 2,
      skipVersionCheck: true,
      autorun: false,
    });
    // A lost connection is told by `lost`. A lost lock means that another worker has the shard: one result is taken, and they are equal.
    this.worker.on('error', () => {});
    this.worker.on('completed', (job: Job<Shard>) => this.count(job.data));
  }

  async run(): Promise<Worked> {
    const ended = this.end();
    void this.worker.run().catch(() => {});
    const looks = setInterval(() => void this.lookForOtherBuilds().catch(() => {}), LOOK_EVERY);
    void this.lookForOtherBuilds().catch(() => {});
    try {
      await Promise.race([ended, this.connection.lost, this.broken]);
      await Promise.race([this.worker.close(), this.connection.lost]);
    } catch (error) {
      void this.worker.close(true).catch(() => {});
      throw error;
    } finally {
      clearInterval(looks);
    }
    return this.worked;
  }

  private get worked(): Worked {
    return { ...this.done, otherBuilds: [...this.otherBuilds] };
  }

  /** Resolves when the worker is to stop. */
  private end(): Promise<void> {
    const { stop, idle } = this.options;
    return new Promise((resolve) => {
      if (stop?.aborted === true) resolve();
      stop?.addEventListener('abort', () => resolve());
      if (idle === undefined) return;
      const timer = setInterval(
        () => {
          if (this.busy > 0 || now() - this.idleSince < idle) return;
          clearInterval(timer);
          resolve();
        },
        Math.min(250, idle),
      );
    });
  }

  private async compute(job: Job<Shard>): Promise<Answer> {
    this.busy++;
    try {
      mustBeWhole(job.data, job.id ?? '', this.options.code);
      return { ok: true, result: await this.pool.run(job.data) };
    } catch (error) {
      // What is wrong with the input is wrong on every machine. Other errors may be those of this one: BullMQ has it tried again.
      if (!(error instanceof InputError)) {
        if (this.pool.living === 0) this.giveUp(error as Error);
        throw error;
      }
      const message = error.describe();
      this.done.refused++;
      this.options.note?.(`refused ${message}`);
      return { ok: false, message, badInput: true };
    } finally {
      this.busy--;
      this.idleSince = now();
    }
  }

  private count({ job }: Shard): void {
    this.done.shards++;
    if (job.kind === 'check') this.done.programs += job.to - job.from;
    this.options.progress?.(this.worked);
  }

  /** Tells once of each other build that shards wait for. */
  private async lookForOtherBuilds(): Promise<void> {
    const { redis } = this.connection;
    const [time] = await redis.time();
    const builds = await redis.zrangebyscore(BUILDS, Number(time) - RECENT_S, '+inf');
    for (const build of builds) {
      if (build === this.options.code || this.otherBuilds.has(build)) continue;
      this.otherBuilds.add(build);
      this.options.note?.(
        `shards of another build wait here (code ${build}, this is ${this.options.code}): they are left to its workers`,
      );
    }
  }
}
