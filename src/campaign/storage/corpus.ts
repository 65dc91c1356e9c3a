/**
 * The corpus: case files, one for each cause, under names made from the cause. What a person wrote, and a case that cannot become smaller, is never
 * overwritten as long as it shows its cause; a larger case that a campaign wrote is replaced by a smaller one.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseCase } from '../../vm/case/case.js';
import { type Cause, causeKey } from '../kill/cause.js';
import { withRulesFrom } from '../naming/rules.js';
import { sizeMark } from '../shrink/marks.js';
import { insnCount } from '../shrink/size.js';
import { makeFolder, writeWhole, writing } from './writable.js';

/** `rfc-v1-misuse-bpf_spin_lock-1f0c3a`: readable, and different for different causes. */
export function caseName(cause: Cause): string {
  const digest = createHash('sha256').update(causeKey(cause)).digest('hex').slice(0, 6);
  const readable = `${cause.rules}-${cause.check}-${cause.function}`.replace(/[^\w.+-]+/g, '_');
  return `${readable.slice(0, 100)}-${digest}`;
}

/** A case in the corpus: its file and what is in it. */
export interface StoredCase {
  /** Path of the case: the one that was written, or the one that was there for this cause before. */
  readonly file: string;
  readonly text: string;
}

/** Whether a case of the corpus still shows what it should. */
export type Holds = (text: string, file: string) => Promise<boolean>;

/**
 * Puts a case into `folder`. Where there is one for its cause already, that one stays as long as `holds` says that it still shows it; but one of
 * the texts `mine`, and one that a campaign left larger than this, is replaced. Where that one holds no more, the new one gets a name with a
 * number. The path of a rule file is told from `folder` on. Makes the folder if need be; throws InputError where nothing can be written.
 */
export async function storeCase(
  folder: string,
  cause: Cause,
  text: string,
  holds: Holds,
  mine: readonly string[] = [],
): Promise<StoredCase> {
  writing(folder, () => makeFolder(folder));
  const name = caseName(cause);
  const own = withRulesFrom(text, folder);
  const others = new Set(mine.map((one) => withRulesFrom(one, folder)));
  for (let n = 1; ; n++) {
    const file = join(folder, `${name}${n === 1 ? '' : `-${n}`}.bpf`);
    if (writeFresh(file, own)) return { file, text: own };
    const there = readFileSync(file, 'utf8');
    if (there === own) return { file, text: own };
    if (others.has(there) || mayBeReplaced(there, own)) {
      writeWhole(file, own);
      return { file, text: own };
    }
    if (await holds(there, file)) return { file, text: there };
  }
}

/** Writes a file that is not there yet; answers whether it was not. */
function writeFresh(file: string, text: string): boolean {
  if (existsSync(file)) return false;
  return writing(file, () => {
    try {
      writeFileSync(file, text, { flag: 'wx', flush: true });
      return true;
    } catch (error) {
      // Another campaign may have written it in the meantime.
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      // Half a case is no case.
      rmSync(file, { force: true });
      throw error;
    }
  });
}

/** Whether the case that is there was left larger than it must be by a campaign, and this one is smaller. */
function mayBeReplaced(there: string, text: string): boolean {
  return sizeMark(there) === 'still shrinking' && sizeOf(text) < sizeOf(there);
}

/** Insns of a case; more than any case has, for a text that is none. */
function sizeOf(text: string): number {
  try {
    return insnCount(parseCase(text).program);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The case files of a folder, in order of their names; none where there is no such folder. Folders below are not looked into. */
export function casesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.bpf'))
    .map(({ name }) => join(folder, name))
    .sort();
}

/** Takes the file of a case away, if there is nothing else in it than one of these texts. */
export function dropCase(folder: string, cause: Cause, texts: readonly string[]): void {
  const file = join(folder, `${caseName(cause)}.bpf`);
  if (!existsSync(file)) return;
  const there = readFileSync(file, 'utf8');
  if (texts.some((text) => withRulesFrom(text, folder) === there)) writing(file, () => rmSync(file));
}

/**
 * Writes the witness of a program proof that failed to `folder`, named after the object, the program and the rule set; one of an earlier
 * proof is replaced. Answers its path. Makes the folder if need be; throws InputError where nothing can be written.
 */
export function storeWitness(
  folder: string,
  object: string,
  program: string,
  rules: string,
  text: string,
): string {
  const file = join(folder, `${basename(object).replace(/\.\w+$/, '')}-${program}-${rules}.bpf`);
  writeWhole(file, withRulesFrom(text, folder));
  return file;
}

/** The folder below `folder` for cases that were shrunk to a part of their cause: they are kept as they were met. */
export const originalsOf = (folder: string): string => join(folder, 'originals');
