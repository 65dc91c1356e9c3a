/**
 * A rule file as text, with all that it imports: what is sent to another machine, which loads it without the files. Its digest tells
 * whether two machines have the same rules.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, extname, relative, resolve, sep } from 'node:path';
import { InputError } from '../isa/errors.js';
import { EXTENSIONS, type Files, WORKING_TREE } from './files.js';
import { asRuleSet, type LoadedRules, loadRules } from './load.js';
import { isOwnLanguage, Modules } from './modules.js';
import { shippedRuleSet } from './sets/index.js';
import { typescript } from './syntax.js';

/** A rule file and what it imports. Plain data, so that it can be sent. */
export interface RuleBundle {
  /** The rule file as a person named it; cases name it so as well. */
  readonly name: string;
  /** Path of the rule file in `files`. */
  readonly entry: string;
  /** Texts by path, which is taken from the folder that holds all of them; `/` between folders. */
  readonly files: Readonly<Record<string, string>>;
  /** Paths by which these files import the rule language itself, where they do so by path. */
  readonly language: readonly string[];
}

/**
 * The bundle of a rule file, and `undefined` for a rule set that is shipped. The files are those that are read when it is loaded. Throws
 * InputError as `loadRules`.
 */
export async function bundleRules(nameOrFile: string, typed = false): Promise<RuleBundle | undefined> {
  if (shippedRuleSet(nameOrFile) !== undefined) return undefined;
  const read = new Map<string, string>();
  const language = new Set<string>();
  const recording: Files = {
    read(path) {
      const text = WORKING_TREE.read(path);
      if (text === undefined) return undefined;
      if (isOwnLanguage(path)) language.add(path);
      else read.set(path, text);
      return text;
    },
  };
  await loadRules(nameOrFile, typed, recording);
  const entry = resolve(nameOrFile);
  const root = commonFolder([...read.keys(), ...language]);
  const inside = (path: string): string => relative(root, path).split(sep).join('/');
  const files = [...read].map(([path, text]) => [inside(path), text] as const);
  return {
    name: nameOrFile,
    entry: inside(entry),
    files: Object.fromEntries(files.sort(([a], [b]) => (a < b ? -1 : 1))),
    language: [...language].map(inside).sort(),
  };
}

/** SHA-256 in hex over the texts and their paths. What a person called the file does not count. */
export function bundleDigest({ entry, files, language }: RuleBundle): string {
  const texts = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([entry, texts, [...language].sort()]))
    .digest('hex');
}

/**
 * Loads the rules of a bundle. No file is read. Their types were checked where the bundle was made. Throws InputError for what is no bundle, and
 * as `loadRules`.
 */
export async function loadBundle(bundle: RuleBundle): Promise<LoadedRules> {
  const { name, entry, files, language } = bundle;
  if (!EXTENSIONS.includes(extname(entry)) || files[entry] === undefined)
    throw new InputError('the text of this rule file did not come with it', { file: name });
  // Below the current folder, so that errors tell short paths. What lies there on disk is not looked at.
  const place = (path: string): string => resolve(path);
  const texts = new Map(Object.entries(files).map(([path, text]) => [place(path), text]));
  const words = new Set(language.map(place));
  const tree: Files = { read: (path) => texts.get(path) ?? (words.has(path) ? '' : undefined) };
  const file = place(entry);
  const modules = new Modules(await typescript(), tree, (path) => words.has(path));
  const rules = asRuleSet(modules.load(file).default, name);
  return { rules, file, declared: modules.declared };
}

/** The deepest folder that all these files are in. */
function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0] ?? resolve('.'));
  while (!paths.every((path) => path.startsWith(folder === sep ? sep : folder + sep))) {
    const above = dirname(folder);
    if (above === folder || !existsSync(above)) return above;
    folder = above;
  }
  return folder;
}
