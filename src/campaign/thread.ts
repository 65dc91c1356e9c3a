/** The entry of a worker thread: does the jobs that it is sent, and answers each under its number. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Job, type Setting, Worker } from './job.js';

/** What a thread is sent, and what it sends back. */
export interface Sent {
  readonly id: number;
  readonly job: Job;
}
export type Answered =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string };

const port = parentPort;
if (port !== null) {
  const worker = Worker.open(workerData as Setting);
  port.on('message', async ({ id, job }: Sent) => {
    try {
      port.postMessage({ id, ok: true, result: await (await worker).do(job) } satisfies Answered);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      port.postMessage({ id, ok: false, message } satisfies Answered);
    }
  });
}
