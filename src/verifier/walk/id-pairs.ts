/** Pairs up the ids of two states: an id means nothing but which places have the same one (check_ids of kernel/bpf/verifier.c). */
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

  /** Forgets all pairs: another two states are compared. */
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
   * Links between scalars: what the old state knows to be equal must be equal in the new one. Where states are compared for pruning new
   * links count too, as in Linux 6.18, though they would do no harm.
   */
  checkScalarIds(old: Reg, cur: Reg): boolean {
    if (!this.forPruning) return old.id === 0 || this.checkOldLink(old, cur);
    if (old.id === 0 && cur.id === 0) return true;
    if (old.id !== 0 && (old.off !== cur.off || old.size !== cur.size)) return false;
    return this.checkIds(old.id === 0 ? this.nextFresh-- : old.id, cur.id === 0 ? this.nextFresh-- : cur.id);
  }

  /** Numbers that the old state knows to be equal are equal in the new one; so may others be. */
  private checkOldLink(old: Reg, cur: Reg): boolean {
    if (old.off !== cur.off || old.size !== cur.size || cur.id === 0) return false;
    for (let i = 0; i < this.count; i++) if (this.olds[i] === old.id) return this.curs[i] === cur.id;
    this.olds[this.count] = old.id;
    this.curs[this.count] = cur.id;
    this.count++;
    return true;
  }
}
