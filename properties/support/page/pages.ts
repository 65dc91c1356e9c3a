/** Pages to look at, each made once, and the documents that they carry. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentIn } from '../../../src/report/page/html.js';
import type { PageData } from '../../../src/report/page/shape.js';
import { here } from '../cli.js';

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

/** The page of a small campaign with findings, made in `folder`; `whole`: with more programs, and their proofs. */
export async function nightIn(folder: string, whole = false): Promise<Made> {
  const out = join(folder, 'night');
  const size = whole ? ['--programs', '120'] : ['--programs', '40', '--worlds', '1', '--no-proofs'];
  const args = ['--seed', '1', '--rules', 'rfc-v1,sound', ...size];
  const { exit, err } = await here(['fuzz', ...args, '--workers', '1', '--out', out, '--quiet']);
  if (exit !== 1) throw new Error(`a campaign with findings was expected, not exit ${exit}: ${err}`);
  return read(join(out, 'index.html'));
}
