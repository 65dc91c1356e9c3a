/** `worker`: computes shards that campaigns publish on a queue. */
import { availableParallelism } from 'node:os';
import { LOCK_MS, type Worked, workOn } from '../../campaign/queue/work.js';
import { codeDigest } from '../../campaign/shards/identity.js';
import type { WorkerDocument } from '../../report/documents.js';
import { type Define, since, withCommon } from '../command.js';
import { duration, integer } from '../input/options.js';
import { queueOf, withQueue } from '../input/queue.js';
import { onInterrupt } from '../output/interrupt.js';
import type { Common, Outcome } from '../output/outcome.js';

interface Options {
  readonly queue: string;
  readonly workers?: number;
  readonly idle?: number;
  readonly lock: number;
  readonly patience: number;
}

/** Adds `worker` to the command line. It works until Ctrl-C, or until it was idle for long, and exits with 0. */
export const worker: Define = (program, act) => {
  withQueue(withCommon(program.command('worker')), true)
    .description('compute the shards that campaigns publish on a queue')
    .option('--workers <N>', 'threads; one for each processor unless told', integer(1, 256))
    .option('--idle <DURATION>', 'end when no shard came for this time; never unless told', duration)
    .option('--lock <DURATION>', 'others take its shards when it was silent for this time', duration, LOCK_MS)
    .action((options: Options) => act(options, (common) => runWorker(options, common)));
};

async function runWorker(options: Options, common: Common): Promise<Outcome> {
  const start = performance.now();
  const stop = new AbortController();
  const release = onInterrupt(() => stop.abort());
  try {
    const worked = await workOn({
      ...queueOf(options.queue, options.patience, common),
      code: codeDigest(),
      workers: options.workers ?? availableParallelism(),
      stop: stop.signal,
      lock: options.lock,
      ...(options.idle === undefined ? {} : { idle: options.idle }),
    });
    return { exit: 0, json: { ...worked, ms: since(start) } satisfies WorkerDocument, text: inWords(worked) };
  } finally {
    release();
  }
}

function inWords({ shards, programs, refused, otherBuilds }: Worked): string {
  const no = refused === 0 ? '' : `, ${refused} refused`;
  const others = otherBuilds.length === 0 ? '' : `; left to other builds: ${otherBuilds.join(', ')}`;
  return `${shards} shards computed, with ${programs} programs${no}${others}\n`;
}
