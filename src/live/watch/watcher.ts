/**
 * The supervisor: it is told, time after time, how often a program ran and for how long, and says what is to be done. It asks nobody and writes nothing, so
 * that it can be tried with any times.
 */
import type { ProgramLimits } from './policy.js';

/** What the kernel counted so far, and when that was. Times in nanoseconds. */
export interface Sample {
  readonly at: bigint;
  readonly runs: bigint;
  readonly runTime: bigint;
  /** When the run began that is going on for the longest; absent: none is, or nobody knows. */
  readonly begun?: bigint;
}

/** Something that happened to a program. */
export interface WatchEvent {
  readonly event: 'over' | 'killed' | 'throttled' | 'released';
  readonly program: string;
  /** Runs of the interval, their mean time in nanoseconds, and the share of a CPU that they took. */
  readonly runs: number;
  readonly meanNs: number;
  readonly share: number;
  /** How long the run has lasted that is going on for the longest, in nanoseconds; absent: none is, or nobody knows. */
  readonly runningNs?: number;
}

/** What a program did while it was watched. */
export interface WatchTotals {
  readonly name: string;
  readonly runs: number;
  readonly runTimeNs: number;
  /** Intervals in which it went over. */
  readonly over: number;
  readonly kills: number;
  readonly throttles: number;
}

/** Looks after one program. */
export class Watcher {
  private before: Sample | undefined;
  private first: Sample | undefined;
  /** When the word of a throttled program is cleared. */
  private until: bigint | undefined;
  private dead = false;
  private readonly counts = { over: 0, kills: 0, throttles: 0 };

  constructor(private readonly limits: ProgramLimits) {}

  /** What follows from a sample. `set` writes the program's word. */
  look(sample: Sample, set: (word: 0 | 1) => void): readonly WatchEvent[] {
    const { before } = this;
    this.before = sample;
    this.first ??= sample;
    const events: WatchEvent[] = [];
    const runs = before === undefined ? 0 : Number(sample.runs - before.runs);
    const time = before === undefined ? 0 : Number(sample.runTime - before.runTime);
    const meanNs = runs === 0 ? 0 : time / runs;
    const passed = before === undefined ? 0 : Number(sample.at - before.at);
    const share = passed === 0 ? 0 : time / passed;
    const runningNs = sample.begun === undefined ? undefined : Number(sample.at - sample.begun);
    const going = runningNs === undefined ? {} : { runningNs };
    const tell = (event: WatchEvent['event']): void => {
      events.push({ event, program: this.limits.name, runs, meanNs, share, ...going });
    };
    if (this.until !== undefined && sample.at >= this.until) {
      this.until = undefined;
      set(0);
      tell('released');
      // What was counted in this interval was killed.
      return events;
    }
    if (this.dead || this.until !== undefined || !this.isOver(Math.max(meanNs, runningNs ?? 0), share))
      return events;
    this.counts.over++;
    tell('over');
    if (this.limits.action === 'kill') {
      set(1);
      this.dead = true;
      this.counts.kills++;
      tell('killed');
    } else if (this.limits.action === 'throttle') {
      set(1);
      this.until = sample.at + BigInt(this.limits.backoff);
      this.counts.throttles++;
      tell('throttled');
    }
    return events;
  }

  /** The watching ends: a program that is held back is let go. One that was killed stays dead. */
  end(set: (word: 0 | 1) => void): void {
    if (this.until === undefined) return;
    this.until = undefined;
    set(0);
  }

  /** What it did from the first sample to the last. */
  get totals(): WatchTotals {
    const { first, before, limits, counts } = this;
    const runs = first === undefined || before === undefined ? 0n : before.runs - first.runs;
    const time = first === undefined || before === undefined ? 0n : before.runTime - first.runTime;
    return { name: limits.name, runs: Number(runs), runTimeNs: Number(time), ...counts };
  }

  private isOver(lasted: number, share: number): boolean {
    const { runTime, share: most } = this.limits;
    return (runTime !== undefined && lasted > runTime) || (most !== undefined && share > most);
  }
}
