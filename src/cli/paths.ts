/** Files below the paths that a person names. */
import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { InputError } from '../isa/errors.js';

/** The word for standard input wherever a file is taken. */
export const STANDARD_INPUT = '-';

/** A file, and whether a person named it or only a folder above it. */
export interface FoundFile {
  readonly path: string;
  readonly named: boolean;
}

/** As `filesBelow`, telling apart what was named and what was found. */
export function foundFiles(paths: readonly string[], extensions: readonly string[]): readonly FoundFile[] {
  return paths.flatMap((path) => {
    const named = !isFolder(path);
    return filesBelow([path], extensions).map((one) => ({ path: one, named }));
  });
}

/**
 * The files named, and for a folder those below it that have one of these extensions, in order of name. Throws InputError for a folder
 * that has none and the file system's error for a path that is not there.
 */
export function filesBelow(paths: readonly string[], extensions: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    if (!isFolder(path)) return [path];
    const found = walk(path).filter((file) => extensions.includes(extname(file)));
    if (found.length === 0)
      throw new InputError(`there is no ${extensions.join(' or ')} file below`, { file: path });
    return found;
  });
}

const isFolder = (path: string): boolean => path !== STANDARD_INPUT && statSync(path).isDirectory();

function walk(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [path] : [];
  });
}
