/** Threads that do jobs: as many at once as there are threads, in the order asked for. With one worker there is no thread but this one. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parentPort, Worker as Thread } from 'node:worker_threads';
import { InputError } from '../../isa/errors.js';

/**
 * Room for young objects in each thread. Nearly all that a job makes is garbage when it ends; in Node's 48 MB more of it is still in use when
 * they are full, and is copied.
 */
const YOUNG_MB = 96;

/** What does jobs, one after the other. */
export interface JobRunner<J, R> {
  do(job: J): R | Promise<R>;
  close(): void;
}

/** Does jobs, in threads or in this one. Close it when all jobs are done. */
export interface Pool<J, R> {
  /** Jobs that may be under way at once. */
  readonly width: number;
  /** Threads that have not died. */
  readonly living: number;
  /** Does a job. Rejects when the job throws, or its thread dies; with an InputError where the job threw one. */
  run(job: J): Promise<R>;
  close(): Promise<void>;
}

/** How many threads there are and how each is started. */
export interface PoolSetting<J, R> {
  /** Makes what does the jobs in this thread. */
  readonly open: () => Promise<JobRunner<J, R>>;
  /** The file that a thread is started from: it calls `serve` with what `open` makes of `data`. */
  readonly entry: URL;
  /** What every thread is given. */
  readonly data: unknown;
  /** At least 1. */
  readonly workers: number;
  /** A thread for one worker as well: for those who must answer others while jobs run. */
  readonly always?: boolean;
}

/**
 * Starts as many threads as there are workers; with one worker jobs run in this thread. Throws what `open` throws: it is called here
 * first.
 */
export async function openPool<J, R>({
  open,
  entry,
  data,
  workers,
  always = false,
}: PoolSetting<J, R>): Promise<Pool<J, R>> {
  // Opened in this thread in any case, so that an error in the setting is reported once and clearly.
  const here = await open();
  const file = fileURLToPath(entry);
  // Run from TypeScript sources there is no file that a thread could be started from.
  if ((workers === 1 && !always) || !existsSync(file)) return new ThisThread(here);
  here.close();
  return new ThreadPool(file, data, workers);
}

/** What a thread is sent, and what it sends back. */
type Message = { readonly id: number; readonly job: unknown } | 'close';
type Answer =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly badInput: boolean };

/** The main loop of a thread: does the jobs that it is sent, and answers each under its number. Does nothing outside of a thread. */
export function serve<J, R>(open: () => Promise<JobRunner<J, R>>): void {
  const port = parentPort;
  if (port === null) return;
  const doer = open();
  port.on('message', async (sent: Message) => {
    if (sent === 'close') {
      (await doer).close();
      port.close();
      return;
    }
    const { id, job } = sent;
    try {
      port.postMessage({ id, ok: true, result: await (await doer).do(job as J) } satisfies Answer);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const badInput = error instanceof InputError;
      port.postMessage({ id, ok: false, message, badInput } satisfies Answer);
    }
  });
}

class ThisThread<J, R> implements Pool<J, R> {
  readonly width = 1;
  readonly living = 1;
  constructor(private readonly doer: JobRunner<J, R>) {}

  async run(job: J): Promise<R> {
    // Let signals and timers through between jobs.
    await new Promise((done) => setImmediate(done));
    return this.doer.do(job);
  }

  async close(): Promise<void> {
    this.doer.close();
  }
}

interface QueuedJob {
  readonly job: unknown;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

class ThreadPool<J, R> implements Pool<J, R> {
  readonly width: number;
  private readonly threads = new Set<Thread>();
  private readonly idle: Thread[] = [];
  private readonly queue: QueuedJob[] = [];
  private readonly busy = new Map<Thread, QueuedJob>();
  private next = 0;

  constructor(file: string, workerData: unknown, workers: number) {
    this.width = workers;
    for (let i = 0; i < workers; i++) {
      // We close the descriptors of bpf(2) ourselves. Node would warn of descriptors that it did not open.
      const thread = new Thread(file, {
        workerData,
        trackUnmanagedFds: false,
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      });
      thread.on('message', (answer: Answer) => this.onAnswer(thread, answer));
      thread.on('error', (error: Error) => this.onError(thread, error));
      this.threads.add(thread);
      this.idle.push(thread);
    }
  }

  get living(): number {
    return this.threads.size;
  }

  run(job: J): Promise<R> {
    if (this.threads.size === 0) return Promise.reject(new Error('all threads have died'));
    return new Promise((resolve, reject) => {
      this.queue.push({ job, resolve: resolve as (result: never) => void, reject });
      this.dispatch();
    });
  }

  /**
   * Jobs under way are abandoned. Idle threads close their descriptors first, because descriptors belong to the process and outlive a
   * thread.
   */
  async close(): Promise<void> {
    await Promise.all(
      [...this.threads].map((thread) => {
        if (!this.idle.includes(thread)) return thread.terminate();
        const gone = new Promise((done) => thread.once('exit', done));
        thread.postMessage('close' satisfies Message);
        return gone;
      }),
    );
  }

  private dispatch(): void {
    while (this.idle.length > 0 && this.queue.length > 0) {
      const thread = this.idle.pop()!;
      const waiting = this.queue.shift()!;
      this.busy.set(thread, waiting);
      thread.postMessage({ id: this.next++, job: waiting.job } satisfies Message);
    }
  }

  private onAnswer(thread: Thread, answer: Answer): void {
    const waiting = this.busy.get(thread);
    this.busy.delete(thread);
    this.idle.push(thread);
    if (answer.ok) waiting?.resolve(answer.result as never);
    else waiting?.reject(answer.badInput ? new InputError(answer.message) : new Error(answer.message));
    this.dispatch();
  }

  private onError(thread: Thread, error: Error): void {
    this.busy.get(thread)?.reject(error);
    this.busy.delete(thread);
    this.threads.delete(thread);
    if (this.threads.size === 0) for (const waiting of this.queue.splice(0)) waiting.reject(error);
  }
}
