/** How many programs it takes until wrong rules are found, with guidance and without. */
import { median, quantile } from 'simple-statistics';
import { guided } from '../../../generators/guided.js';
import type { GeneratedProgram } from '../../../generators/program.js';
import { sample } from '../../../generators/sample.js';
import { coverageOf } from '../../../generators/smallest-call.js';
import { prepareProgram } from '../kill/prepared-program.js';
import { breaks, canBeFound, type SeededRule, seededRules } from './seeded-rules.js';

/** How much is measured. */
export interface GuidanceOptions {
  /** Wrong rules. */
  readonly rules: number;
  /** Seeds of campaigns; each is run once with guidance and once without. */
  readonly seeds: readonly number[];
  /** Programs of a campaign after which the rules that are left count as not found. */
  readonly programs: number;
}

/** What campaigns of one way to choose programs came to, over all rules and seeds. */
export interface WayResult {
  /** Programs until a rule was found, one for each rule and seed; Infinity for one that was not. */
  readonly programsUntilFound: readonly number[];
  readonly found: number;
  /** Over all rules and seeds; Infinity where that many were not found. */
  readonly median: number;
  readonly upperQuartile: number;
  /** Insns of a program on average. */
  readonly insns: number;
}

/** Both ways, for the same rules and seeds. */
export interface GuidanceResult {
  /** The rules that were looked for, as `function: what is wrong`. */
  readonly rules: readonly string[];
  readonly guided: WayResult;
  readonly unguided: WayResult;
}

/** The first `count` seeded rules that some program made for their function alone shows to be wrong. */
export function rulesToFind(count: number, seed: number): readonly SeededRule[] {
  const found: SeededRule[] = [];
  for (const one of seededRules(seed)) {
    if (found.length === count) break;
    if (canBeFound(one)) found.push(one);
  }
  return found;
}

/** Measures both ways. Takes a minute or more for a hundred rules. */
export function measureGuidance({ rules: count, seeds, programs }: GuidanceOptions): GuidanceResult {
  const rules = rulesToFind(count, 1);
  const way = (make: typeof sample): WayResult => {
    const runs = seeds.map((seed) => campaign(rules, (index) => make(seed, index), seed, programs));
    const programsUntilFound = runs.flatMap((one) => one.until);
    return {
      programsUntilFound,
      found: programsUntilFound.filter(Number.isFinite).length,
      median: median(programsUntilFound),
      upperQuartile: quantile(programsUntilFound, 0.75),
      insns: Math.round(runs.reduce((sum, one) => sum + one.insns, 0) / runs.length),
    };
  };
  return {
    rules: rules.map(({ function: name, what }) => `${name}: ${what}`),
    guided: way(guided),
    unguided: way(sample),
  };
}

/** One campaign: programs until each rule was found, in the order of the rules. */
function campaign(
  rules: readonly SeededRule[],
  make: (index: number) => GeneratedProgram,
  seed: number,
  programs: number,
): { readonly until: readonly number[]; readonly insns: number } {
  const found = new Map<SeededRule, number>();
  let insns = 0;
  let made = 0;
  for (let index = 0; index < programs && found.size < rules.length; index++) {
    const { program } = make(index);
    insns += program.insns.length;
    made++;
    // A rule shows only in programs that call its function.
    const called = coverageOf(program);
    const open = rules.filter((one) => !found.has(one) && called.has(one.function));
    const prepared = open.length === 0 ? 'nothing to look for' : prepareProgram(program, 'privileged');
    if (typeof prepared === 'string') continue;
    for (const one of open) if (breaks(prepared, one.rules, seed, index)) found.set(one, index + 1);
  }
  return {
    until: rules.map((one) => found.get(one) ?? Number.POSITIVE_INFINITY),
    insns: made === 0 ? 0 : insns / made,
  };
}
