/** Shrinks a finding: first the tree of fragments it was made from, where there is one, then its insns; and writes the case down. */
import { guidedTree } from '../../../generators/guided.js';
import type { ProgramConstraints } from '../../../generators/program.js';
import { sampleTree } from '../../../generators/sample.js';
import type { Program } from '../../object/program.js';
import { type Case, parseCase } from '../../vm/case/case.js';
import { expectationOf } from '../../vm/case/expectation.js';
import { printCase } from '../../vm/case/print.js';
import { kernelOfCase } from '../../vm/case/profile.js';
import type { Chooser } from '../../vm/state/chooser.js';
import type { Environment } from '../../vm/state/environment.js';
import { brokenLines, CHECKS } from '../../vm/state/trap.js';
import type { Cause } from '../kill/cause.js';
import { runEnvironment } from '../kill/environments.js';
import { prepareProgram, replayed } from '../kill/prepared-program.js';
import { shrinkInsns } from './insns.js';
import { firstSize, isMark, markOf } from './marks.js';
import { type Reproduction, type ShrinkTarget, showing } from './reproduce.js';
import { insnCount } from './size.js';

/** Where a generated program came from. */
export interface Origin {
  readonly seed: number;
  readonly index: number;
  /** The world it was found in. */
  readonly world: number;
  /** What its program was drawn from. */
  readonly constraints?: ProgramConstraints;
  /** It was chosen by what those before it reached; see `guided`. */
  readonly guided?: boolean;
}

/** The smallest case that was found, as text, and what it shows. */
export interface SmallCase {
  readonly text: string;
  /** As written, see `written`. */
  readonly insns: number;
  /** The cause that it shows: the same, or a part of it, where some of the functions to blame turned out not to be needed. */
  readonly cause: Cause;
}

/** A smaller program may take twice as many walked insns as the original, plus this many. */
const SPARE_WALK = 2000;

/** Trees tried in place of a generated one at the most. */
const TREES = 120;

/** Shrinks `one`, which shows `target`, and answers the smallest case with the same cause; or `one` itself where nothing can be done. */
export function shrinkCase(one: Case, wanted: ShrinkTarget, origin?: Origin): SmallCase {
  const whole = prepareProgram(one.program, one.profile, { kernel: wanted.kernel });
  const walked = typeof whole === 'string' ? 0 : whole.verdict.walked;
  const target: ShrinkTarget = { budget: 2 * walked + SPARE_WALK, ...wanted };
  const start = (origin && shrinkTree(origin, target)) ?? { program: one.program, env: one.env };
  const shrunk = shrinkInsns(start.program, start.env, target) ?? shrinkInsns(one.program, one.env, target);
  const asIs: SmallCase = { text: printCase(one), insns: insnCount(one.program), cause: target.cause };
  if (shrunk === undefined) return asIs;
  const { violation, all, recorded, step, cause, bound, comments = [] } = shrunk.reproduction;
  const kernel = kernelOfCase(shrunk.scenario.program, wanted.kernel);
  const from = firstSize(one.comments) ?? insnCount(one.program);
  const small: Case = {
    program: shrunk.scenario.program,
    profile: one.profile,
    ...(kernel === undefined ? {} : { kernel }),
    rules: target.rules.name,
    ...(one.invariants === undefined ? {} : { invariants: one.invariants }),
    kill: step,
    ...(bound === undefined ? {} : { bound }),
    env: recorded,
    expect: expectationOf(violation),
    comments: [
      ...brokenLines(all, violation),
      ...comments,
      ...one.comments.filter((line) => !isAboutItsRun(line) && !isMark(line)),
      ...(origin ? [`seed ${origin.seed}, program ${origin.index}, world ${origin.world}`] : []),
      markOf(from, insnCount(shrunk.scenario.program), shrunk.done),
    ],
  };
  const text = printCase(small);
  const check = replayed(parseCase(text), target.rules.rules, target.kernel, target.invariants);
  // A case must be the same after it was written and read again.
  if (typeof check === 'string' || !check.ok) return asIs;
  return { text, insns: insnCount(shrunk.scenario.program), cause };
}

/** Whether a line of a case tells what its run did: that of a smaller program is another. */
const isAboutItsRun = (line: string): boolean =>
  CHECKS.some((check) => line.startsWith(`${check}: `)) || /^(and \d+ more$|insns from the kill)/.test(line);

interface StartingPoint {
  readonly program: Program;
  readonly env: Environment;
}

/** The smallest tree that still shows it. */
function shrinkTree(
  { seed, index, world, constraints, guided }: Origin,
  target: ShrinkTarget,
): StartingPoint | undefined {
  let tree = (guided === true ? guidedTree : sampleTree)(seed, index, constraints);
  const show = (program: Program): Reproduction | undefined => {
    const { env, chooser }: { env: Environment; chooser: Chooser } = runEnvironment(
      program,
      seed,
      index,
      world,
    );
    return showing(program, env, target, chooser);
  };
  let answer = show(tree.value.program);
  if (answer === undefined) return undefined;
  let tried = 0;
  for (let again = true; again; ) {
    again = false;
    for (const child of tree.shrinks()) {
      if (++tried > TREES) break;
      if (child.value.program.insns.length > tree.value.program.insns.length) continue;
      const found = show(child.value.program);
      if (found === undefined) continue;
      [tree, answer, again] = [child, found, true];
      break;
    }
  }
  return { program: tree.value.program, env: answer.recorded };
}
