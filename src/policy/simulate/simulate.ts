/**
 * Hooks under load, as discrete events. Operations arrive, wait for a CPU, run the program of their hook so many times, do the work behind it, and leave. A run
 * that is over its limit is stopped, and the limit says what then becomes of the hook.
 */
import { max, mean, quantile } from 'simple-statistics';
import TinyQueue from 'tinyqueue';
import type { HookLoad } from '../load.js';
import type { Limit } from '../policy.js';
import type { RunProfile } from './profile.js';
import { type Random, randomOf } from './random.js';
import { type Stopping, stopped } from './stop.js';

/** A hook that is ready to be simulated. */
export interface PreparedHook {
  readonly load: HookLoad;
  /** Runs of its program; none: no program is attached. */
  readonly profiles: readonly RunProfile[];
  /** The limit of its program, if it has one. */
  readonly limit: Limit | undefined;
  /** The program is not loaded, because its worst is above the limit, or the strategy cannot take it. */
  readonly refused: boolean;
  /** Why the strategy cannot take the program. */
  readonly cannot?: string;
}

/** What is simulated once. Times are nanoseconds. */
export interface Setting {
  readonly seed: number;
  readonly duration: number;
  readonly cpus: number;
  readonly hooks: readonly PreparedHook[];
  readonly stopping: Omit<Stopping, 'limit'>;
}

/** What came of one hook. */
export interface HookResult {
  readonly name: string;
  readonly operations: number;
  /** Operations a second. */
  readonly throughput: number;
  /** Nanoseconds from the arrival of an operation to its end; null where none ended. */
  readonly latency: {
    readonly mean: number;
    readonly median: number;
    readonly p99: number;
    readonly max: number;
  } | null;
  readonly runs: number;
  /** Mean nanoseconds of a run; null where there was none. */
  readonly runTime: number | null;
  readonly kills: number;
  /** Runs that took longer than the limit and ended by themselves. */
  readonly overruns: number;
  /** Nanoseconds that runs took after their limit was over. */
  readonly timeLost: number;
  /** Runs that were left out: the hook was throttled, the program was detached or refused. */
  readonly denied: number;
  /** Resources that killed runs left behind. */
  readonly leaked: number;
  readonly refused: boolean;
  /** Why the strategy cannot take the program, which is therefore not loaded; only there where it is so. */
  readonly cannot?: string;
  /** When the program was taken off the hook; null: it was not. */
  readonly detachedAt: number | null;
}

interface Operation {
  readonly hook: Hook;
  readonly arrived: number;
}

interface Event {
  readonly at: number;
  /** In which order events of one time are handled. */
  readonly order: number;
  readonly what: () => void;
}

/** Simulates one setting. The same setting gives the same result. */
export function simulate(setting: Setting): readonly HookResult[] {
  return new Simulation(setting).run();
}

class Simulation {
  private now = 0;
  private order = 0;
  private free: number;
  private readonly events = new TinyQueue<Event>([], (a, b) => a.at - b.at || a.order - b.order);
  /** Operations that wait for a CPU, from `next` on. */
  private waiting: Operation[] = [];
  private next = 0;
  private readonly hooks: readonly Hook[];

  constructor(private readonly setting: Setting) {
    this.free = setting.cpus;
    this.hooks = setting.hooks.map((one, nth) => new Hook(one, setting, randomOf(setting.seed, nth)));
  }

  run(): readonly HookResult[] {
    for (const hook of this.hooks) this.begin(hook);
    for (let event = this.events.pop(); event !== undefined; event = this.events.pop()) {
      if (event.at > this.setting.duration) break;
      this.now = event.at;
      event.what();
    }
    return this.hooks.map((hook) => hook.result(this.setting.duration));
  }

  private begin(hook: Hook): void {
    const { clients } = hook.load;
    if (clients === undefined) this.comeAtRandom(hook);
    else for (let client = 0; client < clients; client++) this.at(0, () => this.arrive(hook));
  }

  private comeAtRandom(hook: Hook): void {
    this.at(this.now + hook.random.exponential(NS_PER_S / hook.load.rate!), () => {
      this.comeAtRandom(hook);
      this.arrive(hook);
    });
  }

  private at(at: number, what: () => void): void {
    this.events.push({ at, order: this.order++, what });
  }

  private arrive(hook: Hook): void {
    this.waiting.push({ hook, arrived: this.now });
    this.dispatch();
  }

  private dispatch(): void {
    while (this.free > 0 && this.next < this.waiting.length) {
      const one = this.waiting[this.next++]!;
      this.free--;
      this.at(this.now + one.hook.serve(this.now), () => this.leave(one));
    }
    if (this.next > 1024 && this.next * 2 > this.waiting.length) {
      this.waiting = this.waiting.slice(this.next);
      this.next = 0;
    }
  }

  private leave({ hook, arrived }: Operation): void {
    this.free++;
    hook.latencies.push(this.now - arrived);
    const { clients, think } = hook.load;
    if (clients !== undefined) this.at(this.now + think, () => this.arrive(hook));
    this.dispatch();
  }
}

const NS_PER_S = 1e9;

/** A hook while it is simulated. */
class Hook {
  readonly load: HookLoad;
  readonly latencies: number[] = [];
  private runs = 0;
  private runTime = 0;
  private kills = 0;
  private overruns = 0;
  private timeLost = 0;
  private denied = 0;
  private leaked = 0;
  private detachedAt: number | null = null;
  private throttledUntil = 0;
  /** Kills since the hook was last well. */
  private inARow = 0;
  /** Runs that are owed, where an operation makes a fraction of one. */
  private owed = 0;

  constructor(
    private readonly prepared: PreparedHook,
    private readonly setting: Setting,
    readonly random: Random,
  ) {
    this.load = prepared.load;
  }

  /** How long an operation takes that begins now. */
  serve(now: number): number {
    const { load, prepared } = this;
    if (prepared.profiles.length === 0 && !prepared.refused) return load.work;
    let time = 0;
    this.owed += load.runs;
    for (; this.owed >= 1; this.owed--) time += this.runProgram(now + time);
    return time + load.work;
  }

  private runProgram(now: number): number {
    const { prepared, setting, load } = this;
    const { limit, profiles } = prepared;
    if (prepared.refused || this.detachedAt !== null) {
      this.denied++;
      return 0;
    }
    if (now < this.throttledUntil) {
      this.denied++;
      return load.overhead;
    }
    const profile = profiles[this.random.below(profiles.length)]!;
    const enforced = limit === undefined || limit.action === 'refuse' ? Number.POSITIVE_INFINITY : limit.time;
    const one = stopped(profile, { ...setting.stopping, limit: enforced }, this.random);
    this.runs++;
    this.runTime += one.time;
    this.timeLost += one.over;
    this.leaked += one.leaked;
    if (one.killed && limit !== undefined) this.punish(now + one.time, limit);
    else if (one.over > 0) this.overruns++;
    return load.overhead + one.time;
  }

  /** What becomes of the hook after a kill. */
  private punish(now: number, limit: Limit): void {
    this.kills++;
    if (limit.action === 'detach' && this.kills >= limit.after) this.detachedAt = now;
    if (limit.action !== 'throttle') return;
    // A hook that was well for as long as the longest throttle begins anew.
    if (now - this.throttledUntil > limit.atMost) this.inARow = 0;
    this.throttledUntil = now + Math.min(limit.atMost, limit.for * limit.backOff ** this.inARow);
    this.inARow++;
  }

  result(duration: number): HookResult {
    const { latencies, prepared } = this;
    const sorted = latencies.sort((a, b) => a - b);
    return {
      name: this.load.name,
      operations: sorted.length,
      throughput: (sorted.length * NS_PER_S) / duration,
      latency:
        sorted.length === 0
          ? null
          : {
              mean: mean(sorted),
              median: quantile(sorted, 0.5),
              p99: quantile(sorted, 0.99),
              max: max(sorted),
            },
      runs: this.runs,
      runTime: this.runs === 0 ? null : this.runTime / this.runs,
      kills: this.kills,
      overruns: this.overruns,
      timeLost: this.timeLost,
      denied: this.denied,
      leaked: this.leaked,
      refused: prepared.refused,
      ...(prepared.cannot === undefined ? {} : { cannot: prepared.cannot }),
      detachedAt: this.detachedAt,
    };
  }
}
