/** Where rule files and what they import are read from: the working tree, or a git revision. */
import { readFileSync, statSync } from 'node:fs';
import { extname, relative } from 'node:path';

/** A tree of source files. */
export interface Files {
  /** The text of the file at this absolute path; `undefined` where there is none. */
  read(path: string): string | undefined;
}

/** The files as they are on disk now. */
export const WORKING_TREE: Files = {
  read(path) {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true
      ? readFileSync(path, 'utf8')
      : undefined;
  },
};

/** A path as people are told it: from the current folder on where it is below that, and whole elsewhere. */
export function shownPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path;
}

/** What a rule file may be called. */
export const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];

/** `rules.ts` and `rules.js` are one module: the path before the last dot. */
export const withoutExtension = (file: string): string => file.slice(0, file.length - extname(file).length);

/** The file that an import of this absolute path means: an import of `x.js` may mean `x.ts`, as in TypeScript. `undefined`: none. */
export function resolveFile(path: string, files: Files): string | undefined {
  const stem = EXTENSIONS.includes(extname(path)) ? withoutExtension(path) : path;
  return [path, ...EXTENSIONS.map((extension) => stem + extension)].find(
    (file) => files.read(file) !== undefined,
  );
}
