/** Replays case files: each is verified, patched, run and killed anew. */
import { readFileSync } from 'node:fs';
import { InputError } from '../../isa/errors.js';
import { type KernelProfile, profileName } from '../../kernel/profile.js';
import type { DeclaredFunction } from '../../object/program.js';
import { shippedStrategy } from '../../strategies/index.js';
import type { Profile } from '../../verifier/state/profile.js';
import { parseCase } from '../../vm/case/case.js';
import { printExpectation } from '../../vm/case/expectation.js';
import { replayed } from '../kill/prepared-program.js';
import { invariantsOfText, rulesOfCase, rulesOfText } from '../naming/rules.js';

/** What a case's replay showed, as `.expect` writes it. */
export interface ReplayedCase {
  readonly file: string;
  readonly expected: string;
  /** What came instead, or why it cannot be run. */
  readonly got: string;
  readonly ok: boolean;
  /** All that the run breaks, the gravest first, as `.expect` writes it; none for a case that cannot be run. */
  readonly breaks: readonly string[];
  /** Line of `.expect`, or where the case cannot be read. Both count from 1. */
  readonly line?: number;
  readonly column?: number;
  /** The kernel that the case says, by name, where it was replayed for that. */
  readonly madeFor?: string;
}

/** The loader and kernel to replay for, if they are not those that each case names. */
export interface ReplayedFor {
  readonly loader?: Profile | undefined;
  readonly kernel?: KernelProfile | undefined;
  /** Functions that are declared outside of the cases, before their own. */
  readonly functions?: readonly DeclaredFunction[] | undefined;
  /** How the cases are killed, in place of what each says: the name of a strategy or a rule file. */
  readonly strategy?: string;
}

/** Replays one case, given as text, for whom it says unless told. Throws InputError for a text that is no case, and for rules that cannot be had. */
export async function replayText(
  text: string,
  file: string,
  { loader, kernel, functions = [], strategy }: ReplayedFor = {},
): Promise<ReplayedCase> {
  // A strategy that does not come with swansong is a rule file.
  const named = await (strategy === undefined || shippedStrategy(strategy) !== undefined
    ? rulesOfText(text, file)
    : rulesOfCase(strategy));
  const read = parseCase(text, file, { first: functions, last: named.declared ?? [] });
  const told = strategy === undefined ? read : { ...read, strategy };
  const one = loader === undefined ? told : { ...told, profile: loader };
  const own = kernel === undefined && one.kernel !== undefined ? { madeFor: profileName(one.kernel) } : {};
  const { rules } = named;
  const answer = replayed(one, rules, kernel, await invariantsOfText(text, file));
  if (typeof answer !== 'string')
    return {
      file,
      expected: answer.expected,
      got: answer.got,
      ok: answer.ok,
      breaks: answer.breaks,
      ...expectedAt(text),
      ...own,
    };
  const expected = one.expect === undefined ? 'holds' : printExpectation(one.expect);
  return { file, expected, got: `refused: ${answer}`, ok: false, breaks: [], ...expectedAt(text), ...own };
}

/** The line that says what a case is to show. */
function expectedAt(text: string): { readonly line?: number } {
  const at = text.split('\n').findIndex((line) => /^\s*\.expect\b/.test(line));
  return at < 0 ? {} : { line: at + 1 };
}

/**
 * Replays a file that was found in a folder. If it cannot be read, is no case or ends with an error, it counts as a failed case, and the
 * other files are still replayed.
 */
export async function replayFile(file: string, target: ReplayedFor = {}): Promise<ReplayedCase> {
  let expected = 'a case';
  try {
    const text = textOf(readFileSync(file), file);
    expected = /^\.expect +(.*\S)/m.exec(text)?.[1] ?? 'holds';
    return await replayText(text, file, target);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const got = saidOf(error, file)
      .trim()
      .replace(/\s*\n\s*/g, ' ');
    return { file, expected, got, ok: false, breaks: [], ...faultIn(error, file) };
  }
}

/** What is wrong; the place is told where it is not in the case itself. */
function saidOf(error: Error, file: string): string {
  const elsewhere =
    error instanceof InputError && error.place.file !== undefined && error.place.file !== file;
  return elsewhere ? error.describe() : error.message;
}

/** Where the case itself is at fault. */
function faultIn(error: Error, file: string): Pick<ReplayedCase, 'line' | 'column'> {
  if (!(error instanceof InputError) || error.place.file !== file) return {};
  const { line, column } = error.place;
  return { ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError('this is not text in UTF-8', { file });
  }
}

/** Replays the cases of these files, in order. */
export async function replayFiles(
  files: readonly string[],
  target: ReplayedFor = {},
): Promise<readonly ReplayedCase[]> {
  const answers: ReplayedCase[] = [];
  for (const file of files) answers.push(await replayFile(file, target));
  return answers;
}
