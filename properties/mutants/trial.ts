/** Runs the properties that ought to notice a mutant, until one fails. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Mutant } from './mutant.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** How a mutant fared. `noticed`: a test failed, or did not end. `unusable`: the changed file does not load, which shows nothing. */
export type Fate =
  | { readonly kind: 'noticed'; readonly by: string; readonly test: string }
  | { readonly kind: 'survived' }
  | { readonly kind: 'unusable'; readonly message: string };

export interface Trial {
  readonly mutant: Mutant;
  readonly fate: Fate;
  readonly seconds: number;
}

export interface TrialOptions {
  /** Seconds after which tests that have not ended are taken to hang. */
  readonly patience: number;
  /** Properties to run in place of the mutant's own. */
  readonly properties?: readonly string[];
}

/** Tries one mutant in a process of its own. */
export async function tryMutant(mutant: Mutant, options: TrialOptions): Promise<Trial> {
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'swansong-mutant-'));
  try {
    const output = join(folder, 'results.json');
    const ended = await runVitest(mutant, output, options);
    const fate: Fate = ended
      ? fateOf(output)
      : { kind: 'noticed', by: `no end within ${options.patience} s`, test: '' };
    return { mutant, fate, seconds: (performance.now() - started) / 1000 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** False if the tests had to be stopped. */
function runVitest(mutant: Mutant, output: string, { patience, properties }: TrialOptions): Promise<boolean> {
  const files = (properties ?? mutant.noticedBy).map((name) => `properties/${name}.test.ts`);
  const args = [
    'run',
    ...files,
    '--bail=1',
    '--no-file-parallelism',
    '--reporter=json',
    `--outputFile=${output}`,
  ];
  const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: ROOT,
    env: { ...process.env, SWANSONG_MUTANT: mutant.name },
    stdio: 'ignore',
    // A group of its own, so that the processes that vitest starts can be ended with it.
    detached: true,
  });
  return new Promise((done, failed) => {
    let stopped = false;
    const timer = setTimeout(() => {
      stopped = true;
      process.kill(-child.pid!, 'SIGKILL');
    }, patience * 1000);
    child.on('error', failed);
    child.on('exit', () => {
      clearTimeout(timer);
      done(!stopped);
    });
  });
}

interface Results {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

function fateOf(output: string): Fate {
  let results: Results;
  try {
    results = JSON.parse(readFileSync(output, 'utf8'));
  } catch {
    return { kind: 'unusable', message: 'vitest wrote no results' };
  }
  for (const { name, assertionResults } of results.testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed === undefined) continue;
    return { kind: 'noticed', by: propertyOf(name), test: failed.fullName.trim() };
  }
  const broken = results.testResults.find(({ status }) => status === 'failed');
  if (broken !== undefined)
    return { kind: 'unusable', message: `${propertyOf(broken.name)}: ${broken.message.split('\n')[0]}` };
  if (results.numTotalTests === 0) return { kind: 'unusable', message: 'no test was run' };
  return { kind: 'survived' };
}

const propertyOf = (path: string): string => path.replace(/^.*\/properties\//, '').replace(/\.test\.ts$/, '');
