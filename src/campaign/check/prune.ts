/** Finds cases that show the same cause, of which one is enough: a corpus that many write to stays small. */
import { InputError } from '../../isa/errors.js';
import { profileName } from '../../kernel/profile.js';
import { parseCase } from '../../vm/case/case.js';
import { matches } from '../../vm/case/expectation.js';
import { kernelOfCase } from '../../vm/case/profile.js';
import { causeKey } from '../kill/cause.js';
import { causeOfBroken, pathOf, prepareProgram, replayed } from '../kill/prepared-program.js';
import { invariantsOfText, rulesOfText } from '../naming/rules.js';
import { insnCount } from '../shrink/size.js';

/** What a case shows. */
export interface ShownByCase {
  readonly file: string;
  readonly insns: number;
  /** Equal for cases of which one is enough. */
  readonly cause: string;
}

/** Of a case that does not replay nobody knows what it shows. */
export interface UnclearCase {
  readonly file: string;
  readonly reason: string;
}

/** What one case shows: the cause of the check that it breaks, and for whom. A case that shows that all holds is like no other. */
export async function shownBy(text: string, file: string): Promise<ShownByCase | UnclearCase> {
  try {
    const { rules, declared = [] } = await rulesOfText(text, file);
    const read = parseCase(text, file, { first: [], last: declared });
    const { kernel: made, ...rest } = read;
    const own = kernelOfCase(read.program, made);
    const one = { ...rest, ...(own === undefined ? {} : { kernel: own }) };
    const invariants = await invariantsOfText(text, file);
    const answer = replayed(one, rules, made, invariants);
    if (typeof answer === 'string') return { file, reason: `our verifier refuses it: ${answer}` };
    if (!answer.ok) return { file, reason: `expected ${answer.expected}, got ${answer.got}` };
    const insns = insnCount(one.program);
    const { expect, kill, profile } = one;
    const violation = expect && answer.result.violations.find((each) => matches(expect, each));
    if (violation === undefined || kill === undefined)
      return { file, insns, cause: `${answer.expected}: ${file}` };
    const prepared = prepareProgram(one.program, profile, { kernel: made, invariants });
    if (typeof prepared === 'string') return { file, reason: `our verifier refuses it: ${prepared}` };
    if (one.strategy !== undefined) return { file, insns, cause: `${one.strategy}, ${answer.expected}` };
    const broken = { violation, step: kill, env: answer.result.env };
    const cause = causeKey(causeOfBroken(prepared, pathOf(prepared, rules), broken));
    const kernel = made === undefined ? '' : `, on ${profileName(made)}`;
    return { file, insns, cause: `${cause}, for ${profile}${kernel}` };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const said = error instanceof InputError ? error.describe() : error.message;
    return { file, reason: said.trim().replace(/\s*\n\s*/g, ' ') };
  }
}

/** Which cases stay, and which leave for which. */
export interface Pruned {
  readonly kept: readonly ShownByCase[];
  readonly dropped: readonly (ShownByCase & { readonly sameAs: string })[];
}

/** Of the cases of each cause the shortest stays; of equally short ones the first by name. */
export function prune(cases: readonly ShownByCase[]): Pruned {
  const order = [...cases].sort((a, b) => a.insns - b.insns || (a.file < b.file ? -1 : 1));
  const stays = new Map<string, ShownByCase>();
  for (const one of order) if (!stays.has(one.cause)) stays.set(one.cause, one);
  const isKept = (one: ShownByCase): boolean => stays.get(one.cause) === one;
  return {
    kept: cases.filter(isKept),
    dropped: cases
      .filter((one) => !isKept(one))
      .map((one) => ({ ...one, sameAs: stays.get(one.cause)!.file })),
  };
}
