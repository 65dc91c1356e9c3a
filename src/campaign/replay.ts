/** Replays case files: each is verified, patched, run and killed anew. */
import { readFileSync } from 'node:fs';
import { InputError } from '../isa/errors.js';
import type { KernelProfile } from '../kernel/profile.js';
import { parseCase } from '../vm/case.js';
import { printExpectation } from '../vm/expectation.js';
import { replayed } from './prepared-program.js';
import { rulesOfCase } from './rules.js';

/** What a case's replay showed, as `.expect` writes it. */
export interface ReplayedCase {
  readonly file: string;
  readonly expected: string;
  /** What came instead, or why it cannot be run. */
  readonly got: string;
  readonly ok: boolean;
}

/** Replays one case, given as text, for the built-in kernel unless told. Throws InputError for a text that is no case, and for rules that cannot be had. */
export async function replayText(text: string, file: string, kernel?: KernelProfile): Promise<ReplayedCase> {
  const one = parseCase(text, file);
  const { rules } = await rulesOfCase(one.rules, file);
  const answer = replayed(one, rules, kernel);
  if (typeof answer !== 'string') return { file, expected: answer.expected, got: answer.got, ok: answer.ok };
  const expected = one.expect === undefined ? 'holds' : printExpectation(one.expect);
  return { file, expected, got: `refused: ${answer}`, ok: false };
}

/**
 * Replays the case of a file that a folder led to: one that cannot be read, or is no case, or ends with an error is a failed case of its
 * own and does not end the replay of the others.
 */
export async function replayFile(file: string, kernel?: KernelProfile): Promise<ReplayedCase> {
  let expected = 'a case';
  try {
    const text = textOf(readFileSync(file), file);
    expected = /^\.expect +(.*\S)/m.exec(text)?.[1] ?? 'holds';
    return await replayText(text, file, kernel);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { file, expected, got: error.message.trim().replace(/\s*\n\s*/g, ' '), ok: false };
  }
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
  kernel?: KernelProfile,
): Promise<readonly ReplayedCase[]> {
  const answers: ReplayedCase[] = [];
  for (const file of files) answers.push(await replayFile(file, kernel));
  return answers;
}
