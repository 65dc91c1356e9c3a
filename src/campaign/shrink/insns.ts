/** Shrinks a case insn by insn: drops, shortens and simplifies until nothing smaller shows the same. */
import { toBytes } from '../../isa/bytes.js';
import type { Program } from '../../object/program.js';
import { EMPTY, type Environment, toHex } from '../../vm/state/environment.js';
import { close, type Draft, open } from './draft.js';
import { dropJumpedOver, dropPairs, dropRuns, type Pass, simplify } from './passes.js';
import { type Reproduction, type ShrinkTarget, showing } from './reproduce.js';
import {
  dropAcquireAndRelease,
  dropCall,
  forwardSpill,
  inlineSubprog,
  lookupToAddress,
  propagateCopy,
  rematerializeAddress,
  shareStackAddress,
  simplerCall,
} from './rewrites.js';
import { simplerScenarios, trimEnvironment } from './simpler-environments.js';
import { isSmaller, type Scenario, type Size, sizeOf } from './size.js';

/** Questions asked for one case at the most, unless told. */
export const QUESTIONS = 20_000;

const DROP_RUNS: readonly Pass[] = [32, 16, 8, 4, 2, 1].map(dropRuns);
const PASSES: readonly Pass[] = [
  ...DROP_RUNS,
  dropJumpedOver,
  dropCall,
  dropAcquireAndRelease,
  lookupToAddress,
  inlineSubprog,
  propagateCopy,
  forwardSpill,
  rematerializeAddress,
  simplerCall,
  simplify,
  shareStackAddress,
];

/** The smallest that was found, and the run that shows it. */
export interface Shrunk {
  readonly scenario: Scenario;
  readonly reproduction: Reproduction;
  /** False when the budget was spent before nothing smaller was left to try. */
  readonly done: boolean;
}

/** Shrinks `program` in the world `env`. Undefined when it does not show what it should to begin with. */
export function shrinkInsns(program: Program, env: Environment, target: ShrinkTarget): Shrunk | undefined {
  const start = open(program);
  const toPlain = close(start) ?? program;
  for (const world of [EMPTY, { ...env, choices: EMPTY.choices }, env]) {
    const first = showing(toPlain, world, target);
    if (first !== undefined)
      return new InsnShrinker({ program: toPlain, env: world, step: first.step }, first, target).run();
  }
  return undefined;
}

class InsnShrinker {
  private size: Size;
  private questions = 0;
  private readonly refused = new Set<string>();

  constructor(
    private scenario: Scenario,
    private reproduction: Reproduction,
    private readonly target: ShrinkTarget,
  ) {
    this.size = sizeOf(scenario);
  }

  run(): Shrunk {
    for (let again = true; again && !this.budgetSpent; ) {
      again = false;
      for (const runPass of PASSES) again = this.pass(runPass) || again;
      again = this.simplifyEnvironment() || again;
      if (!again) again = this.pass(dropPairs);
    }
    return { scenario: this.scenario, reproduction: this.reproduction, done: !this.budgetSpent };
  }

  private get budgetSpent(): boolean {
    return this.questions >= (this.target.questions ?? QUESTIONS);
  }

  /** One pass, from the end to the start, because later insns depend on earlier ones. Answers whether anything got smaller. */
  private pass(pass: Pass): boolean {
    let progress = false;
    let draft = open(this.scenario.program);
    for (let at = pass.positions(draft) - 1; at >= 0; ) {
      const better = this.takeFirst(pass.candidates(draft, at));
      if (!better) {
        at--;
        continue;
      }
      progress = true;
      draft = open(this.scenario.program);
      at = Math.min(at, pass.positions(draft) - 1);
    }
    return progress;
  }

  /** Takes the first draft that will do. */
  private takeFirst(drafts: Iterable<Draft>): boolean {
    for (const draft of drafts) {
      if (this.budgetSpent) return false;
      const program = close(draft);
      if (program !== undefined && this.tryScenario({ ...this.scenario, program })) return true;
    }
    return false;
  }

  private simplifyEnvironment(): boolean {
    let progress = false;
    for (let again = true; again && !this.budgetSpent; ) {
      again = false;
      for (const plainer of simplerScenarios(this.scenario)) {
        again = this.tryScenario(plainer);
        if (again) break;
      }
      progress ||= again;
    }
    return progress;
  }

  /** Makes `candidate` the smallest so far, if it is smaller and still shows what it should. */
  private tryScenario(candidate: Scenario): boolean {
    if (!isSmaller(sizeOf({ ...candidate, step: -1 }), this.size)) return false;
    const key = keyOf(candidate);
    if (this.refused.has(key)) return false;
    // Choices are numbered by call, and some calls may be gone now. So the default choices are tried too.
    const took =
      this.reproduces(candidate) ||
      (candidate.env.choices.size > 0 && this.reproduces(withDefaultChoices(candidate)));
    if (!took) this.refused.add(key);
    return took;
  }

  private reproduces({ program, env }: Scenario): boolean {
    this.questions++;
    const answer = showing(program, env, this.target);
    if (answer === undefined) return false;
    const scenario = {
      program,
      env: trimEnvironment(env, program, answer.recorded.choices),
      step: answer.step,
    };
    const size = sizeOf(scenario);
    if (!isSmaller(size, this.size)) return false;
    this.scenario = scenario;
    this.reproduction = answer;
    this.size = size;
    return true;
  }
}

/** The same question, with everything going well that the environment leaves open. */
function withDefaultChoices(scenario: Scenario): Scenario {
  return { ...scenario, env: { ...scenario.env, choices: new Map() } };
}

function keyOf({ program, env }: Scenario): string {
  const { name, insns, maps, kfuncs, localTypes, section, license } = program;
  const rest = JSON.stringify([name, maps, kfuncs, localTypes, section ?? '', license ?? ''], plain);
  return `${toHex(toBytes(insns))} ${rest} ${JSON.stringify(env, plain)}`;
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return [...value];
  if (value instanceof Uint8Array) return toHex(value);
  return typeof value === 'bigint' ? value.toString() : value;
}
