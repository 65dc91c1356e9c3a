/**
 * States kept where paths meet, so that a path is not walked again when what it knows was walked before; and the loops that
 * this makes visible. Follows is_state_visited of kernel/bpf/verifier.c.
 */
import { covers, sameCalls } from './compare.js';
import { refuse } from './refusal.js';
import type { Visit } from './result.js';
import type { State } from './state.js';

export interface Checkpoint {
  readonly slot: number;
  readonly state: State;
  readonly visit: Visit;
  /** Paths that started here and have not ended. While there are any, the state is not known to be safe. */
  branches: number;
  readonly parent: Checkpoint | undefined;
}

/**
 * How a loop through this slot comes to an end: at an iterator that runs dry, a callback call, a may_goto. An iterator that is
 * `drained` already ends no loop.
 */
export type LoopKind = 'iterator' | 'drained' | 'callback' | 'may_goto' | undefined;

export class Checkpoints {
  private readonly bySlot = new Map<number, Checkpoint[]>();
  count = 0;

  constructor(private readonly strict: boolean) {}

  /** The checkpoint that covers this state, if there is one. Refuses a loop that cannot end. */
  covering(slot: number, state: State, loop: LoopKind): Checkpoint | undefined {
    const list = this.bySlot.get(slot);
    if (list === undefined) return undefined;
    for (let i = list.length - 1; i >= 0; i--) {
      const old = list[i]!;
      if (!sameCalls(old.state, state)) continue;
      if (old.branches === 0) {
        if (covers(old.state, state, 'within', this.strict)) return old;
        continue;
      }
      if (loop !== undefined) {
        const goesRound = loop === 'may_goto' ? old.state.mayGoto !== state.mayGoto : loop !== 'drained';
        if (goesRound && covers(old.state, state, 'within', this.strict)) return old;
        if (loop !== 'may_goto') continue;
      }
      if (covers(old.state, state, 'exact', this.strict)) refuse(`infinite loop detected at insn ${slot}`);
    }
    return undefined;
  }

  add(slot: number, state: State, visit: Visit, parent: Checkpoint | undefined): Checkpoint {
    const checkpoint: Checkpoint = { slot, state, visit, branches: 1, parent };
    const list = this.bySlot.get(slot);
    if (list === undefined) this.bySlot.set(slot, [checkpoint]);
    else list.push(checkpoint);
    this.count++;
    return checkpoint;
  }
}

/** A path that started at this checkpoint (or below it) has ended. */
export function pathEnded(from: Checkpoint | undefined): void {
  for (let c = from; c !== undefined; c = c.parent) {
    c.branches--;
    if (c.branches > 0) return;
  }
}

/** The last time this path came through `slot` with the same calls open. */
export function lastTimeRound(
  from: Checkpoint | undefined,
  slot: number,
  state: State,
): Checkpoint | undefined {
  for (let c = from; c !== undefined; c = c.parent) {
    if (c.slot === slot && sameCalls(c.state, state)) return c;
  }
  return undefined;
}
