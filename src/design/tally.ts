/** What the kills of some programs under one strategy came to, as plain data that adds up. */
import type { Contract } from '../kernel/contract.js';
import type { KillPoints } from '../vm/kill-classes.js';
import type { Code } from '../vm/state/code.js';
import type { Check, Violation } from '../vm/state/trap.js';
import { addLength, addLengths, addWord, addWords, type Lengths, type Words } from './counts.js';
import type { PointsAlike } from './kills.js';

/** A broken check that replays: the smallest program that was found for its kind. */
export interface DesignWitness {
  readonly check: Check;
  /** What leaked, or what was used wrongly: `socket`, `spin_lock`, `memory`. */
  readonly kind: string;
  readonly insns: number;
  /** Number of the program; the earlier of two equally small ones is kept. And where it comes from. */
  readonly program: number;
  readonly from: string;
  /** Points at which it broke, over all programs. */
  readonly points: number;
  /** The case, as text. */
  readonly text: string;
}

/** Sums over programs. Members that count points count each point once. */
export interface Tally {
  /** Programs that the strategy took. */
  programs: number;
  /** Their runs, one for each world. */
  runs: number;
  points: number;
  /** Points at which something leaked, by kind of what leaked. A point counts for each kind. */
  leaks: Words;
  /** Points at which anything leaked. */
  leakPoints: number;
  /** Points at which a check other than leak and bound broke that is a fault of the run: misuse, fault, disclosure, return. */
  faultPoints: number;
  /** The same by kind. */
  faults: Words;
  /** Points by each check that broke, `acquire` and `bound` among them. */
  broken: Words;
  /** Points at which the kill took effect at once. */
  atOnce: number;
  /** Points at which it never did. */
  never: number;
  toEffect: Lengths;
  toExit: Lengths;
  /** Insns of runs that were not killed, and what the mechanism adds to them. */
  ordinaryInsns: number;
  extraInsns: number;
  /** Over programs: bytes from the load on. */
  bytes: number;
  /** The most bytes that one run needed besides. */
  runBytes: number;
  /** Programs that it cannot take, by reason. */
  refused: Words;
  /** Time that preparing took, in milliseconds. */
  ms: number;
  /** By check and kind. */
  witnesses: Map<string, DesignWitness>;
}

/** What no kill at all came to: zero everywhere, to be added to. */
export function emptyTally(): Tally {
  return {
    programs: 0,
    runs: 0,
    points: 0,
    leaks: {},
    leakPoints: 0,
    faultPoints: 0,
    faults: {},
    broken: {},
    atOnce: 0,
    never: 0,
    toEffect: new Map(),
    toExit: new Map(),
    ordinaryInsns: 0,
    extraInsns: 0,
    bytes: 0,
    runBytes: 0,
    refused: {},
    ms: 0,
    witnesses: new Map(),
  };
}

/** Adds all of `more` to a tally. The sum does not depend on the order. */
export function addTally(tally: Tally, more: Tally): void {
  tally.programs += more.programs;
  tally.runs += more.runs;
  tally.points += more.points;
  tally.leakPoints += more.leakPoints;
  tally.faultPoints += more.faultPoints;
  tally.atOnce += more.atOnce;
  tally.never += more.never;
  tally.ordinaryInsns += more.ordinaryInsns;
  tally.extraInsns += more.extraInsns;
  tally.bytes += more.bytes;
  tally.runBytes = Math.max(tally.runBytes, more.runBytes);
  tally.ms += more.ms;
  addWords(tally.leaks, more.leaks);
  addWords(tally.faults, more.faults);
  addWords(tally.broken, more.broken);
  addWords(tally.refused, more.refused);
  addLengths(tally.toEffect, more.toEffect);
  addLengths(tally.toExit, more.toExit);
  for (const [key, witness] of more.witnesses) addWitness(tally, key, witness);
}

/** Keeps the smaller of two witnesses of a kind, and adds up their points. */
export function addWitness(tally: Tally, key: string, one: DesignWitness): void {
  const known = tally.witnesses.get(key);
  if (known === undefined) {
    tally.witnesses.set(key, one);
    return;
  }
  const smaller = one.insns < known.insns || (one.insns === known.insns && one.program < known.program);
  tally.witnesses.set(key, { ...(smaller ? one : known), points: known.points + one.points });
}

/** Adds points of which the same comes. */
export function addPoints(tally: Tally, alike: PointsAlike, points: KillPoints, code: Code): void {
  const { first, last, result } = alike;
  const count = points.count(first, last);
  tally.points += count;
  for (let point = first; point <= last; point = points.from(point + 1)) {
    const effect = alike.toEffect(point);
    if (effect === undefined) tally.never++;
    else addLength(tally.toEffect, effect);
    if (effect === 0) tally.atOnce++;
    addLength(tally.toExit, alike.toExit(point));
  }
  const kinds = brokenKinds(result.violations, code);
  for (const check of new Set(kinds.map((one) => one.check))) addWord(tally.broken, check, count);
  const leaks = kinds.filter(({ check }) => check === 'leak');
  if (leaks.length > 0) tally.leakPoints += count;
  for (const { kind } of leaks) addWord(tally.leaks, kind, count);
  const faults = kinds.filter(({ check }) => FAULTS.has(check));
  if (faults.length > 0) tally.faultPoints += count;
  for (const kind of new Set(faults.map((one) => one.kind))) addWord(tally.faults, kind, count);
}

/** Checks of which a broken one is a fault. A leak is counted apart; taking longer than need be, or acquiring, harms nobody. */
const FAULTS: ReadonlySet<Check> = new Set(['misuse', 'fault', 'disclosure', 'return']);

/** What broke in one run, each check and kind once, with the first violation of that kind. */
export function brokenKinds(
  violations: readonly Violation[],
  code: Code,
): readonly { readonly check: Check; readonly kind: string; readonly violation: Violation }[] {
  const found = new Map<string, { check: Check; kind: string; violation: Violation }>();
  for (const violation of violations) {
    const kind = kindOf(violation, code);
    const key = `${violation.check} ${kind}`;
    if (!found.has(key)) found.set(key, { check: violation.check, kind, violation });
  }
  return [...found.values()];
}

/** The kind of resource that a broken check is about; `memory` or `exit value` where it is about none. */
function kindOf(violation: Violation, { contracts }: Code): string {
  const { check, message, slot } = violation;
  if (check === 'leak') return leakedKind(message);
  if (check === 'return') return 'exit value';
  if (check === 'bound') return 'time';
  const contract = contracts[slot];
  if (check === 'disclosure' || check === 'fault' || contract === undefined) return 'memory';
  return resourceOf(contract);
}

/** A leak's message begins with what leaked: `socket reference taken by ...`, `rcu section ...`, `iterator ...`. */
const leakedKind = (message: string): string => message.split(' ')[0]!;

/** What a function takes or gives back. */
function resourceOf({ outcomes, args }: Contract): string {
  for (const { r0, effects } of outcomes) {
    for (const effect of effects) {
      if (effect.kind === 'lock' || effect.kind === 'unlock') return effect.lock;
      if (effect.kind === 'enter' || effect.kind === 'leave') return effect.section;
      if (effect.kind === 'irq_save' || effect.kind === 'irq_restore') return 'irq';
      if (effect.kind === 'iter_new' || effect.kind === 'iter_next' || effect.kind === 'iter_destroy')
        return 'iterator';
      if (effect.kind === 'init_dynptr' || effect.kind === 'destroy_dynptr') return 'dynptr';
    }
    if (r0.kind === 'pointer' && r0.acquires !== undefined) return r0.acquires;
  }
  const released = args.find((arg) => 'release' in arg && arg.release === true);
  if (released === undefined) return 'memory';
  if (released.kind === 'sock') return 'socket';
  if (released.kind === 'record') return 'ringbuf_record';
  return released.kind === 'btf' ? (released.structs[0] ?? 'reference') : 'object';
}
