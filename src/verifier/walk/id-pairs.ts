/**
 * Matches the ids of two states. The value of an id means nothing; it only tells which places have the same id (check_ids of
 * kernel/bpf/verifier.c).
 */
import type { Reg } from '../state/state.js';

/** The pairs of ids found so far while two states are compared. Ids match only if each always stands where the other stands. */
export class IdPairs {
  private readonly olds: number[] = [];
  private readonly curs: number[] = [];
  private count = 0;
  /** Stands for the next scalar without an id; no id is negative. */
  private nextFresh = -1;

  constructor(
    /** False: facts are compared. */
    private readonly forPruning: boolean,
  ) {}

  /** Forgets all pairs, before two other states are compared. */
  clear(): void {
    this.count = 0;
    this.nextFresh = -1;
  }

  /** Pairs up ids, one to one (check_ids). */
  checkIds(old: number, cur: number): boolean {
    if (old === 0 || cur === 0) return old === cur;
    for (let i = 0; i < this.count; i++) {
      if (this.olds[i] === old) return this.curs[i] === cur;
      if (this.curs[i] === cur) return false;
    }
    this.olds[this.count] = old;
    this.curs[this.count] = cur;
    this.count++;
    return true;
  }

  /** Ids of the dynptrs that slices were taken from: Linux compares the numbers themselves. */
  checkDynptrId(old: number, cur: number): boolean {
    return this.forPruning ? old === cur : this.checkIds(old, cur);
  }

  /**
   * Links between scalars: numbers that are linked in the old state must be linked in the new one. When states are compared for pruning,
   * links that only the new state has count as a difference too. That is as in Linux 6.18, though such links would do no harm.
   */
  checkScalarIds(old: Reg, cur: Reg): boolean {
    if (!this.forPruning) return old.id === 0 || this.checkOldLink(old, cur);
    if (old.id === 0 && cur.id === 0) return true;
    if (old.id !== 0 && (old.off !== cur.off || old.size !== cur.size)) return false;
    return this.checkIds(old.id === 0 ? this.nextFresh-- : old.id, cur.id === 0 ? this.nextFresh-- : cur.id);
  }

  /** Numbers that are linked in the old state must be linked in the new one. The new one may have more links. */
  private checkOldLink(old: Reg, cur: Reg): boolean {
    if (old.off !== cur.off || old.size !== cur.size || cur.id === 0) return false;
    for (let i = 0; i < this.count; i++) if (this.olds[i] === old.id) return this.curs[i] === cur.id;
    this.olds[this.count] = old.id;
    this.curs[this.count] = cur.id;
    this.count++;
    return true;
  }
}
