/**
 * States kept where paths meet, so that a path is not walked again when what it knows was walked before; and the loops that
 * this makes visible. Follows is_state_visited of kernel/bpf/verifier.c.
 */
import type { Mode } from './compare.js';
import { covers, sameCalls } from './compare.js';
import type { VerifierDefects } from './defects.js';
import { refuse } from './refusal.js';
import type { Visit } from './result.js';
import type { State } from './state.js';

export interface Checkpoint {
  readonly slot: number;
  readonly state: State;
  readonly visit: Visit;
  /** Paths that started here and have not ended. While there are any, the state is not known to be safe. */
  branches: number;
  /** How often it covered a state, and how often it did not. */
  hits: number;
  misses: number;
  readonly parent: Checkpoint | undefined;
}

/**
 * How a loop through this slot comes to an end: at an iterator that runs dry, a callback call, a may_goto. An iterator that is
 * `drained` already ends no loop.
 */
export type LoopKind = 'iterator' | 'drained' | 'callback' | 'may_goto' | undefined;

/** Rounds of one and the same state after which a loop that no check ends is given up; the kernel walks on to its limit. */
const STUCK = 40;

export class Checkpoints {
  private readonly bySlot = new Map<number, Checkpoint[]>();
  count = 0;

  constructor(
    private readonly strict: boolean,
    private readonly pruning: boolean,
    private readonly defects: VerifierDefects = {},
  ) {}

  /** Jumps walked so far; the walk counts them. */
  jumps = 0;
  private lastJumps = 0;
  private lastWalked = 0;

  /** Enough has happened since a state was last kept that another may be worth it (the heuristic of is_state_visited). */
  isTime(walked: number): boolean {
    return this.jumps - this.lastJumps >= 2 && walked - this.lastWalked >= 8;
  }

  /** In a loop that is walked round by round states are kept less often. */
  isSoon(walked: number): boolean {
    return this.jumps - this.lastJumps < 20 && walked - this.lastWalked < 100;
  }

  /**
   * The checkpoint that covers this state, if there is one; and whether a path that is not at its end yet came through here.
   * Refuses a loop that cannot end. `keep`: the state would become a checkpoint, so that old ones that never cover may go.
   * `always`: every state is kept here.
   */
  covering(
    slot: number,
    state: State,
    loop: LoopKind,
    keep: boolean,
    always: boolean,
  ): { readonly covered: Checkpoint | undefined; readonly looping: boolean } {
    const list = this.bySlot.get(slot);
    let looping = false;
    if (list === undefined) return { covered: undefined, looping };
    for (let i = list.length - 1; i >= 0; i--) {
      const old = list[i]!;
      if (!sameCalls(old.state, state)) continue;
      if (this.isCovered(old, slot, state, loop)) {
        old.hits++;
        return { covered: old, looping };
      }
      if (old.branches > 0 && (loop === undefined || loop === 'may_goto')) looping = true;
      if (!keep) continue;
      old.misses++;
      if (old.misses > (old.hits + 1) * (always && old.branches > 0 ? 64 : 3)) list.splice(i, 1);
    }
    return { covered: undefined, looping };
  }

  private isCovered(old: Checkpoint, slot: number, state: State, loop: LoopKind): boolean {
    if (old.branches === 0) return (this.pruning || loop !== undefined) && this.covers(old, state, 'within');
    if (loop !== undefined) {
      const goesRound = loop === 'may_goto' ? old.state.mayGoto !== state.mayGoto : loop !== 'drained';
      if (goesRound && this.covers(old, state, 'within')) return true;
      if (loop === 'drained' && old.misses > STUCK && this.covers(old, state, 'exact'))
        refuse(`infinite loop detected at insn ${slot}`);
      if (loop !== 'may_goto') return false;
    }
    if (this.covers(old, state, 'exact')) refuse(`infinite loop detected at insn ${slot}`);
    return false;
  }

  private covers(old: Checkpoint, state: State, mode: Mode): boolean {
    return covers(old.state, state, mode, this.strict, this.defects);
  }

  add(slot: number, state: State, visit: Visit, parent: Checkpoint | undefined, walked: number): Checkpoint {
    const checkpoint: Checkpoint = { slot, state, visit, branches: 1, hits: 0, misses: 0, parent };
    const list = this.bySlot.get(slot);
    if (list === undefined) this.bySlot.set(slot, [checkpoint]);
    else list.push(checkpoint);
    this.count++;
    this.lastJumps = this.jumps;
    this.lastWalked = walked;
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
