/** Shrinks a case insn by insn: drops, shortens and simplifies until nothing smaller shows the same. */
import { toBytes } from '../../isa/bytes.js';
import type { Program } from '../../object/program.js';
import { EMPTY, type Environment, toHex } from '../../vm/environment.js';
import { close, type Draft, open } from './draft.js';
import { fitting, plainerEnvironments } from './environments.js';
import { type Measure, measure, type Shown, smaller } from './measure.js';
import { dropJumpedOver, dropPairs, dropRuns, type Pass, simplify } from './passes.js';
import {
  direct,
  dropCall,
  forward,
  inline,
  otherCall,
  remake,
  shareStackAddress,
  unmake,
} from './rewrites.js';
import { type Answer, ask, type Target } from './witness.js';

/** Questions asked for one case at the most. */
const QUESTIONS = 20_000;

const COARSE: readonly Pass[] = [32, 16, 8, 4, 2, 1].map(dropRuns);
const ROUND: readonly Pass[] = [
  ...COARSE,
  dropJumpedOver,
  dropCall,
  unmake,
  direct,
  inline,
  forward,
  remake,
  otherCall,
  simplify,
  shareStackAddress,
];

/** The smallest that was found, and the run that shows it. */
export interface Shrunk {
  readonly shown: Shown;
  readonly answer: Answer;
  /** False when the budget was spent before nothing smaller was left to try. */
  readonly done: boolean;
}

/** Shrinks `program` in the world `env`. Undefined when it does not show what it should to begin with. */
export function shrinkInsns(program: Program, env: Environment, target: Target): Shrunk | undefined {
  const start = open(program);
  const plain = close(start) ?? program;
  for (const world of [EMPTY, { ...env, choices: EMPTY.choices }, env]) {
    const first = ask(plain, world, target);
    if (first !== undefined)
      return new Shrinking({ program: plain, env: world, step: first.step }, first, target).run();
  }
  return undefined;
}

class Shrinking {
  private size: Measure;
  private asked = 0;
  private readonly refused = new Set<string>();

  constructor(
    private shown: Shown,
    private answer: Answer,
    private readonly target: Target,
  ) {
    this.size = measure(shown);
  }

  run(): Shrunk {
    for (let again = true; again && !this.spent; ) {
      again = false;
      for (const pass of ROUND) again = this.pass(pass) || again;
      again = this.surroundings() || again;
      if (!again) again = this.pass(dropPairs);
    }
    return { shown: this.shown, answer: this.answer, done: !this.spent };
  }

  private get spent(): boolean {
    return this.asked >= QUESTIONS;
  }

  /** One pass, from the end to the start, since what comes late leans on what comes early. Answers whether anything got smaller. */
  private pass(pass: Pass): boolean {
    let progress = false;
    let draft = open(this.shown.program);
    for (let at = pass.positions(draft) - 1; at >= 0; ) {
      const better = this.first(pass.candidates(draft, at));
      if (!better) {
        at--;
        continue;
      }
      progress = true;
      draft = open(this.shown.program);
      at = Math.min(at, pass.positions(draft) - 1);
    }
    return progress;
  }

  /** Takes the first draft that will do. */
  private first(drafts: Iterable<Draft>): boolean {
    for (const draft of drafts) {
      if (this.spent) return false;
      const program = close(draft);
      if (program !== undefined && this.take({ ...this.shown, program })) return true;
    }
    return false;
  }

  private surroundings(): boolean {
    let progress = false;
    for (let again = true; again && !this.spent; ) {
      again = false;
      for (const plainer of plainerEnvironments(this.shown)) {
        again = this.take(plainer);
        if (again) break;
      }
      progress ||= again;
    }
    return progress;
  }

  /** Makes `candidate` the smallest so far, if it is smaller and still shows what it should. */
  private take(candidate: Shown): boolean {
    if (!smaller(measure({ ...candidate, step: -1 }), this.size)) return false;
    const key = keyOf(candidate);
    if (this.refused.has(key)) return false;
    // Choices go by the number of the call, and calls may be gone: with the kindest ones it may show as well.
    const took = this.try(candidate) || (candidate.env.choices.size > 0 && this.try(kindest(candidate)));
    if (!took) this.refused.add(key);
    return took;
  }

  private try({ program, env }: Shown): boolean {
    this.asked++;
    const answer = ask(program, env, this.target);
    if (answer === undefined) return false;
    const shown = { program, env: fitting(env, program, answer.recorded.choices), step: answer.step };
    const size = measure(shown);
    if (!smaller(size, this.size)) return false;
    this.shown = shown;
    this.answer = answer;
    this.size = size;
    return true;
  }
}

/** The same in a world where what is left open goes well. */
function kindest(shown: Shown): Shown {
  return { ...shown, env: { ...shown.env, choices: new Map() } };
}

function keyOf({ program, env }: Shown): string {
  const { name, insns, maps, kfuncs, localTypes, section, license } = program;
  const rest = JSON.stringify([name, maps, kfuncs, localTypes, section ?? '', license ?? ''], plain);
  return `${toHex(toBytes(insns))} ${rest} ${JSON.stringify(env, plain)}`;
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return [...value];
  if (value instanceof Uint8Array) return toHex(value);
  return typeof value === 'bigint' ? value.toString() : value;
}
