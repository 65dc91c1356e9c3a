/** The sample objects of the corpus. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder, with a slash at its end. */
export const objectsFolder = fileURLToPath(new URL('../../../corpus/objects/', import.meta.url));

export const objectFiles: readonly string[] = readdirSync(objectsFolder)
  .filter((name) => name.endsWith('.o'))
  .sort();

/** The bytes of a sample, each time a new copy. */
export function objectBytes(file: string): Uint8Array {
  return new Uint8Array(readFileSync(objectsFolder + file));
}
