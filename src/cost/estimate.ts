/**
 * How long a program may run: the least and the most nanoseconds over all paths that the verifier walks, and what makes the most.
 *
 * The most is the longest path (`smt/bound.ts`), in nanoseconds instead of insns: a loop that the verifier does not walk round by round counts with the rounds
 * that Linux limits it to. The least is the shortest path (`shortest.ts`).
 */
import type { Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import { type Bounds, bounds, type RunPart, type Weigh } from '../smt/bound.js';
import type { Patched } from '../smt/patched.js';
import { type Accepted, factsOf } from '../verifier/result.js';
import { VisitGraph } from '../verifier/walk/visit-graph.js';
import { shortestRun } from './shortest.js';
import { type CostOptions, runSpan } from './span.js';
import { worstTime } from './weigh.js';

/** What makes up the longest run, at one insn or loop. */
export interface Contribution {
  /** The insn; of a loop its first one. */
  readonly slot: number;
  /** A function's name, `insns` for all insns that are no calls together, or `loop`. */
  readonly what: string;
  /** Nanoseconds. Infinity: no bound. */
  readonly ns: number;
  /** What controls the loop, and the rounds of each at the most; Infinity where only the clock ends it. */
  readonly loops: RunPart['loops'];
}

/** What is known of the time of a program. */
export interface Estimate {
  /** Nanoseconds. */
  readonly best: number;
  /** Infinity: nothing bounds it. */
  readonly worst: number;
  /** What makes the worst, the greatest first. */
  readonly makes: readonly Contribution[];
  /** The way of the worst: conditional jumps with where they go, calls and loops, by slot. */
  readonly path: readonly PathStep[];
  /** Functions that it calls whose cost is not measured, but that of their class. */
  readonly assumed: readonly string[];
  /** Why there is no worst; '' where there is one. */
  readonly endless: string;
}

/** A place on the way of the worst run where it could have gone another way, or spends time. */
export interface PathStep {
  readonly slot: number;
  /** `jump taken`, `jump not taken`, a function's name, or `loop`. */
  readonly what: string;
}

const NEVER_KILLED: FastPath = { rules: 'none', stubs: new Map() };
const NOTHING_PATCHED: Patched = {
  entries: new Map(),
  failures: [],
  facts: factsOf(new VisitGraph(), 0, 0),
  walked: 0,
};
const NS_PER_MS = 1e6;

/** Estimates the time of a program that the verifier accepts. */
export function estimate(program: Program, verified: Accepted, options: CostOptions): Estimate {
  const found = longest(program, verified, options);
  const { code } = verified;
  const run = runSpan(options);
  const start = found.bySlot.get(0);
  const total = start === undefined ? 0 : start.insns + start.ms * NS_PER_MS;
  const tail = code.contracts.findIndex(
    (contract, slot) => contract?.name === 'bpf_tail_call' && verified.facts.at(slot).length > 0,
  );
  const makes = contributions(found, verified, { what: 'entry and exit', ns: run.worst });
  return {
    best: run.best + shortestRun(program, verified, options),
    worst: tail >= 0 ? Number.POSITIVE_INFINITY : run.worst + total,
    makes,
    path: pathOf(found, verified),
    assumed: assumedIn(verified, options),
    endless: endlessness(found, makes, tail),
  };
}

function longest(program: Program, { code, facts, kernel }: Accepted, options: CostOptions): Bounds {
  const worst = worstTime(program, code, options);
  // What runs later is no part of this run.
  const later = (visits: VisitGraph, v: number): boolean => visits.chain(v).outerCallback?.async === true;
  const weigh: Weigh = {
    pass: (visits, v, stubbed) => (later(visits, v) ? 0 : worst.pass(visits, v, stubbed)),
    start: (visits, v) => (later(visits, v) ? 0 : worst.start(visits, v)),
  };
  return bounds(program, code, facts, NEVER_KILLED, NOTHING_PATCHED, kernel, weigh);
}

const nsOf = ({ cost }: RunPart): number => cost.insns + cost.ms * NS_PER_MS;

/** All that the longest run is made of: loops and calls each by itself, other insns together. */
function contributions(
  { longest: parts }: Bounds,
  { code }: Accepted,
  entry: { readonly what: string; readonly ns: number },
): Contribution[] {
  const sums = new Map<string, Contribution>();
  const more = (one: Contribution): void => {
    const key = `${one.what} ${one.loops.length > 0 || one.what !== 'insns' ? one.slot : ''}`;
    const before = sums.get(key);
    sums.set(key, before === undefined ? one : { ...before, ns: before.ns + one.ns });
  };
  for (const part of parts) {
    const { slot } = part;
    const other = code.ops[slot]?.kind === 'call' ? 'subprogram' : 'insns';
    const what = part.isLoop ? 'loop' : (code.contracts[slot]?.name ?? other);
    more({ slot, what, ns: nsOf(part), loops: part.loops });
  }
  more({ slot: 0, what: entry.what, ns: entry.ns, loops: [] });
  return [...sums.values()].filter(({ ns }) => ns > 0).sort((a, b) => b.ns - a.ns || a.slot - b.slot);
}

/** The way of the longest run, without what has only one way to go. */
function pathOf({ longest: parts }: Bounds, { code }: Accepted): PathStep[] {
  const steps: PathStep[] = [];
  parts.forEach((part, i) => {
    const { slot } = part;
    if (part.isLoop) steps.push({ slot, what: 'loop' });
    else if (code.contracts[slot] !== undefined) steps.push({ slot, what: code.contracts[slot]!.name });
    else if (code.ops[slot]?.kind === 'jmp') {
      const next = parts[i + 1]?.slot;
      steps.push({ slot, what: next === slot + 1 ? 'jump not taken' : 'jump taken' });
    }
  });
  return steps;
}

function assumedIn({ code, facts }: Accepted, { costs }: CostOptions): string[] {
  const names = code.contracts.flatMap((contract, slot) => {
    if (contract === undefined || facts.at(slot).length === 0) return [];
    const rows = costs.of(contract.kind, contract.name);
    return rows.length === 0 || rows.some(({ source }) => source === 'assumed') ? [contract.name] : [];
  });
  return [...new Set(names)].sort();
}

function endlessness({ notes }: Bounds, makes: readonly Contribution[], tail: number): string {
  if (tail >= 0) return `insn ${tail}: bpf_tail_call may run another program, whose time is not known`;
  const note = notes.find(({ endless }) => endless !== undefined);
  if (note !== undefined) return `insn ${note.slot}: ${note.endless}`;
  const without = makes.find(({ ns }) => !Number.isFinite(ns));
  return without === undefined ? '' : `insn ${without.slot}: nothing bounds the time of ${without.what}`;
}
