/**
 * Finds insns that may run after a round of a loop: on a cycle, after one, in a callback, or after a call that calls back. At these insns
 * Linux may know less: it forgets scalars that changed from one round to the next. We forget only the bounds that moved, or nothing if
 * the loop is unrolled.
 */

import type { Program } from '../../../object/program.js';
import { components } from '../../../smt/components.js';
import { callsSyncCallback, prepare } from '../../../verifier/text/code.js';
import { successors } from '../../../verifier/text/successors.js';

/** Slots of such insns. */
export function slotsAfterLoops(program: Program): ReadonlySet<number> {
  const { ops, contracts, subprogStart } = prepare(program);
  const within = (slot: number): number[] => {
    const op = ops[slot];
    return op === undefined ? [] : successors(op, slot);
  };
  const starts = program.subprogs.map(({ start }) => start);
  const found = new Set<number>();
  for (const component of components(starts, within)) {
    if (component.length > 1 || within(component[0]!).includes(component[0]!))
      for (const slot of component) found.add(slot);
  }
  contracts.forEach((contract, slot) => {
    if (contract !== undefined && callsSyncCallback(contract)) found.add(slot);
  });
  const callers = new Map<number, number[]>();
  ops.forEach((op, slot) => {
    if (op?.kind !== 'call' || op.target !== 'subprog') return;
    const start = slot + 1 + op.imm;
    callers.set(start, [...(callers.get(start) ?? []), slot]);
  });
  const pointedTo = ops.flatMap((op, slot) =>
    op?.kind === 'ld_imm64' && op.as === 'func' ? [slot + 1 + op.imm] : [],
  );
  const next = (slot: number): number[] => {
    const op = ops[slot];
    if (op?.kind === 'exit' || op?.kind === 'unwind_exit')
      return (callers.get(subprogStart[slot]!) ?? []).map((call) => call + 1);
    if (op?.kind === 'call' && op.target === 'subprog') return [slot + 1, slot + 1 + op.imm];
    const contract = contracts[slot];
    // The callback is in a register, so it may be any function whose address is taken.
    if (contract !== undefined && callsSyncCallback(contract)) return [slot + 1, ...pointedTo];
    return within(slot);
  };
  const work = [...found];
  while (work.length > 0) {
    for (const slot of next(work.pop()!)) {
      if (found.has(slot)) continue;
      found.add(slot);
      work.push(slot);
    }
  }
  return found;
}
