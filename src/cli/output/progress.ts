/** The progress of long work, on standard error where that is a terminal. */
import { SingleBar } from 'cli-progress';
import type { Progress } from '../../campaign/campaign.js';
import { contracts } from '../../kernel/catalog.js';
import type { Common } from './outcome.js';

/** How far a campaign is: one line on a terminal, or now and then a line where there is none; `close` ends it. */
export interface ProgressBar {
  show(progress: Progress): void;
  /** A line of its own. */
  note(line: string): void;
  close(): void;
}

/** Milliseconds between two lines where there is no terminal. */
const PULSE = 60_000;

/** For a campaign. Nothing where people asked for quiet. */
export function campaignBar(common: Common): ProgressBar {
  if (common.quiet) return { show: () => {}, note: () => {}, close: () => {} };
  return process.stderr.isTTY === true ? terminalBar(common) : pulse(common);
}

/** Functions that a run can call. */
const FUNCTIONS = contracts().length;

/** What is told of a campaign that goes on: rate, done, left, found, new, coverage. */
function inWords(
  { done, programs, found, shrinking, disagreements, news, sinceNews, called }: Progress,
  rate: number,
): Readonly<Record<'rate' | 'left' | 'found' | 'covered' | 'disagreed', string>> {
  const left = programs === undefined ? undefined : Math.max(0, programs - done);
  const eta = left === undefined || rate === 0 ? '' : ` (${span((left / rate) * 1000)})`;
  const last = sinceNews === undefined ? '' : `, the last ${span(sinceNews)} ago`;
  return {
    rate: rate.toFixed(1),
    left: left === undefined ? '' : `, ${left} left${eta}`,
    found: `${found} found${shrinking > 0 ? ` (${shrinking} to shrink)` : ''}, ${news} new${last}`,
    covered: `, ${called} of ${FUNCTIONS} functions called`,
    disagreed: disagreements > 0 ? `, ${disagreements} disagreements` : '',
  };
}

/** A time for people: `40 s`, `3 min`, `2 h`. */
function span(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** Programs a second since the first call. */
function rateMeter(): (done: number) => number {
  const begun = performance.now();
  let first: number | undefined;
  return (done) => {
    first ??= done;
    return (done - first) / Math.max(0.001, (performance.now() - begun) / 1000);
  };
}

function pulse({ note }: Common): ProgressBar {
  const rate = rateMeter();
  let last = performance.now();
  return {
    show(progress) {
      const perSecond = rate(progress.done);
      if (performance.now() - last < PULSE) return;
      last = performance.now();
      const told = inWords(progress, perSecond);
      const { left, found, covered, disagreed } = told;
      note(
        `${new Date().toISOString()} ${progress.done} programs, ${told.rate}/s${left}, ${found}${covered}${disagreed}`,
      );
    },
    note,
    close: () => {},
  };
}

function terminalBar({ note }: Common): ProgressBar {
  let bar: SingleBar | undefined;
  const rate = rateMeter();
  return {
    show(progress) {
      const { done, programs } = progress;
      const payload = inWords(progress, rate(done));
      if (bar === undefined) {
        const format = programs === undefined ? '{value} programs' : '{bar} {value}/{total}';
        bar = new SingleBar({
          format: `${format}, {rate}/s{left}, {found}{covered}{disagreed}`,
          stream: process.stderr,
          hideCursor: true,
          clearOnComplete: true,
          gracefulExit: false,
        });
        bar.start(programs ?? done, done, payload);
      }
      bar.update(done, payload);
    },
    note(line) {
      // The bar is drawn again below it.
      process.stderr.write('\r\x1b[K');
      note(line);
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

/** One line on the terminal that names what is being worked on, and since when. */
export interface WorkBar {
  begin(work: {
    /** From 0. */
    readonly file: number;
    readonly path: string;
    readonly name: string;
    /** From 0, of so many in the file. */
    readonly nth: number;
    readonly of: number;
  }): void;
  /** Takes the line away until the next `begin`. */
  hide(): void;
  close(): void;
}

/** Milliseconds between two looks at the clock. */
const TICK = 500;

/** For programs of so many files, which may take long each. Nothing where nobody looks on, or asked for quiet. */
export function workBar({ quiet }: Common, what: string, files: number): WorkBar {
  if (quiet || process.stderr.isTTY !== true) return { begin: () => {}, hide: () => {}, close: () => {} };
  let line: readonly [count: string, what: string] | undefined;
  let begun = 0;
  let shown = false;
  const draw = (): void => {
    if (line === undefined) return;
    const [count, what] = line;
    const text = `${count}, ${span(performance.now() - begun)}: ${what}`;
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    shown = true;
  };
  const hide = (): void => {
    line = undefined;
    if (shown) process.stderr.write('\r\x1b[K');
    shown = false;
  };
  const timer = setInterval(draw, TICK);
  timer.unref();
  return {
    begin({ file, path, name, nth, of }) {
      const where = files === 1 ? '' : `file ${file + 1} of ${files}, `;
      line = [`${what}: ${where}program ${nth + 1} of ${of}`, `${name} in ${path}`];
      begun = performance.now();
      draw();
    },
    hide,
    close() {
      hide();
      clearInterval(timer);
    },
  };
}
