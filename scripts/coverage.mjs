// Prints the coverage that vitest measured, folder by folder. The floor of each folder is in vitest.config.ts, and vitest itself holds it.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import Table from 'cli-table3';

const files = JSON.parse(readFileSync('reports/coverage/coverage-summary.json', 'utf8'));
const folders = new Map();
for (const [file, measured] of Object.entries(files)) {
  if (file === 'total') continue;
  const path = relative(process.cwd(), file).split('/');
  const folder = path.slice(0, path[0] === 'src' ? 2 : 1).join('/');
  const sum = folders.get(folder) ?? { lines: [0, 0], branches: [0, 0], functions: [0, 0] };
  for (const [what, counts] of Object.entries(sum)) {
    counts[0] += measured[what].covered;
    counts[1] += measured[what].total;
  }
  folders.set(folder, sum);
}

const percent = ([covered, total]) => (total === 0 ? '-' : ((100 * covered) / total).toFixed(1));
const table = new Table({ head: ['folder', 'lines %', 'branches %', 'functions %'], style: { head: [], border: [] } });
for (const [folder, sum] of [...folders].sort())
  table.push([folder, percent(sum.lines), percent(sum.branches), percent(sum.functions)]);
console.log(table.toString());
