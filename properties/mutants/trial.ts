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

/**
 * Tries one mutant, each stage of properties in a process of its own, until one notices. After `patience` seconds without an end a stage
 * is taken to hang, and is stopped.
 */
export async function tryMutant(
  mutant: Mutant,
  stages: readonly (readonly string[])[],
  patience: number,
): Promise<Trial> {
  const started = performance.now();
  let fate: Fate = { kind: 'survived' };
  for (const properties of stages) {
    fate = await tryStage(mutant, properties, patience);
    if (fate.kind !== 'survived') break;
  }
  return { mutant, fate, seconds: (performance.now() - started) / 1000 };
}

async function tryStage(mutant: Mutant, properties: readonly string[], patience: number): Promise<Fate> {
  const folder = mkdtempSync(join(tmpdir(), 'swansong-mutant-'));
  try {
    const output = join(folder, 'results.json');
    const ended = await runVitest(mutant, properties, output, patience);
    return ended ? fateOf(output) : { kind: 'noticed', by: `no end within ${patience} s`, test: '' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** False if the tests had to be stopped. */
function runVitest(
  mutant: Mutant,
  properties: readonly string[],
  output: string,
  patience: number,
): Promise<boolean> {
  const files = properties.map((name) => `properties/${name}.test.ts`);
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
