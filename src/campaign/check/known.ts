/** Findings that were saved before: each is replayed when a campaign begins, under the rules and the code of today. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { KernelProfile } from '../../kernel/profile.js';
import type { Invariants } from '../../patch/invariants.js';
import { shippedRuleSet } from '../../patch/sets/index.js';
import { boundOf, parseCase } from '../../vm/case/case.js';
import { matches } from '../../vm/case/expectation.js';
import { replay } from '../../vm/replay.js';
import { type Cause, causeOf, isSameOrPart } from '../kill/cause.js';
import { invariantOf, pathOf, prepareProgram, runOptions } from '../kill/prepared-program.js';
import { invariantsNamed, type NamedRules, rulesNamed, strategyNamedIn } from '../naming/rules.js';
import { sizeMark } from '../shrink/marks.js';
import { insnCount } from '../shrink/size.js';

/** A saved case of one of the campaign's rule sets that says which check it breaks. */
export interface KnownCase {
  readonly file: string;
  /** The rule set that it is of, by what it calls itself. */
  readonly rules: string;
  /** Why it breaks the check today; undefined where it does not any more. */
  readonly cause?: Cause;
  /** What it was written down for, as `.expect` says. */
  readonly expected: string;
  /** What came instead, where it is gone. */
  readonly got?: string;
  /** What its run says, where it is still there. */
  readonly message?: string;
  readonly insns: number;
  readonly minimal: boolean;
  /** It was shrunk to a part of its cause, and is kept as it was met. */
  readonly original: boolean;
}

/**
 * Replays a case; undefined where it is of no rule set of the campaign or looks at maps, which the campaign does not, expects no broken check, or was taken away since the folder was listed: a
 * finding that was shrunk to a part of its cause gives up its file. One that is no case is gone.
 */
export function replayKnown(
  file: string,
  original: boolean,
  rules: readonly NamedRules[],
  kernel?: KernelProfile,
  invariants?: Invariants,
): KnownCase | undefined {
  const text = textOf(file);
  if (text === undefined) return undefined;
  // What another mechanism breaks is no finding about rules.
  if (strategyNamedIn(text) !== undefined) return undefined;
  const looksAtMaps = invariantsNamed(text) !== undefined;
  if (looksAtMaps && invariants === undefined) return undefined;
  const named = setOf(rulesNamed(text) ?? 'sound', file, rules);
  const expected = /^\.expect +(.*\S)/m.exec(text)?.[1] ?? '';
  if (named === undefined || !/^\w+( |$)/.test(expected) || expected.startsWith('holds')) return undefined;
  const common = { file, rules: named.rules.name, expected, original, minimal: sizeMark(text) === 'minimal' };
  const gone = (got: string, insns = 0): KnownCase => ({ ...common, got, insns });
  try {
    const one = parseCase(text, file, { first: [], last: named.declared ?? [] });
    const insns = insnCount(one.program);
    const wanted = looksAtMaps ? { invariants } : {};
    const prepared = prepareProgram(one.program, one.profile, { kernel: kernel ?? one.kernel, ...wanted });
    if (typeof prepared === 'string') return gone(`refused: ${prepared}`, insns);
    const path = pathOf(prepared, named.rules);
    const answer = replay(one, path, { facts: prepared.verdict.facts, ...invariantOf(prepared) });
    const { expect } = one;
    const violation = expect && answer.result.violations.find((each) => matches(expect, each));
    if (!answer.ok || violation === undefined || one.kill === undefined) return gone(answer.got, insns);
    const broken = { violation, step: one.kill, env: answer.result.env };
    const cause = causeOf(prepared.code, { ...runOptions(prepared, path), ...boundOf(one) }, path, broken);
    return { ...common, cause, insns, message: violation.message };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return gone(error.message.trim().replace(/\s*\n\s*/g, ' '));
  }
}

/** What is in a file; undefined where there is none any more. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The rule set of the campaign that a case means: a shipped one by name, or a file, named from the case's folder or the current one. */
function setOf(name: string, file: string, rules: readonly NamedRules[]): NamedRules | undefined {
  const shipped = shippedRuleSet(name);
  if (shipped !== undefined) return rules.find((one) => one.name === name);
  const paths = [resolve(dirname(file), name), resolve(name)];
  return rules.find((one) => shippedRuleSet(one.name) === undefined && paths.includes(resolve(one.name)));
}

/** Without the originals that something else explains: a case that is still there and blames a part of the same functions. */
export function toTell(known: readonly KnownCase[]): readonly KnownCase[] {
  const causes = known.flatMap(({ cause, original }) => (cause === undefined || original ? [] : [cause]));
  return known.filter(
    ({ original, cause }) =>
      !original || (cause !== undefined && !causes.some((other) => isSameOrPart(other, cause))),
  );
}
