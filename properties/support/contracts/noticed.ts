/**
 * Who notices a wrong contract: the proofs of rules, Linux, or runs that are killed. And of one that none of them notices, why none can: each
 * reason is checked, none is given by name.
 */
import { sample } from '../../../generators/sample.js';
import { coverageOf, smallestCall } from '../../../generators/smallest-call.js';
import { confirmContract, typesToAsk } from '../../../src/campaign/confirm.js';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import { killBeforeEveryInsn } from '../../../src/campaign/kill/kill-everywhere.js';
import { pathOf, prepareProgram, runOptions } from '../../../src/campaign/kill/prepared-program.js';
import type { Contract } from '../../../src/kernel/contract.js';
import type { Program } from '../../../src/object/program.js';
import { rule, ruleSet } from '../../../src/patch/define.js';
import type { Action, RuleSet } from '../../../src/patch/rule.js';
import { RULE_SETS } from '../../../src/patch/sets/index.js';
import sound from '../../../src/patch/sets/sound.js';
import { decideIn, situationsOf } from '../../../src/patch/situations.js';
import { proveRules } from '../../../src/smt/rule-proof.js';
import type { Solver } from '../../../src/smt/solver.js';
import { cannotRun } from '../../../src/vm/state/runnable.js';
import { saysOtherwise, saysOtherwiseOfOtherMaps, stateShows, stubTells } from './told-apart.js';
import type { WrongContract } from './wrong.js';

export type Noticed = 'by rule proof' | 'by Linux' | 'by killing';
/** Why a wrong contract cannot be noticed. */
export type Excused =
  /** After every call, in every situation, the same states are possible. */
  | 'it says the same'
  /** Only time, callbacks and what a dynptr points to differ, no stub is judged otherwise, and the call is kept or not as before. */
  | 'no state shows it'
  /** Only states that no stub leaves differ, which Linux alone could show, and no such call of the function is loaded here. */
  | 'Linux cannot be asked';

/** Who notices it, why nobody can, or that nobody does. `kernel`: bpf(2) is allowed. */
export async function judge(
  pair: WrongContract,
  solver: Solver,
  { seed, kernel }: { readonly seed: number; readonly kernel: boolean },
): Promise<Noticed | Excused | 'missed'> {
  if (!saysOtherwise(pair, solver)) return 'it says the same';
  if (stubTells(pair, solver) || (await byRuleProof(pair))) return 'by rule proof';
  if (kernel && byLinux(pair)) return 'by Linux';
  if (byKilling(pair, seed)) return 'by killing';
  if (!stateShows(pair, solver)) return 'no state shows it';
  // The programs that Linux is asked about have no maps of sockets (oracle/contracts/compare.ts).
  const asked = kernel && saysOtherwiseOfOtherMaps(pair, solver);
  return asked && confirmContract(pair.right).verdict === 'confirmed' ? 'missed' : 'Linux cannot be asked';
}

/** What `sound` decides for a function by this contract, as a rule that looks at nothing; undefined where it depends on the call site. */
function soundFor(contract: Contract): RuleSet | undefined {
  const actions = situationsOf(contract).map((one) => decideIn(sound, contract, one).action);
  const [action] = actions;
  const text = (one: Action): string =>
    JSON.stringify(one, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part));
  if (action === undefined || new Set(actions.map(text)).size !== 1) return undefined;
  const start = rule('as sound decides').when((f) => f.name === contract.name);
  return ruleSet('as-sound-decides', [action.kind === 'stub' ? start.stub(action.stub) : start.keep()]);
}

/** Verdicts of the shipped sets, and of what `sound` decides by the right contract, as far as they are pinned of the tables. */
async function verdicts(contract: Contract, right: Contract): Promise<string> {
  const own = soundFor(right);
  const lines: string[] = [];
  for (const rules of [...RULE_SETS, ruleSet('keeps', []), ...(own === undefined ? [] : [own])]) {
    const { functions } = await proveRules(rules, [contract]);
    for (const { rule: by, action, verdict, witness } of functions)
      lines.push([rules.name, by, action, verdict, witness?.check].join(' '));
  }
  return lines.join('\n');
}

/** Rules have other verdicts by the wrong contract. */
async function byRuleProof({ right, wrong }: WrongContract): Promise<boolean> {
  return (await verdicts(wrong, right)) !== (await verdicts(right, right));
}

/** Linux says otherwise in a type of programs. bpf(2) must be allowed. */
const byLinux = ({ right, wrong }: WrongContract): boolean =>
  typesToAsk(right).some((type) => confirmContract(wrong, [type]).verdict === 'contradicted');

const PROGRAMS = 4;

/** What `sound` would decide by the wrong contract breaks a check in a killed run, of a program that is accepted by the right one. */
function byKilling({ right, wrong }: WrongContract, seed: number): boolean {
  const rules = soundFor(wrong);
  return rules !== undefined && programsOf(right, seed).some((program) => breaks(program, rules, seed));
}

function programsOf({ name, types }: Contract, seed: number): Program[] {
  const smallest = types.flatMap((type) => smallestCall(name, type) ?? []).slice(0, 1);
  const drawn = Array.from(
    { length: PROGRAMS },
    (_, index) => sample(seed, index, { only: [name], maxInsns: 50 }).program,
  ).filter((program) => coverageOf(program).has(name));
  return [...smallest, ...drawn].filter((program) => cannotRun(program) === undefined);
}

function breaks(program: Program, rules: RuleSet, seed: number): boolean {
  const prepared = prepareProgram(program, 'privileged');
  if (typeof prepared === 'string') return false;
  const { env, chooser } = runEnvironment(program, seed, 0, 0);
  const options = runOptions(prepared, pathOf(prepared, rules));
  return killBeforeEveryInsn(prepared.code, { ...options, env, chooser }).broken.length > 0;
}
