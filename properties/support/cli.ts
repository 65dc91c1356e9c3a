/** Runs the built program as a person would, and takes what it prints. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll } from 'vitest';
import { runCli } from '../../src/cli/cli.js';
import { troubleWith } from './report/documents.js';

const ROOT = resolve(import.meta.dirname, '../..');
/** The program's entry. `npm test` builds it before the properties run. */
export const MAIN = join(ROOT, 'dist/src/cli/main.js');
export const CORPUS = join(ROOT, 'corpus');

export interface Ran {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** Folder to run in. */
  readonly cwd?: string;
  readonly stdin?: string;
}

/** Runs `swansong` with these arguments. */
export function swansong(args: readonly string[], { cwd = ROOT, stdin = '' }: RunOptions = {}): Ran {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run npm run build first`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd,
    input: stdin,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 110_000,
  });
  return asDescribed(args, { exit: status, out: stdout, err: stderr });
}

/** Every document that is printed is what its schema in docs/schema says, and has nothing besides. */
function asDescribed(args: readonly string[], ran: Ran): Ran {
  if (!args.includes('--json') || ran.out === '') return ran;
  const trouble = troubleWith(ran.out);
  if (trouble !== undefined) throw new Error(`swansong ${args.join(' ')}: ${trouble}`);
  return ran;
}

/** The same in this process, which spares the start of another one. Standard input is not to be read. */
export async function here(args: readonly string[]): Promise<Ran> {
  let out = '';
  let err = '';
  const exit = await runCli(args, {
    out: async (text) => {
      out += typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
    },
    err: (line) => {
      err += line;
    },
  });
  return asDescribed(args, { exit, out, err });
}

/** A folder of its own, gone when the file's tests are over. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'swansong-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
