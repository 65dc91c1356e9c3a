/**
 * Keeps a thread that judges programs. A program that takes longer than it may, or more memory, costs the thread, and the next one begins in a new
 * thread.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker as Thread } from 'node:worker_threads';
import type { JudgedProfile } from '../input/kernel-profile.js';
import type { Judge, Judged, JudgeSetting, Opened } from './judge.js';
import { errorOf, type Question, type Said } from './messages.js';
import { openJudge } from './open.js';

/** Why there is no answer: the program took too long, or too much memory; a person asked to stop; the thread ended by itself. */
export type Loss = 'timeout' | 'memory' | 'interrupted' | 'died';

/** An answer, or why there is none. */
export type Answer<T> = { readonly value: T } | { readonly lost: Loss };

/** How much one program may take. */
export interface Limits {
  /** Milliseconds. */
  readonly timeout?: number;
  /** MiB that the thread may fill with objects. */
  readonly memory?: number;
  /** From then on what is under way is lost, and whatever is asked. */
  readonly signal: AbortSignal;
}

/** A judge whose answers may be lost. */
export interface Supervised<R> {
  readonly profile: JudgedProfile['json'];
  open(file: number): Promise<Answer<Opened>>;
  judge(file: number, program: number): Promise<Answer<Judged<R>>>;
  close(): Promise<void>;
}

/** Opens a judge in a thread, or in this one where there is no file that a thread could be started from. Throws as `openJudge`. */
export async function supervise<R>(
  setting: JudgeSetting,
  limits: Limits,
  entry = new URL('./thread.js', import.meta.url),
): Promise<Answer<Supervised<R>>> {
  const file = fileURLToPath(entry);
  if (!existsSync(file)) return { value: new Here((await openJudge(setting)) as Judge<R>, limits.signal) };
  return Supervisor.open<R>(file, setting, limits);
}

class Here<R> implements Supervised<R> {
  readonly profile: JudgedProfile['json'];

  constructor(
    private readonly doer: Judge<R>,
    private readonly signal: AbortSignal,
  ) {
    this.profile = doer.profile;
  }

  open(file: number): Promise<Answer<Opened>> {
    return this.answer(() => this.doer.open(file));
  }

  judge(file: number, program: number): Promise<Answer<Judged<R>>> {
    return this.answer(() => this.doer.judge(file, program));
  }

  async close(): Promise<void> {
    this.doer.close();
  }

  private async answer<T>(ask: () => T | Promise<T>): Promise<Answer<T>> {
    // Signals are heard between programs.
    await new Promise((done) => setImmediate(done));
    return this.signal.aborted ? { lost: 'interrupted' } : { value: await ask() };
  }
}

/** What waits for the thread. */
interface Waiting {
  readonly said: (said: Said) => void;
  readonly lost: (loss: Loss) => void;
  readonly failed: (error: Error) => void;
  /** It waits for the verdict on a program. */
  readonly judging: boolean;
  timer?: NodeJS.Timeout;
}

class Supervisor<R> implements Supervised<R> {
  profile!: JudgedProfile['json'];
  private thread: Thread | undefined;
  private waiting: Waiting | undefined;
  private setting: JudgeSetting;

  private constructor(
    private readonly file: string,
    setting: JudgeSetting,
    private readonly limits: Limits,
  ) {
    this.setting = setting;
    limits.signal.addEventListener('abort', () => this.lose('interrupted'));
  }

  static async open<R>(file: string, setting: JudgeSetting, limits: Limits): Promise<Answer<Supervised<R>>> {
    const made = new Supervisor<R>(file, setting, limits);
    const started = await made.start();
    return 'lost' in started ? started : { value: made };
  }

  async open(file: number): Promise<Answer<Opened>> {
    const said = await this.ask({ ask: 'open', file });
    return 'lost' in said ? said : { value: (said.value as Said & { say: 'opened' }).opened };
  }

  async judge(file: number, program: number): Promise<Answer<Judged<R>>> {
    const said = await this.ask({ ask: 'judge', file, program });
    if ('lost' in said) return said;
    return { value: (said.value as Said & { say: 'judged' }).judged as Judged<R> };
  }

  async close(): Promise<void> {
    const { thread } = this;
    this.thread = undefined;
    await thread?.terminate();
  }

  /** Starts a thread and waits until it is ready. */
  private async start(): Promise<Answer<undefined>> {
    if (this.limits.signal.aborted) return { lost: 'interrupted' };
    const { memory } = this.limits;
    const thread = new Thread(this.file, {
      workerData: this.setting,
      // What bpf(2) opened is closed with the process.
      trackUnmanagedFds: false,
      ...(memory !== undefined && { resourceLimits: { maxOldGenerationSizeMb: memory } }),
    });
    this.thread = thread;
    thread.on('message', (said: Said) => this.onSaid(thread, said));
    thread.on('error', (error: Error & { code?: string }) => {
      if (thread !== this.thread) return;
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
        this.lose('memory');
        return;
      }
      // A bug that shows with one program costs no other its verdict. The thread may end before its word that it has begun is heard.
      if (this.waiting?.judging === true) {
        this.lose('died');
        return;
      }
      const { waiting } = this;
      this.lose('died', false);
      waiting?.failed(error);
    });
    thread.on('exit', () => {
      if (thread === this.thread) this.lose('died');
    });
    const said = await this.wait();
    if ('lost' in said) return said;
    if (said.value.say === 'ready') this.profile = said.value.profile;
    this.setting = { ...this.setting, again: true };
    return { value: undefined };
  }

  private async ask(question: Question): Promise<Answer<Said>> {
    if (this.limits.signal.aborted) return { lost: 'interrupted' };
    if (this.thread === undefined) {
      const started = await this.start();
      if ('lost' in started) return started;
    }
    this.thread!.postMessage(question);
    return this.wait(question.ask === 'judge');
  }

  private wait(judging = false): Promise<Answer<Said>> {
    return new Promise((resolve, reject) => {
      this.waiting = {
        said: (value) => resolve({ value }),
        lost: (lost) => resolve({ lost }),
        failed: reject,
        judging,
      };
    });
  }

  private onSaid(thread: Thread, said: Said): void {
    const { waiting } = this;
    if (thread !== this.thread || waiting === undefined) return;
    if (said.say === 'begun') {
      const { timeout } = this.limits;
      if (timeout !== undefined) waiting.timer = setTimeout(() => this.lose('timeout'), timeout);
      return;
    }
    this.waiting = undefined;
    clearTimeout(waiting.timer);
    if (said.say === 'failed') waiting.failed(errorOf(said.error));
    else waiting.said(said);
  }

  /** Ends the thread; what waits for it gets no answer. */
  private lose(loss: Loss, tell = true): void {
    const { thread, waiting } = this;
    this.thread = undefined;
    this.waiting = undefined;
    clearTimeout(waiting?.timer);
    void thread?.terminate();
    if (tell) waiting?.lost(loss);
  }
}
