/**
 * Widens numbers in loops without a known number of rounds (open-coded iterators, may_goto, callbacks), so that their walk ends. Follows
 * widen_imprecise_scalars of kernel/bpf/verifier.c: a number that changed since the last round becomes unknown, unless a check has relied
 * on it. In a walk without precision, the bounds that moved are dropped instead.
 */

import { S64_MAX, S64_MIN, U64_MAX } from '../../isa/integer.js';
import type { Scalar } from '../scalar/scalar.js';
import { contains, equal, unknown } from '../scalar/scalar.js';
import { fromSigned, fromUnsigned, intersect } from '../scalar/set.js';
import type { Path } from '../state/path.js';
import type { PlaceSet } from '../state/places.js';
import { scalarReg, unknownReg } from '../state/regs.js';
import type { Reg, State } from '../state/state.js';
import { BYTE } from '../state/state.js';

function widenScalar(old: Scalar, cur: Scalar): Scalar {
  if (contains(old, cur)) return cur;
  const signed = fromSigned(
    cur.smin < old.smin ? S64_MIN : old.smin,
    cur.smax > old.smax ? S64_MAX : old.smax,
  );
  const unsigned = fromUnsigned(
    cur.umin < old.umin ? 0n : old.umin,
    cur.umax > old.umax ? U64_MAX : old.umax,
  );
  return intersect(signed, unsigned) ?? unknown;
}

function widenReg(old: Reg | undefined, cur: Reg): Reg {
  if (old === undefined || old.type !== 'scalar' || cur.type !== 'scalar') return cur;
  const num = widenScalar(old.num, cur.num);
  return num === cur.num ? cur : scalarReg(num);
}

/**
 * Widens every scalar of the path, in registers and spilled, against the state of the last round. Answers whether that changed anything.
 */
export function widenBounds(p: Path, last: State): boolean {
  let changed = false;
  for (let depth = 0; depth <= p.depth; depth++) {
    const old = last.frames[depth];
    if (old === undefined) break;
    const frame = p.frameAt(depth);
    for (let n = 0; n < 10; n++) {
      const before = frame.regs[n]!;
      const after = widenReg(old.regs[n], before);
      if (after === before) continue;
      p.setRegAt(depth, n, after);
      changed = true;
    }
    frame.stack.forEach((slot, i) => {
      if (slot === undefined) return;
      const before = old.stack[i];
      if (slot.reg !== undefined) {
        const after = widenReg(before?.reg, slot.reg);
        if (after === slot.reg) return;
        p.setSlot(depth, i, { ...slot, reg: after });
        changed = true;
      } else if (before?.reg !== undefined || !slot.bytes.includes(BYTE.zero)) {
        return;
      } else if (before?.bytes.some((b, k) => b !== slot.bytes[k])) {
        p.setSlot(depth, i, { bytes: slot.bytes.map((b) => (b === BYTE.zero ? BYTE.misc : b)) });
        changed = true;
      }
    });
  }
  return changed;
}

/**
 * Makes every number unknown that changed since the last round, unless a check relied on it since. Answers whether that changed anything.
 */
export function widenImpreciseScalars(p: Path, last: State, precise: PlaceSet): boolean {
  // Ids are matched one to one, as where states are compared (check_ids).
  const olds = new Map<number, number>();
  const curs = new Set<number>();
  const same = (old: Reg, cur: Reg): boolean => {
    if (!equal(old.num, cur.num) || old.off !== cur.off || old.size !== cur.size) return false;
    if (old.id === 0 || cur.id === 0) return old.id === cur.id;
    const known = olds.get(old.id);
    if (known !== undefined) return known === cur.id;
    if (curs.has(cur.id)) return false;
    olds.set(old.id, cur.id);
    curs.add(cur.id);
    return true;
  };
  const changes = (old: Reg | undefined, cur: Reg): boolean =>
    old?.type === 'scalar' && cur.type === 'scalar' && cur !== unknownReg && !same(old, cur);
  let changed = false;
  for (let depth = p.depth; depth >= 0; depth--) {
    const old = last.frames[depth];
    if (old === undefined) continue;
    const frame = p.frameAt(depth);
    for (let n = 0; n < 10; n++) {
      if (precise.hasReg(depth, n) || !changes(old.regs[n], frame.regs[n]!)) continue;
      p.setRegAt(depth, n, unknownReg);
      changed = true;
    }
    const count = Math.min(frame.stack.length, old.stack.length);
    for (let i = 0; i < count; i++) {
      const slot = frame.stack[i];
      if (slot?.reg === undefined || precise.hasSlot(depth, i) || !changes(old.stack[i]?.reg, slot.reg))
        continue;
      p.setSlot(depth, i, { ...slot, reg: unknownReg });
      changed = true;
    }
  }
  return changed;
}
