/** The corpus: case files, one for each cause, under names made from the cause. A file that is there is never overwritten. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Cause, causeKey } from '../cause.js';

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

/**
 * Puts a case into `folder`. Where there is one for its cause already, that one stays as long as `holds` says that it still shows it;
 * otherwise the new one gets a name with a number. Makes the folder if need be; throws the file system's errors.
 */
export async function storeCase(
  folder: string,
  cause: Cause,
  text: string,
  holds: (text: string, file: string) => Promise<boolean>,
): Promise<StoredCase> {
  mkdirSync(folder, { recursive: true });
  const name = caseName(cause);
  for (let n = 1; ; n++) {
    const file = join(folder, `${name}${n === 1 ? '' : `-${n}`}.bpf`);
    if (!existsSync(file)) {
      writeFileSync(file, text, { flag: 'wx' });
      return { file, text };
    }
    const there = readFileSync(file, 'utf8');
    if (there === text || (await holds(there, file))) return { file, text: there };
  }
}

/**
 * Writes the witness of a program proof that failed to `folder`, named after the object, the program and the rule set; one of an earlier
 * proof is replaced. Answers its path. Makes the folder if need be; throws the file system's errors.
 */
export function storeWitness(
  folder: string,
  object: string,
  program: string,
  rules: string,
  text: string,
): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${basename(object).replace(/\.\w+$/, '')}-${program}-${rules}.bpf`);
  writeFileSync(file, text);
  return file;
}
