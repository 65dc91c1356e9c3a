/** Hands out the programs of a campaign in shards, in order, leaving out what is done. */
import { BLOCK } from '../../../generators/guide/block.js';
import { firstMissing, type Range } from './ranges.js';

/**
 * Programs in a shard. Shards begin at multiples of it, so that a shard is the same on every machine. It is a block of guided programs, in which
 * each is made from those before it: so none is made twice.
 */
export const SHARD = BLOCK;

/** A part of a campaign: of each `of` shards the one with this number, from 0. Parts with the same `of` have no program in common. */
export interface Part {
  readonly nth: number;
  readonly of: number;
}

/** What is left to hand out. */
export class Schedule {
  private next = 0;

  /** `done`: what needs no work. `programs`: programs in all; without it there is no end. `part`: the shards that are wanted, all unless told. */
  constructor(
    private readonly done: readonly Range[],
    private readonly programs = Number.POSITIVE_INFINITY,
    private readonly part: Part = { nth: 0, of: 1 },
  ) {}

  /** The next shard, or what is left of it; undefined when all is handed out. */
  take(): Range | undefined {
    const found = this.peek();
    if (found !== undefined) this.next = found[1];
    return found;
  }

  /** What `take` would answer. */
  peek(): Range | undefined {
    let from = this.next;
    for (;;) {
      from = firstMissing(this.done, from);
      const shard = Math.floor(from / SHARD);
      if (from >= this.programs) return undefined;
      if (shard % this.part.of === this.part.nth) break;
      from = (shard + 1) * SHARD;
    }
    const doneFrom = this.done.find(([start]) => start > from)?.[0] ?? Number.POSITIVE_INFINITY;
    return [from, Math.min((Math.floor(from / SHARD) + 1) * SHARD, this.programs, doneFrom)];
  }
}
