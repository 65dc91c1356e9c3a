/** The progress of long work, on standard error where that is a terminal. */
import { SingleBar } from 'cli-progress';
import type { Progress } from '../campaign/campaign.js';
import type { Common } from './outcome.js';

/** One line on the terminal that tells how far a campaign is; `close` takes it away. */
export interface ProgressBar {
  show(progress: Progress): void;
  close(): void;
}

const SILENT: ProgressBar = { show: () => {}, close: () => {} };

/** A bar for a campaign: done, left, rate, findings. Nothing where nobody looks on, or asked for quiet. */
export function campaignBar({ quiet }: Common): ProgressBar {
  if (quiet || process.stderr.isTTY !== true) return SILENT;
  let bar: SingleBar | undefined;
  const begun = performance.now();
  let first: number | undefined;
  return {
    show({ done, programs, found, shrinking, disagreements }) {
      first ??= done;
      const rate = (done - first) / Math.max(0.001, (performance.now() - begun) / 1000);
      const payload = {
        rate: rate.toFixed(1),
        left: programs === undefined ? '' : `, ${programs - done} left`,
        found: `${found} found${shrinking > 0 ? ` (${shrinking} to shrink)` : ''}`,
        disagreed: disagreements > 0 ? `, ${disagreements} disagreements` : '',
      };
      if (bar === undefined) {
        const format = programs === undefined ? '{value} programs' : '{bar} {value}/{total}';
        bar = new SingleBar({
          format: `${format}, {rate}/s{left}, {found}{disagreed}`,
          stream: process.stderr,
          hideCursor: true,
          clearOnComplete: true,
          gracefulExit: false,
        });
        bar.start(programs ?? done, done, payload);
      }
      bar.update(done, payload);
    },
    close() {
      bar?.stop();
    },
  };
}

/** One line on the terminal that counts up to a known number; `close` takes it away. */
export interface CountBar {
  /** `done` so far, with `note` beside it. */
  show(done: number, note?: string): void;
  close(): void;
}

/** A bar for work that is so many things of a kind. Nothing where nobody looks on, or asked for quiet. */
export function countBar({ quiet }: Common, what: string, total: number): CountBar {
  if (quiet || process.stderr.isTTY !== true) return { show: () => {}, close: () => {} };
  const bar = new SingleBar({
    format: `${what} {bar} {value}/{total}, {eta_formatted} left{note}`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
  });
  bar.start(total, 0, { note: '' });
  return {
    show: (done, note) => bar.update(done, { note: note === undefined ? '' : `, ${note}` }),
    close: () => bar.stop(),
  };
}
