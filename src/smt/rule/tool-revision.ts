/**
 * The contracts as they were at a git revision: rule proofs depend on them as much as on rules. In a checkout of swansong the contracts of
 * the revision are loaded from git. Elsewhere a lock file of a package manager that names swansong must name the same one then and now. Where
 * no lock file does, contracts are no part of the repository: a comparison of its revisions takes those of today, and says so.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../isa/errors.js';
import type { Contract } from '../../kernel/contract.js';
import { type Files, WORKING_TREE } from '../../patch/files.js';
import { Modules } from '../../patch/modules.js';
import type { Revision } from '../../patch/revision.js';
import { canonical, filesImportedBy, parse, type Ts, typescript } from '../../patch/syntax.js';

/** Contracts by name (`as now`: the same swansong was used), what is assumed of them, or the reason why they cannot be told. */
export type ContractsThen =
  | { readonly contracts: ReadonlyMap<string, Contract> | 'as now'; readonly assumed?: string }
  | { readonly because: string };

/**
 * The contracts at `revision`, of the repository that holds the rule file `file`; or the reason why they cannot be told. `sources` is
 * the folder `src` of the swansong that runs, with a slash at its end; `undefined` for an installed package.
 */
export async function contractsAt(
  file: string,
  revision: Revision,
  sources = sourceFolder(),
): Promise<ContractsThen> {
  if (sources === undefined || !revision.holds(sources)) return lockedAt(file, revision);
  const compiler = await typescript();
  const changed = changedFile(compiler, sources, revision);
  if (changed !== undefined)
    return { because: `${relative(dirname(sources), changed)} changed since ${revision.name}` };
  try {
    const catalog = new Modules(compiler, revision).load(join(sources, 'kernel/catalog.ts'));
    const all = (catalog as { contracts: () => readonly Contract[] }).contracts();
    return { contracts: new Map(all.map((contract) => [contract.name, contract])) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = error instanceof InputError ? error.describe() : error.message;
    return { because: `the contracts of ${revision.name} cannot be loaded: ${reason}` };
  }
}

/** The folder `src` of a checkout; `undefined` for an installed package. */
function sourceFolder(): string | undefined {
  return ['../../', '../../../../src/']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((folder) => existsSync(join(folder, 'kernel/catalog.ts')));
}

/** What decides how a rule is proven, apart from rules and contracts. */
const PROVER = ['smt/rule-proof.ts', 'patch/situations.ts', 'patch/define.ts'];
/** These are compared by what they say, contract by contract. */
const CONTRACTS = /^kernel\/(contracts|tables)\/|^kernel\/(catalog|leftout|profile)\.ts$/;

/** The first file that the rule proof imports, straight or through others, whose code is another one at the revision. */
function changedFile(compiler: Ts, sources: string, revision: Revision): string | undefined {
  const files = new Set(
    PROVER.flatMap((path) => filesImportedBy(compiler, join(sources, path), WORKING_TREE)),
  );
  const said = (file: string, text: string): string => canonical(compiler, parse(compiler, file, text));
  return [...files].find((file) => {
    if (CONTRACTS.test(relative(sources, file))) return false;
    const then = revision.read(file);
    return then === undefined || said(file, then) !== said(file, WORKING_TREE.read(file) ?? '');
  });
}

const LOCK_FILES = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock'];

/** Whether the nearest lock file above the rules that names swansong names the same one then and now. */
function lockedAt(file: string, revision: Revision): ContractsThen {
  for (let folder = dirname(resolve(file)); revision.holds(folder); folder = dirname(folder)) {
    for (const lock of LOCK_FILES.map((name) => join(folder, name))) {
      if (!names(lock, WORKING_TREE) && !names(lock, revision)) continue;
      const said = swansongIn(lock, WORKING_TREE);
      if (said !== undefined && said === swansongIn(lock, revision)) return { contracts: 'as now' };
      return {
        because: `${relative(process.cwd(), lock)} does not name the same swansong at ${revision.name}`,
      };
    }
    if (folder === dirname(folder)) break;
  }
  const assumed = `contracts are those of swansong ${installedVersion()}, as no lock file names another`;
  return { contracts: 'as now', assumed };
}

const names = (lock: string, files: Files): boolean => files.read(lock)?.includes('swansong') === true;

/** What a lock file says of swansong: of npm's the entry, of others, which differ in form, the whole file. */
function swansongIn(lock: string, files: Files): string | undefined {
  const text = files.read(lock);
  if (text === undefined) return undefined;
  if (!lock.endsWith('.json')) return text.includes(String(installedVersion())) ? text : undefined;
  const entry = entryOf(text);
  if (entry === undefined || entry.integrity === undefined || entry.version !== installedVersion())
    return undefined;
  return JSON.stringify(entry);
}

interface LockEntry {
  readonly version?: unknown;
  readonly integrity?: unknown;
}

function entryOf(text: string): LockEntry | undefined {
  try {
    const { packages } = JSON.parse(text) as { packages?: Record<string, LockEntry> };
    return packages?.['node_modules/swansong'];
  } catch {
    return undefined;
  }
}

function installedVersion(): unknown {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest))
      return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: unknown }).version;
    if (folder === dirname(folder)) return undefined;
  }
}
