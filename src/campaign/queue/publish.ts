/**
 * Publishes the work of a campaign as shards on a queue, and waits for their results: to a campaign that is what its threads are otherwise. A
 * shard has a name made of all that its result depends on, and is on the queue once under it. Whatever Redis forgets is published again,
 * and a result is taken off the queue when the campaign has it.
 */
import type { Queue, Job as QueuedJob } from 'bullmq';
import { InputError } from '../../isa/errors.js';
import type { RuleBundle } from '../../patch/bundle.js';
import { bundleRules } from '../../patch/bundle.js';
import type { CampaignSetting, Job, JobResult, Workers } from '../threads/job.js';
import type { QueueAddress } from './address.js';
import { connect, type QueueConnection } from './connection.js';
import { BUILDS, PREFIX, queueName } from './names.js';
import {
  type Answer,
  type Shard,
  type ShardedCampaign,
  shardedCampaign,
  shardId,
  shownShard,
} from './shard.js';

/** Milliseconds between two looks for results, and between two comparisons of what is awaited with what is there. */
const LOOK_EVERY = 100;
const COMPARE_EVERY = 3_000;
/** Shards that are on the queue at once: at first, and at the most where workers are quick. */
const FIRST_WIDTH = 64;
const MOST_WIDTH = 4_096;
/** Seconds that results stay in Redis which nobody fetches. */
const KEPT_S = 7 * 24 * 3600;
/** Times that a shard is tried after a worker failed with it; a worker that is killed does not count. */
const ATTEMPTS = 3;

const NOT_DONE = ['waiting', 'active', 'delayed', 'prioritized'] as const;
const DONE = ['completed', 'failed'] as const;

/** Where a campaign's work is published. */
export interface PublishOptions {
  readonly address: QueueAddress;
  /** Digest of this build. */
  readonly code: string;
  /** Milliseconds that a Redis that went away is waited for. */
  readonly patience?: number;
  /** Once aborted, what is on the queue stays there for the next start of the campaign; otherwise it is taken off at the end. */
  readonly stop?: AbortSignal;
  /** Tells a person something, in one line. */
  readonly note?: (line: string) => void;
}

/** Opens the queue for a campaign. Throws InputError as `connect`, for rules that cannot be loaded, and for what cannot be computed elsewhere. */
export async function openQueue(setting: CampaignSetting, options: PublishOptions): Promise<Workers> {
  if (setting.kernel)
    throw new InputError(
      '--kernel asks the kernel of this machine: a queue cannot, use --shard on machines with one kernel',
    );
  const bundles: RuleBundle[] = [];
  for (const name of setting.rules) {
    const bundle = await bundleRules(name, true);
    if (bundle !== undefined) bundles.push(bundle);
  }
  const connection = await connect(options);
  return new Publisher(connection, shardedCampaign(options.code, setting, bundles), options);
}

interface Awaited {
  readonly shard: Shard;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  /** On the queue since this run began. */
  published: boolean;
  /** Published anew after a former run of this campaign had failed with it. */
  again: boolean;
}

/** The work of one campaign on the queue. */
class Publisher implements Workers {
  readonly leaves = true;
  width = FIRST_WIDTH;
  private readonly queue: Queue;
  private readonly awaited = new Map<string, Awaited>();
  private readonly timers: NodeJS.Timeout[] = [];
  private failure: Error | undefined;
  private closed = false;
  private looking: Promise<void> | undefined;
  private received = 0;
  private toldOfNoWorker = false;

  constructor(
    private readonly connection: QueueConnection,
    private readonly campaign: ShardedCampaign,
    private readonly options: PublishOptions,
  ) {
    this.queue = new connection.bullmq.Queue(queueName(campaign.code), {
      connection: connection.redis,
      prefix: PREFIX,
      skipVersionCheck: true,
      // Nobody listens to events: results are looked for.
      streams: { events: { maxLen: 10 } },
    });
    // What is wrong with the connection is told by `lost`, and with a command by its promise.
    this.queue.on('error', () => {});
    connection.lost.catch((error: Error) => this.fail(error));
    this.every(LOOK_EVERY, () => this.look());
    this.every(COMPARE_EVERY, () => this.compare());
  }

  run<J extends Job>(job: J): Promise<JobResult<J>> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const shard: Shard = { campaign: this.campaign, job };
    return new Promise((resolve, reject) => {
      this.awaited.set(shardId(shard), { shard, resolve, reject, published: false, again: false });
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const timer of this.timers) clearInterval(timer);
    if (this.failure === undefined) {
      await Promise.race([this.leave(), this.connection.lost]).catch(() => {});
    }
    this.connection.close();
  }

  /** Takes what nobody will fetch off the queue, unless the campaign was stopped: then it is taken up again, and finds its shards there. */
  private async leave(): Promise<void> {
    await this.looking?.catch(() => {});
    if (this.options.stop?.aborted === true) return;
    for (const id of this.awaited.keys()) await this.queue.remove(id).catch(() => {});
  }

  /** Repeats something; when the turn before has not ended, this one is left out. */
  private every(ms: number, work: () => Promise<void>): void {
    let busy = false;
    const turn = async (): Promise<void> => {
      if (busy || this.closed || this.failure !== undefined) return;
      busy = true;
      try {
        await work();
      } catch (error) {
        if (!this.closed) this.fail(error as Error);
      } finally {
        busy = false;
      }
    };
    this.timers.push(setInterval(() => void turn(), ms));
    void turn();
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const { reject } of this.awaited.values()) reject(this.failure);
    this.awaited.clear();
  }

  /** Publishes what is new, and fetches results. */
  private look(): Promise<void> {
    this.looking = this.publishNew().then(() => this.fetchResults());
    return this.looking;
  }

  private async publishNew(): Promise<void> {
    const fresh = [...this.awaited].filter(([, one]) => !one.published);
    if (fresh.length > 0) await this.publish(fresh);
  }

  private async publish(shards: readonly (readonly [id: string, one: Awaited])[]): Promise<void> {
    const keep = { age: KEPT_S };
    await this.queue.addBulk(
      shards.map(([id, { shard }]) => ({
        name: shard.job.kind,
        data: shard,
        // What is there under this name already is not added.
        opts: { jobId: id, attempts: ATTEMPTS, removeOnComplete: keep, removeOnFail: keep },
      })),
    );
    for (const [, one] of shards) one.published = true;
  }

  private async fetchResults(): Promise<void> {
    const done = await this.queue.getRanges([...DONE], 0, -1);
    for (const id of done) {
      const awaited = this.awaited.get(id);
      if (awaited === undefined) continue;
      const job = await this.queue.getJob(id);
      if (job !== undefined) await this.take(id, awaited, job);
    }
  }

  private async take(id: string, awaited: Awaited, job: QueuedJob): Promise<void> {
    const answer = job.returnvalue as Answer | null;
    const failed = job.failedReason !== undefined && job.failedReason !== '';
    await job.remove();
    if (failed && !awaited.again) {
      // A former run, or a worker that is gone, may have failed with it: one more try.
      awaited.again = true;
      await this.publish([[id, awaited]]);
      return;
    }
    this.awaited.delete(id);
    this.received++;
    if (failed) awaited.reject(new Error(`${shownShard(awaited.shard)}: ${job.failedReason}`));
    else if (answer?.ok === true) awaited.resolve(answer.result as never);
    else awaited.reject(refusal(answer, awaited.shard));
  }

  /** Publishes again what Redis has forgotten, says that shards wait for this build, and holds enough ready for all workers. */
  private async compare(): Promise<void> {
    const [now] = await this.connection.redis.time();
    await this.connection.redis.zadd(BUILDS, Number(now), this.campaign.code);
    const there = new Set(await this.queue.getRanges([...NOT_DONE, ...DONE], 0, -1));
    const lost = [...this.awaited].filter(([id, one]) => one.published && !there.has(id));
    if (lost.length > 0) await this.publish(lost);
    const waiting = await this.queue.getWaitingCount();
    if (this.received > 0 && waiting < this.width / 4) this.width = Math.min(2 * this.width, MOST_WIDTH);
    if (this.received === 0 && !this.toldOfNoWorker && this.awaited.size > 0) await this.tellOfNoWorker();
  }

  private async tellOfNoWorker(): Promise<void> {
    const workers = await this.queue.getWorkers().catch(() => undefined);
    if (workers?.length !== 0) return;
    this.toldOfNoWorker = true;
    this.options.note?.(
      `no worker of this build (code ${this.campaign.code}) is at the queue yet: swansong worker --queue URL`,
    );
  }
}

function refusal(answer: Answer | null, shard: Shard): Error {
  if (answer === null || answer.ok) return new Error(`${shownShard(shard)}: a worker gave no result`);
  return answer.badInput ? new InputError(answer.message) : new Error(answer.message);
}
