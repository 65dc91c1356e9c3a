/**
 * Killing generated programs in the VM, with no prover at hand, shows every one of the wrong rules: some program breaks a check under
 * the wrong rule set, and the same program in the same world breaks none under `sound`.
 */
import { describe, expect, test } from 'vitest';
import { sample } from '../../generators/sample.js';
import { coverageOf, smallestCall } from '../../generators/smallest-call.js';
import { runEnvironment } from '../../src/campaign/kill/environments.js';
import type { Program } from '../../src/object/program.js';
import { rule, ruleSet } from '../../src/patch/define.js';
import { fastPath } from '../../src/patch/fast-path.js';
import type { FastPath } from '../../src/patch/rule.js';
import sound from '../../src/patch/sets/sound.js';
import type { Facts } from '../../src/verifier/result.js';
import { verify } from '../../src/verifier/verify.js';
import { type KillViolation, killEverywhere } from '../../src/vm/kill.js';
import { prepare } from '../../src/vm/state/code.js';
import type { Check } from '../../src/vm/state/trap.js';
import { WRONG_RULES, type WrongRules } from '../support/wrong-rules.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const PROGRAMS = 250;
const WORLDS = 4;
/** Runs longer than this are killed up to there. */
const MAX_STEPS = 1_500;
/** Insns from the kill to the exit; for a rule that is wrong because it takes long, so many times as many as under `sound`. */
const LONGEST_DEATH = 20_000;
const SLOWER = 2;

/** The smallest program that calls the function, then programs made around it, and among them such as are made of anything. */
function* programsWith(name: string): Generator<Program> {
  const smallest = smallestCall(name);
  if (smallest !== undefined) yield smallest;
  for (let index = 0; index < PROGRAMS; index++) {
    yield sample(SEED, index, { only: [name], maxInsns: 60 }).program;
    if (index % 2 !== 0) continue;
    const { program } = sample(SEED, index);
    if (coverageOf(program).has(name)) yield program;
  }
}

/** Where the two fast paths are the same, there is nothing to see. */
function alike(a: FastPath, b: FastPath): boolean {
  const text = ({ stubs }: FastPath): string =>
    [...stubs]
      .map(([slot, { r0, writes, slots }]) => `${slot} ${r0} ${writes.join()} ${slots.length}`)
      .join('\n');
  return text(a) === text(b);
}

interface Caught {
  readonly violations: readonly KillViolation[];
  /** Programs that were killed before one showed it. */
  readonly programs: number;
}

/** Kills programs until one breaks a check that it does not break under `sound`. */
function search({ rules, check }: WrongRules, programs: Iterable<Program>): Caught {
  let count = 0;
  for (const program of programs) {
    const verdict = verify(program);
    if (!verdict.ok) throw new Error(`refused: ${verdict.message}`);
    const paths = [fastPath(program, verdict.facts, sound), fastPath(program, verdict.facts, rules)] as const;
    if (alike(...paths)) continue;
    count++;
    const violations = broken(program, verdict.facts, paths, count, check === 'bound');
    if (violations.length > 0) return { violations, programs: count };
  }
  return { violations: [], programs: count };
}

function broken(
  program: Program,
  facts: Facts,
  [right, wrong]: readonly [FastPath, FastPath],
  index: number,
  timed: boolean,
): readonly KillViolation[] {
  const code = prepare(program);
  for (let k = 0; k < WORLDS; k++) {
    const { env, chooser } = runEnvironment(program, SEED, index, k);
    const options = { facts, chooser, maxSteps: MAX_STEPS, bound: LONGEST_DEATH };
    const reference = killEverywhere(code, right, env, options);
    expect(reference.violations).toEqual([]);
    const bound = timed ? SLOWER * reference.worstSteps : LONGEST_DEATH;
    const { violations } = killEverywhere(code, wrong, env, { ...options, bound });
    if (violations.length > 0) return violations;
  }
  return [];
}

/** Functions that `sound` stubs and that may just as well run. */
const HARMLESS: readonly string[] = [
  'bpf_ktime_get_ns',
  'bpf_get_prandom_u32',
  'bpf_get_smp_processor_id',
  'bpf_probe_read_kernel',
  'bpf_map_lookup_elem',
];

/** The check that a run breaks where it is not the one that the rule proof names: what the program does next decides. */
const SEEN_AS: Readonly<Record<string, Check>> = {
  // Not below 0, so the program takes it for held, and unlocks.
  'resilient-lock-claims-a-warning': 'misuse',
  // The program knows that the pointer cannot be NULL, and drops it unseen.
  'owned-object-cannot-be-shared': 'fault',
  // The element is at an address in no object, but a program that only counts never looks at it.
  'iterator-never-ends': 'bound',
};

describe('each wrong rule is caught by killing alone', () => {
  test.each(WRONG_RULES.map((wrong) => [wrong.rules.name, wrong] as const))('%s', (name, wrong) => {
    const { violations, programs } = search(wrong, programsWith(wrong.function));
    const checks = new Set(violations.map(({ check }) => check));
    expect([programs > 0, ...checks]).toContain(SEEN_AS[name] ?? wrong.check);
  });
});

test('rules that differ from the sound ones and are right are caught of nothing', () => {
  const rules = ruleSet('keeps-what-takes-nothing', [
    rule('what takes nothing runs')
      .when((f) => HARMLESS.includes(f.name))
      .keep(),
    ...sound.rules,
  ]);
  for (const name of HARMLESS) {
    const programs = Array.from({ length: 6 }, (_, i) => sample(SEED, i, { only: [name], maxInsns: 60 }));
    const right: WrongRules = { rules, function: name, check: 'fault' };
    const caught = search(
      right,
      programs.map(({ program }) => program),
    );
    expect([caught.programs > 0, caught.violations]).toEqual([true, []]);
  }
});
