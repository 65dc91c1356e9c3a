/** Reads and writes the JSON files in which long work keeps its state, so that it can be interrupted and continued. */
import { readFileSync } from 'node:fs';
import { InputError } from '../../isa/errors.js';
import { writeWhole } from './writable.js';

/**
 * Reads what a file keeps; undefined where there is no such file. `what`: what it is the state of, for people. Throws InputError for a
 * file that is no JSON or not what `isWhole` expects.
 */
export function readJsonFile<T>(
  file: string,
  what: string,
  isWhole: (value: unknown) => value is T,
): T | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError('this is not JSON', { file });
  }
  if (!isWhole(value)) throw new InputError(`this is not the state of ${what}`, { file });
  return value;
}

/** Writes the file, whole or not at all; its folder is made where it is missing. Throws InputError where it cannot be written. */
export function writeJsonFile(file: string, value: unknown): void {
  writeWhole(file, `${JSON.stringify(value, null, 1)}\n`);
}
