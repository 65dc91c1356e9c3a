/** Threads that do jobs: as many at once as there are threads, in the order asked for. With one worker there is no thread but this one. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker as Thread } from 'node:worker_threads';
import { type Job, type JobResult, type Setting, Worker } from './job.js';
import type { Answered, Sent } from './thread.js';

export interface Pool {
  /** Jobs that may be under way at once. */
  readonly width: number;
  /** Does a job. Rejects when the job throws, or its thread dies. */
  run<J extends Job>(job: J): Promise<JobResult<J>>;
  close(): Promise<void>;
}

const THREAD = fileURLToPath(new URL('./thread.js', import.meta.url));

/** Opens a pool of `workers` (at least 1). Throws as `Worker.open`. */
export async function openPool(setting: Setting, workers: number): Promise<Pool> {
  // Opened here in any case, so that what is wrong with the setting is said once and clearly.
  const here = await Worker.open(setting);
  // Run from TypeScript sources there is no file that a thread could be started from.
  if (workers === 1 || !existsSync(THREAD)) return new Here(here);
  here.close();
  return new Threads(setting, workers);
}

class Here implements Pool {
  readonly width = 1;
  constructor(private readonly worker: Worker) {}

  async run<J extends Job>(job: J): Promise<JobResult<J>> {
    // Let signals and timers through between jobs.
    await new Promise((done) => setImmediate(done));
    return this.worker.do(job);
  }

  async close(): Promise<void> {
    this.worker.close();
  }
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

class Threads implements Pool {
  readonly width: number;
  private readonly threads: Thread[] = [];
  private readonly idle: Thread[] = [];
  private readonly queue: Waiting[] = [];
  private readonly busy = new Map<Thread, Waiting>();
  private next = 0;

  constructor(setting: Setting, workers: number) {
    this.width = workers;
    for (let i = 0; i < workers; i++) {
      // What bpf(2) opens is closed by us; Node would warn of every one that it did not open itself.
      const thread = new Thread(THREAD, { workerData: setting, trackUnmanagedFds: false });
      thread.on('message', (answer: Answered) => this.answered(thread, answer));
      thread.on('error', (error: Error) => this.died(thread, error));
      this.threads.push(thread);
      this.idle.push(thread);
    }
  }

  run<J extends Job>(job: J): Promise<JobResult<J>> {
    return new Promise((resolve, reject) => {
      this.queue.push({ job, resolve: resolve as (result: never) => void, reject });
      this.feed();
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }

  private feed(): void {
    while (this.idle.length > 0 && this.queue.length > 0) {
      const thread = this.idle.pop()!;
      const waiting = this.queue.shift()!;
      this.busy.set(thread, waiting);
      thread.postMessage({ id: this.next++, job: waiting.job } satisfies Sent);
    }
  }

  private answered(thread: Thread, answer: Answered): void {
    const waiting = this.busy.get(thread);
    this.busy.delete(thread);
    this.idle.push(thread);
    if (answer.ok) waiting?.resolve(answer.result as never);
    else waiting?.reject(new Error(answer.message));
    this.feed();
  }

  private died(thread: Thread, error: Error): void {
    this.busy.get(thread)?.reject(error);
    this.busy.delete(thread);
  }
}
