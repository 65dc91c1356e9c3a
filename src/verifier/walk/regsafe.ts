/** Does a register of one state cover that of another? Follows regsafe and regs_exact of kernel/bpf/verifier.c. */
import { contains, equal } from '../scalar/scalar.js';
import type { Reg } from '../state/state.js';
import type { IdPairs } from './id-pairs.js';

/**
 * `range_within`: the old state contains the new one. `not_exact`: numbers that no check relied on may differ as well (NOT_EXACT).
 * `exact`: they are the same up to renaming of ids.
 */
export type ExactLevel = 'range_within' | 'not_exact' | 'exact';

/** Compares registers, as strictly as `level` says. `imprecise` tells afterwards whether numbers differed that nothing relied on. */
export class RegComparison {
  level: ExactLevel = 'range_within';
  /** Scalars have to be the same (explore_alu_limits), because masks against speculation depend on them. */
  exactScalars = false;
  /** A number that no check relied on was found to differ. */
  imprecise = false;

  constructor(readonly ids: IdPairs) {}

  /** `skip`: a number here may be any other. */
  regsafe(old: Reg, cur: Reg, skip: boolean): boolean {
    if (old.type === 'uninit') return this.level !== 'exact' || cur.type === 'uninit';
    if (old.type !== cur.type) return false;
    if (old.type === 'arena') return true;
    if (old.type === 'scalar') return this.scalar(old, cur, skip);
    if (
      old.nullable !== cur.nullable ||
      old.off !== cur.off ||
      old.map !== cur.map ||
      old.size !== cur.size ||
      old.frame !== cur.frame ||
      old.struct !== cur.struct ||
      old.trust !== cur.trust ||
      old.readonly !== cur.readonly ||
      old.nonOwning !== cur.nonOwning ||
      old.unowned !== cur.unowned ||
      old.percpu !== cur.percpu
    ) {
      return false;
    }
    // A negative range says that the pointer is not below the end of the packet.
    const sameRange = this.level === 'exact' || old.range < 0 || cur.range < 0;
    if (sameRange ? old.range !== cur.range : old.range > cur.range) return false;
    if (!(this.level === 'exact' ? equal(old.num, cur.num) : contains(old.num, cur.num))) return false;
    return (
      this.ids.checkIds(old.id, cur.id) &&
      this.ids.checkIds(old.ref, cur.ref) &&
      this.ids.checkDynptrId(old.dynptr, cur.dynptr)
    );
  }

  /** Compares two scalars. */
  scalar(old: Reg, cur: Reg, skip: boolean): boolean {
    if (this.level === 'exact')
      return (
        equal(old.num, cur.num) &&
        old.off === cur.off &&
        old.size === cur.size &&
        this.ids.checkIds(old.id, cur.id)
      );
    if (this.exactScalars) return equal(old.num, cur.num) && this.ids.checkScalarIds(old, cur);
    if (skip) {
      if (old.id !== 0 || !contains(old.num, cur.num)) this.imprecise = true;
      return true;
    }
    const covered = contains(old.num, cur.num);
    return covered && this.ids.checkScalarIds(old, cur);
  }
}

/** The value has no links. If both states have the same object, there is nothing to compare. */
export const isAlone = ({ id, ref, dynptr }: Reg): boolean => id === 0 && ref === 0 && dynptr === 0;
