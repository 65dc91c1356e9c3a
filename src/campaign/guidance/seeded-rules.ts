/**
 * Wrong rule sets, one for each of many functions: the rule set `sound` with one rule in front that is wrong for the function. Which rule is
 * drawn from a seed, over the whole table of functions; none is picked by hand.
 */

import { isRefused } from '../../../generators/compile/refused.js';
import { GENERATED_TYPES } from '../../../generators/program.js';
import { mix } from '../../../generators/random.js';
import { sample } from '../../../generators/sample.js';
import { CALL_WAYS, smallestCall } from '../../../generators/smallest-call.js';
import { S64_MAX, S64_MIN } from '../../isa/integer.js';
import { contracts } from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import type { Program } from '../../object/program.js';
import { rule, ruleSet } from '../../patch/define.js';
import type { RuleSet, Stub } from '../../patch/rule.js';
import sound from '../../patch/sets/sound.js';
import { decideIn, situationsOf } from '../../patch/situations.js';
import { cannotRun } from '../../vm/state/runnable.js';
import { Vm, type VmOptions } from '../../vm/vm.js';
import { runEnvironment } from '../kill/environments.js';
import { type PreparedProgram, pathOf, prepareProgram, runOptions } from '../kill/prepared-program.js';

/** A rule that is wrong for one function, before the rules of `sound`. */
export interface SeededRule {
  readonly function: string;
  /** What the rule does, for people. */
  readonly what: string;
  readonly rules: RuleSet;
}

/** One wrong rule for every function of the table that programs can be made to call, in an order that the seed tells. */
export function seededRules(seed: number): readonly SeededRule[] {
  const callable = contracts().filter(({ name, types }) =>
    types.some((type) => GENERATED_TYPES.includes(type) && !isRefused(name, type)),
  );
  return callable
    .map((contract, i) => ({ contract, order: mix(seed, i) >>> 0 }))
    .sort((a, b) => a.order - b.order)
    .map(({ contract, order }) => wrongRule(contract, order));
}

/** One of the ways to be wrong about this function, drawn from the seed. */
function wrongRule(contract: Contract, seed: number): SeededRule {
  const { name } = contract;
  const ways = waysToBeWrong(contract);
  const { what, stub } = ways[(seed >>> 8) % ways.length]!;
  const one = rule(`${name}: ${what}`).when((f) => f.name === name);
  const wrong = stub === undefined ? one.keep() : one.stub(stub);
  return { function: name, what, rules: ruleSet('seeded', [wrong, ...sound.rules]) };
}

const compare = (a: bigint, b: bigint): number => Number(a > b) - Number(a < b);

interface Way {
  readonly what: string;
  /** Absent: the call is kept. */
  readonly stub?: Stub;
}

/**
 * How the decision of `sound` for a function is changed. A stub: the call is kept; r0 is not written, is one beyond the outcome's range on
 * either side, is no NULL; one of the memories or slots that it fills is left out. A kept call: it is stubbed, and answers 0 or nothing.
 */
function waysToBeWrong(contract: Contract): readonly Way[] {
  const decided = situationsOf(contract).map((situation) => decideIn(sound, contract, situation));
  const right = decided.flatMap(({ action }) => (action.kind === 'stub' ? [action.stub] : []))[0];
  if (right === undefined) {
    const skip = (r0: Stub['r0']): Way => ({
      what: `skipped, r0 = ${r0}`,
      stub: { r0, writes: [], slots: [] },
    });
    return [skip(0n), skip('void')];
  }
  const ranges = contract.outcomes.flatMap(({ r0 }) => (r0.kind === 'scalar' ? [r0] : []));
  const answers = right.r0 === 'void' ? [0n] : [right.r0];
  const [least = 0n] = [...answers, ...ranges.map(({ min }) => min)].sort(compare);
  const most = [...answers, ...ranges.map(({ max }) => max)].sort(compare).at(-1) ?? 0n;
  return [
    { what: 'kept' },
    { what: 'r0 is not written', stub: { ...right, r0: 'void' } },
    ...(least > S64_MIN ? [{ what: `r0 = ${least - 1n}`, stub: { ...right, r0: least - 1n } }] : []),
    ...(most < S64_MAX ? [{ what: `r0 = ${most + 1n}`, stub: { ...right, r0: most + 1n } }] : []),
    ...right.writes.map((arg) => ({
      what: `argument ${arg} is not filled`,
      stub: { ...right, writes: right.writes.filter((one) => one !== arg) },
    })),
    ...right.slots.map(({ arg }) => ({
      what: `slot ${arg} is not filled`,
      stub: { ...right, slots: right.slots.filter((one) => one.arg !== arg) },
    })),
  ];
}

/** Worlds that a program is run in. */
const WORLDS = 2;

/** Steps of a run that are looked at. */
const STEPS = 2000;

/** Whether killing the program somewhere, in one of the campaign's first worlds, breaks a check under these rules. */
export function breaks(prepared: PreparedProgram, rules: RuleSet, seed: number, index: number): boolean {
  const path = pathOf(prepared, rules);
  for (let k = 0; k < WORLDS; k++) {
    const world = runEnvironment(prepared.program, seed, index, k);
    if (breaksIn(prepared, { ...runOptions(prepared, path), ...world })) return true;
  }
  return false;
}

/**
 * The same for one run. It is killed before calls and exits only: an insn of any other kind does the same before and after the kill, so a kill
 * before it leaves the same run as a kill behind it.
 */
function breaksIn({ code }: PreparedProgram, options: VmOptions): boolean {
  const vm = new Vm(code, options);
  while (vm.running && vm.machine.steps < STEPS) {
    const kind = code.ops[vm.machine.pc]?.kind;
    if (kind === 'call' || kind === 'exit') {
      const killed = vm.fork();
      killed.kill();
      if (killed.run().violations.length > 0) return true;
    }
    vm.step();
  }
  return false;
}

/** Programs that are tried to show that a rule can be found at all. */
const TRIED = 8;

/** Whether some program that is made for the function alone shows that the rule is wrong. Neither way of choosing programs has a part in it. */
export function canBeFound({ function: name, rules }: SeededRule): boolean {
  const tries = function* (): Iterable<Program> {
    for (let way = 0; way < CALL_WAYS; way++) {
      const plain = smallestCall(name, undefined, [], way);
      if (plain !== undefined) yield plain;
    }
    for (let index = 0; index < TRIED; index++) yield sample(0x5eed, index, { aim: name }).program;
  };
  let index = 0;
  for (const program of tries()) {
    if (cannotRun(program) !== undefined) continue;
    const prepared = prepareProgram(program, 'privileged');
    if (typeof prepared !== 'string' && breaks(prepared, rules, 0x5eed, index++)) return true;
  }
  return false;
}
