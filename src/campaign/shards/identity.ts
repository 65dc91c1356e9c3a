/**
 * Which campaign it is: what its answers depend on besides its setting, which is the code that runs and what its rules decide. Two campaigns
 * with the same identity and setting have the same findings, on any machine.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contracts } from '../../kernel/catalog.js';
import type { DeclaredFunction } from '../../object/program.js';
import { bundleRules } from '../../patch/bundle.js';
import { WatchedSite } from '../../patch/guard.js';
import { decide } from '../../patch/select.js';
import { situationsOf } from '../../patch/situations.js';
import { canonical, parse, typescript } from '../../patch/syntax.js';
import { functionView, siteView } from '../../patch/view.js';
import type { NamedRules } from '../naming/rules.js';
import { version } from './version.js';

/** A rule set, and what it decides. */
export interface RulesIdentity {
  /** Name or path, as it was given. */
  readonly name: string;
  /** What the set calls itself. */
  readonly set: string;
  /** Equal for rule sets that decide the same. */
  readonly digest: string;
}

/** A build of swansong and its rule sets, in order. */
export interface Identity {
  readonly version: string;
  /** Digest of the code that answers depend on. */
  readonly code: string;
  readonly rules: readonly RulesIdentity[];
}

/** The identity of a campaign of this build under these rule sets. `declared`: functions that no kernel has, which the rules decide as well. */
export async function identityOf(
  rules: readonly NamedRules[],
  declared: readonly DeclaredFunction[] = [],
): Promise<Identity> {
  const digests: RulesIdentity[] = [];
  for (const one of rules)
    digests.push({ name: one.name, set: one.rules.name, digest: await rulesDigest(one, declared) });
  return { version: version(), code: codeDigest(), rules: digests };
}

const LENGTH = 16;
const sha256 = (parts: Iterable<string | Uint8Array>): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, LENGTH);
};

/** Folders and files of `src` that no answer of a campaign depends on: they only keep, print or compare. */
const WITHOUT_ANSWERS = ['cli', 'report', 'page', 'campaign/storage', 'campaign/agreement'];
/** Packages that answers depend on. */
const PACKAGES = ['fast-check', 'z3-solver'];

let ofThisBuild: string | undefined;

/** Digest of the files of this build that answers depend on, and of the versions of the packages that they do. */
export function codeDigest(): string {
  ofThisBuild ??= digestOf(codeFiles(fileURLToPath(new URL('../../..', import.meta.url))));
  return ofThisBuild;
}

function digestOf(files: readonly (readonly [name: string, path: string])[]): string {
  const require = createRequire(import.meta.url);
  const versions = PACKAGES.map((name) => `${name} ${packageVersion(require.resolve(name), name)}`);
  return sha256([...versions, ...files.flatMap(([name, path]) => [name, readFileSync(path)])]);
}

/** The files below `src` and `generators` of this tree that hold code, by name without extension. */
function codeFiles(root: string): readonly (readonly [name: string, path: string])[] {
  const left = new Set(WITHOUT_ANSWERS.map((folder) => `src/${folder}`));
  const found: (readonly [string, string])[] = [];
  const walk = (folder: string): void => {
    if (left.has(folder)) return;
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(name);
      else if (/\.[jt]s$/.test(name) && !name.endsWith('.d.ts'))
        found.push([name.slice(0, -3), join(root, name)]);
    }
  };
  walk('src');
  walk('generators');
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The version in the manifest of the package that a file belongs to. */
function packageVersion(file: string, name: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (manifest.name === name) return manifest.version ?? '';
    } catch {
      // The manifest is further up.
    }
  }
  return '';
}

/**
 * Digest of what a rule set decides: the rule and its action for every function, in every situation that a call site can be in. Where a rule
 * looks at the number of the call's slot too, which no list of situations tells, the code of its file and of those that it imports counts as
 * well, without comments and layout.
 */
export async function rulesDigest(
  { name, rules }: NamedRules,
  declared: readonly DeclaredFunction[] = [],
): Promise<string> {
  let looksAtSlot = false;
  const decisions = contracts(declared).map((contract) => {
    const said = situationsOf(contract).map(({ enabled }) => {
      const watched = new WatchedSite(siteView(contract, -1, enabled), () => {
        looksAtSlot = true;
      });
      const { rule, action } = decide(rules, functionView(contract), watched);
      return [rule?.name ?? '', action];
    });
    return JSON.stringify([contract.name, said], plain);
  });
  // Its name is part of every finding.
  const parts = [rules.name, ...decisions];
  return sha256(looksAtSlot ? [...parts, ...(await codeOfRules(name))] : parts);
}

const plain = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `${value}n` : value instanceof Map ? [...value] : value;

/** The code of a rule file and of those that it imports; of a shipped set nothing: its code is part of the build. */
async function codeOfRules(name: string): Promise<readonly string[]> {
  const bundle = await bundleRules(name, true);
  if (bundle === undefined) return [];
  const compiler = await typescript();
  return Object.entries(bundle.files).flatMap(([file, text]) => [
    file,
    canonical(compiler, parse(compiler, file, text)),
  ]);
}
