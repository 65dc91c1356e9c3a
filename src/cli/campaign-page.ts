/** Writes the page of a campaign into its folder. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { writeWhole } from '../campaign/storage/writable.js';
import { page } from '../report/page.js';
import type { Summary } from '../report/summary.js';

/** Writes `index.html` into the folder of a campaign, and answers its path. Throws InputError where it cannot be written. */
export function writeCampaignPage(folder: string, summary: Summary): string {
  const file = join(folder, 'index.html');
  // The page and its cases are one folder, that may be moved.
  const cases = {
    text: (path: string) => readFileSync(path, 'utf8'),
    name: (path: string) => relative(folder, path),
  };
  writeWhole(file, page(summary, cases));
  return file;
}
