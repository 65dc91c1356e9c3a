// `node scripts/design-page.mjs [DOCUMENT]`: keeps what `swansong design --json` wrote, and writes the tables of docs/design-space.md from it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { designTables, keptRun, withTables } from '../dist/src/report/design/design-page.js';

const KEPT = new URL('../reports/design/generated.json', import.meta.url);
const PAGE = new URL('../docs/design-space.md', import.meta.url);
const [document] = process.argv.slice(2);
if (document !== undefined) {
  mkdirSync(new URL('.', KEPT), { recursive: true });
  const run = keptRun(JSON.parse(readFileSync(document, 'utf8')));
  writeFileSync(KEPT, `${JSON.stringify(run, null, 1)}\n`);
}
const tables = designTables(JSON.parse(readFileSync(KEPT, 'utf8')));
writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8'), tables));
