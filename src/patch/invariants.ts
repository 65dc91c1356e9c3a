/**
 * Invariants that people write over the maps of their programs, in a TypeScript or JavaScript file of their own:
 *
 *     export const invariants = (maps) => maps.counters.u64(0, 0) === maps.counters.u64(0, 8);
 *
 * They are loaded and asked as rules are: in a sandbox, within a limit of time, without clock and chance. `true` holds, `false` or a text that says
 * what is wrong does not. A function as the file's default, or an `invariants` member of it, will do as well.
 */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { InputError } from '../isa/errors.js';
import { EXTENSIONS, type Files, shownPath, WORKING_TREE } from './files.js';
import type { MapsView } from './map-view.js';
import { Modules } from './modules.js';
import { typescript } from './syntax.js';
import { checkTypes } from './types.js';

/** The invariants of one file. */
export interface Invariants {
  /** As the person named it. */
  readonly file: string;
  /** Equal for files of equal text, those that they import included. */
  readonly digest: string;
  /** What is broken, in words; undefined if all holds. Throws InputError for an answer that is none, and for whatever the file throws. */
  broken(maps: MapsView): string | undefined;
}

/** Loads the invariants of a file, which a case may call by another path. Throws InputError with file, line and column for what is none. */
export async function loadInvariants(file: string, named = file): Promise<Invariants> {
  if (!EXTENSIONS.includes(extname(file)))
    throw new InputError('expected a .ts or .js file that exports invariants', { file });
  const path = resolve(file);
  if (!existsSync(path) || !statSync(path).isFile())
    throw new InputError('no such file of invariants', { file });
  const hash = createHash('sha256');
  const files: Files = {
    read(name) {
      const text = WORKING_TREE.read(name);
      if (text !== undefined) hash.update(text).update('\0');
      return text;
    },
  };
  const modules = new Modules(await typescript(), files);
  const exported = modules.load(path);
  await checkTypes(path, { looseParameters: true });
  const ask = functionOf(exported);
  if (ask === undefined)
    throw new InputError('a file of invariants exports a function: export const invariants = (maps) => ...', {
      file,
    });
  const answers = new Map<string, string | undefined>();
  return {
    file: named,
    digest: hash.digest('hex').slice(0, 16),
    broken(maps) {
      const key = contentsOf(maps);
      if (answers.has(key)) return answers.get(key);
      const answer = inFile(file, () => meaning(modules.ask('invariants()', () => ask(maps))));
      if (answers.size < MOST_ANSWERS) answers.set(key, answer);
      return answer;
    },
  };
}

/** Answers that are kept: most runs of a program end with the same few contents of its maps. */
const MOST_ANSWERS = 10_000;

function contentsOf(maps: MapsView): string {
  return JSON.stringify(
    Object.values(maps).map((map) => map && [map.name, map.keys.map((key) => [key, map.value(key)])]),
  );
}

type Asked = (maps: MapsView) => unknown;

function functionOf(exported: Record<string, unknown>): Asked | undefined {
  const { invariants, default: whole } = exported;
  const inside =
    typeof whole === 'object' && whole !== null ? (whole as { invariants?: unknown }).invariants : whole;
  const found = invariants ?? inside;
  return typeof found === 'function' ? (found as Asked) : undefined;
}

function meaning(answer: unknown): string | undefined {
  if (answer === true) return undefined;
  if (answer === false) return 'an invariant over the maps does not hold';
  if (typeof answer === 'string' && answer !== '') return answer.replace(/\s+/g, ' ').trim();
  throw new InputError(`invariants must answer true, false or what is wrong, not ${String(answer)}`);
}

/** An error has the file as its place at least. */
function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InputError) || error.place.file !== undefined) throw error;
    throw new InputError(error.message, { ...error.place, file: shownPath(resolve(file)) });
  }
}
