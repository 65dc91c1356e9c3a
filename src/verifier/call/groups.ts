/**
 * Groups the outcomes of a call: those with the same effects are walked together. The tables of outcomes never change and a walk comes to
 * the same calls many times, so the groups of each list are worked out once.
 */
import type { Contract, Outcome } from '../../kernel/contract.js';
import { signature } from './effects.js';

/** Outcomes that leave the same trace in a verifier state, so that they differ in r0 only; never empty. */
export type Group = readonly Outcome[];

/** How a walk goes on after a call. */
export interface Groups {
  /** The groups after which the path goes on, in the order in which Linux walks them. */
  readonly groups: readonly Group[];
  /** Some outcome ends the program by an exception. */
  readonly throws: boolean;
  /** Some outcome is a tail call into another program. */
  readonly tailCalls: boolean;
}

const GROUPS = new WeakMap<readonly Outcome[], Groups>();

/**
 * Sorts outcomes into groups with the same effects; one group is one path of the walk. Also tells whether one throws or is a tail
 * call. The answer is kept for each list.
 */
export function groupsOf(outcomes: readonly Outcome[]): Groups {
  let made = GROUPS.get(outcomes);
  if (made === undefined) {
    const goOn = outcomes.filter((o) => !o.effects.some((e) => e.kind === 'tail_call'));
    made = {
      groups: lockedFirst(groupByEffects(goOn)),
      throws: outcomes.some((o) => o.effects.some((e) => e.kind === 'throw')),
      tailCalls: goOn.length < outcomes.length,
    };
    GROUPS.set(outcomes, made);
  }
  return made;
}

/** Of a lock that may fail, the path with the lock taken is walked first (check_kfunc_call pushes the other one). */
function lockedFirst(groups: readonly Outcome[][]): readonly Outcome[][] {
  const locks = ([first]: Outcome[]): boolean => first!.effects.some((e) => e.kind === 'lock');
  return [...groups.filter(locks), ...groups.filter((group) => !locks(group))];
}

/** Outcomes that do the same, in the contract's order. */
function groupByEffects(outcomes: readonly Outcome[]): readonly Outcome[][] {
  const groups = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const key = signature(outcome);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [outcome]);
    else group.push(outcome);
  }
  return [...groups.values()];
}

/** Has the iterator given one more element? All outcomes of a group agree in that. */
export function givesElement(group: Group): boolean {
  return group[0]!.effects.some((e) => e.kind === 'iter_next' && e.to === 'active');
}

/** What is asked of a contract at each call of the function. */
export interface Shape {
  /** Index of the argument that is a callback, -1 for none. */
  readonly callback: number;
  /** Some argument is a dynptr. */
  readonly dynptrs: boolean;
}

const SHAPES = new WeakMap<Contract, Shape>();

/** Tells which argument is a callback (-1: none) and whether any is a dynptr. The answer is kept for each contract. */
export function shapeOf(contract: Contract): Shape {
  let made = SHAPES.get(contract);
  if (made === undefined) {
    made = {
      callback: contract.args.findIndex((a) => a.kind === 'callback'),
      dynptrs: contract.args.some((a) => a.kind === 'dynptr'),
    };
    SHAPES.set(contract, made);
  }
  return made;
}
