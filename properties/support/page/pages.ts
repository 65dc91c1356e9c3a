/** Pages to look at, each made once, and the documents that they carry. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { documentIn } from '../../../src/report/page/html.js';
import type { PageData } from '../../../src/report/page/shape.js';
import { here } from '../cli.js';
import { sharedFolder } from './shared.js';

/** A page and what it shows. */
export interface Made {
  readonly file: string;
  readonly data: PageData;
}

/** The case that README explains line by line. */
export const SPIN_LOCK = 'corpus/rfc-v1-misuse-bpf_spin_lock-db4fca.bpf';

const read = (file: string): Made => ({
  file,
  data: JSON.parse(documentIn(readFileSync(file, 'utf8'))) as PageData,
});

/** The page of these files. */
export async function pageOf(folder: string, name: string, ...paths: readonly string[]): Promise<Made> {
  const file = join(folder, `${name}.html`);
  const { exit, err } = await here(['report', ...paths, '-o', file, '--quiet']);
  if (exit !== 0) throw new Error(err);
  return read(file);
}

/** The page of a small campaign with findings. It is made once for all files that are run together: `shared.ts` clears it away. */
export async function night(): Promise<Made> {
  const folder = sharedFolder(process.ppid);
  const file = join(folder, 'night', 'index.html');
  const done = join(folder, 'done');
  try {
    mkdirSync(folder);
  } catch {
    // Another file makes it.
    for (let tries = 0; tries < 2400 && !existsSync(done); tries++) await pause(100);
    return read(file);
  }
  try {
    return await nightIn(folder);
  } finally {
    writeFileSync(done, '');
  }
}

/** The page of a campaign with findings, made in `folder`; `whole`: with more programs, and their proofs. */
export async function nightIn(folder: string, whole = false): Promise<Made> {
  const out = join(folder, 'night');
  const size = whole ? ['--programs', '120'] : ['--programs', '16', '--worlds', '1', '--no-proofs'];
  const args = ['--seed', '1', '--rules', 'rfc-v1,sound', ...size];
  const { exit, err } = await here(['fuzz', ...args, '--workers', '1', '--out', out, '--quiet']);
  if (exit !== 1) throw new Error(`a campaign with findings was expected, not exit ${exit}: ${err}`);
  return read(join(out, 'index.html'));
}
