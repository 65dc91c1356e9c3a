/** `watch --limits FILE`: looks after loaded programs that were exported, and sets their words when they go over. */
import { setTimeout as pause } from 'node:timers/promises';
import { InputError } from '../../isa/errors.js';
import { parsePolicy } from '../../live/watch/policy.js';
import { countingRuns, Watched } from '../../live/watch/watched.js';
import { type WatchEvent, Watcher } from '../../live/watch/watcher.js';
import { kernelAvailable } from '../../oracle/available.js';
import type { WatchDocument } from '../../report/documents.js';
import { type Define, withCommon } from '../command.js';
import { readText } from '../input/files.js';
import { duration } from '../input/options.js';
import { onInterrupt } from '../output/interrupt.js';
import type { Common, Outcome } from '../output/outcome.js';

interface Options {
  readonly limits: string;
  readonly time?: number;
}

/** Adds `watch` to the command line. It writes words of maps that the user names, and nothing else. */
export const watch: Define = (program, act) => {
  withCommon(program.command('watch'))
    .description(
      'look after loaded programs that were exported: count, kill or throttle those that take too long',
    )
    .requiredOption('--limits <FILE>', 'the policy: programs, their limits, and what to do')
    .option('--time <DURATION>', 'end after this time: 90s, 10m, 1h; at a signal unless told', duration)
    .action((options: Options) => act(options, (common) => watchPrograms(options, common)));
};

async function watchPrograms({ limits: file, time }: Options, common: Common): Promise<Outcome> {
  const policy = parsePolicy(readText(file), file);
  const kernel = kernelAvailable();
  if (!kernel.ok) throw new InputError(kernel.reason);
  const watched: Watched[] = [];
  const watchers = policy.programs.map((limits) => new Watcher(limits));
  let stopped = false;
  const giveBack = onInterrupt(() => {
    stopped = true;
  });
  const begun = performance.now();
  try {
    for (const limits of policy.programs) watched.push(new Watched(limits));
    const stopCounting = countingRuns();
    try {
      while (!stopped && (time === undefined || performance.now() - begun < time)) {
        for (const [i, one] of watched.entries()) {
          const events = watchers[i]!.look(one.sample(), (word) => one.setWord(word));
          for (const event of events) await common.show(logLine(event));
        }
        await pause(policy.every);
      }
    } finally {
      stopCounting();
    }
  } finally {
    for (const [i, one] of watched.entries()) {
      watchers[i]!.end((word) => one.setWord(word));
      one.close();
    }
    giveBack();
  }
  const programs = watchers.map(({ totals }) => totals);
  const json: WatchDocument = {
    limits: file,
    seconds: Math.round((performance.now() - begun) / 10) / 100,
    programs,
  };
  return { exit: programs.some(({ over }) => over > 0) ? 1 : 0, json, text: '' };
}

/** One event as a line of JSON. */
function logLine(event: WatchEvent): string {
  const { runs, meanNs, share, ...rest } = event;
  const rounded = { meanNs: Math.round(meanNs), share: Math.round(share * 1e4) / 1e4 };
  return `${JSON.stringify({ time: new Date().toISOString(), ...rest, runs, ...rounded })}\n`;
}
