/**
 * Why a program was refused, in more than a line: the insn and its source, the calls that are open there, what is held and where it was
 * acquired, and the branches that lead from there to the end; for a walk that found no end, the loops that it was spent on.
 */
import { isJump, targetOf } from '../../isa/target.js';
import type { Program } from '../../object/program.js';
import type { Ref } from '../state/state.js';
import type { Code } from '../text/code.js';
import type { Refusal } from '../text/refusal.js';
import type { Walk } from '../walk/walk.js';
import { type LoopUse, loopsOf } from './loops.js';
import { type Place, Places } from './place.js';
import { type SameValue, sameAtBothVisits } from './rounds.js';
import { openCalls, type Trail, trailOf } from './trail.js';

/** Something that is held where the program was refused, and the insn that acquired it. */
export interface Acquired {
  /** `reference`, `spin_lock` and the like, `irq state`, `rcu section`, `preempt section`. */
  readonly what: string;
  /** Number of the reference; 0 for what has none. */
  readonly id: number;
  readonly at: Place;
  /** The calls that were open there, outermost first. */
  readonly calls: readonly Place[];
}

/** A conditional jump on the refused path, and which way the path went. */
export interface BranchTaken extends Place {
  readonly taken: boolean;
  /** Slot that the path went on to. */
  readonly to: number;
}

/** What a person needs to understand a refusal, from the first insn that matters to the one at fault. */
export interface Explanation {
  /** The program, or the function of it, that the refusal is about. */
  readonly about: string;
  /** Where it was refused; undefined where no insn is at fault. */
  readonly at?: Place;
  /** The calls that are open there, outermost first. */
  readonly calls: readonly Place[];
  /** What is held there, in the order in which it was acquired. */
  readonly acquired: readonly Acquired[];
  /** The branches from the first acquisition on, or of the whole way where nothing is held. */
  readonly branches: readonly BranchTaken[];
  /** How many earlier branches are left out because the path is too long. */
  readonly branchesLeftOut: number;
  /** The loops that the walk was spent on, if it was given up. */
  readonly loops: readonly LoopUse[];
  /** For a loop without an end: what is the same each time that it comes to this insn. */
  readonly same: readonly SameValue[];
}

/** How many branches are told at most. Only the last ones are. */
const MOST_BRANCHES = 1000;
/** Messages of a walk that was given up. */
const ENDLESS = /too large|too complex|infinite loop/;

/** Explains a refusal. `walk`: the walk as it was when it refused; undefined if the program was refused before the walk. */
export function explain(program: Program, code: Code, refusal: Refusal, walk: Walk | undefined): Explanation {
  const places = new Places(program, code);
  const slot = refusal.at ?? walk?.slot ?? -1;
  const { calls: chain, subprog } = refusal.told;
  const name = subprog === undefined ? undefined : places.functionOf(subprog);
  const about = name === undefined ? `program '${program.name}'` : `function '${name}'`;
  const at = slot >= 0 ? { at: places.at(slot) } : {};
  // A fault that was found before or after the walk has no path.
  const onPath =
    walk !== undefined && walk.slot >= 0 && (refusal.at === undefined || refusal.reason === 'budget');
  if (!onPath)
    return {
      about,
      ...at,
      calls: (chain ?? []).map((one) => places.at(one)),
      acquired: [],
      branches: [],
      branchesLeftOut: 0,
      loops: [],
      same: [],
    };
  const trail = trailOf(walk);
  const { steps } = trail;
  const held = holdings(walk, code, trail);
  const placesOf = (indices: readonly number[]): Place[] => indices.map((i) => places.at(steps[i]!.slot));
  const first = held.reduce((least, { index }) => Math.min(least, Math.max(index, 0)), steps.length);
  const branches = branchesFrom(places, code, trail, held.length === 0 ? 0 : first);
  return {
    about,
    ...at,
    calls: placesOf(openCalls(steps, steps.length - 1)),
    acquired: held.map(({ what, id, slot: acquiredAt, index }) => ({
      what,
      id,
      at: places.at(acquiredAt),
      calls: index < 0 ? [] : placesOf(openCalls(steps, index)),
    })),
    branches: branches.slice(-MOST_BRANCHES),
    branchesLeftOut: Math.max(0, branches.length - MOST_BRANCHES),
    loops: ENDLESS.test(refusal.message) ? loopsOf(walk, code, places) : [],
    same: refusal.message.startsWith('infinite loop') ? sameAtBothVisits(walk) : [],
  };
}

interface Holding {
  readonly what: string;
  readonly id: number;
  readonly slot: number;
  /** Index in the trail of the insn that acquired it; -1 if the trail does not tell. */
  readonly index: number;
}

function holdings({ path }: Walk, code: Code, trail: Trail): Holding[] {
  const refs = path.refs.map(
    (ref): Holding => ({
      what: ref.kind === 'pointer' ? 'reference' : ref.kind === 'irq' ? 'irq state' : ref.kind,
      id: ref.kind === 'pointer' || ref.kind === 'irq' ? ref.id : 0,
      slot: ref.at,
      index: acquiredAt(trail, ref),
    }),
  );
  const found = [
    ...refs,
    ...sections(code, trail, 'rcu', path.rcu ? 1 : 0),
    ...sections(code, trail, 'preempt', path.preempt),
  ];
  return found.sort((a, b) => a.index - b.index);
}

/** Finds the last time that the path came through the call before the first state with the reference. */
function acquiredAt({ steps, states }: Trail, ref: Ref): number {
  const holds = states.find(({ state }) =>
    state.refs.some((one) => one.id === ref.id && one.kind === ref.kind && one.at === ref.at),
  );
  const before = holds?.index ?? steps.length;
  return steps.findLastIndex((step, index) => index < before && step.slot === ref.at);
}

/** Where the sections that are still open were entered. */
function sections(code: Code, { steps }: Trail, section: 'rcu' | 'preempt', open: number): Holding[] {
  const entered: number[] = [];
  steps.forEach(({ slot }, index) => {
    // The last insn was refused, so it opened no section.
    if (index === steps.length - 1) return;
    for (const effect of code.contracts[slot]?.outcomes[0]?.effects ?? []) {
      if (effect.kind === 'enter' && effect.section === section) entered.push(index);
      if (effect.kind === 'leave' && effect.section === section) entered.pop();
    }
  });
  const held = open === 0 ? [] : entered.slice(-open);
  return held.map((index) => ({ what: `${section} section`, id: 0, slot: steps[index]!.slot, index }));
}

function branchesFrom(places: Places, code: Code, { steps }: Trail, from: number): BranchTaken[] {
  const branches: BranchTaken[] = [];
  for (let i = Math.max(0, from); i + 1 < steps.length; i++) {
    const { slot } = steps[i]!;
    const op = code.ops[slot];
    if (op === undefined || op.kind === 'ja' || !isJump(op)) continue;
    const to = steps[i + 1]!.slot;
    branches.push({ ...places.at(slot), taken: to === targetOf(op, slot), to });
  }
  return branches;
}
