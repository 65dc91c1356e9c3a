/** The table that is shipped, and tables that people name. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CostTable, parseCosts } from './table.js';

/** Where the shipped table is, below the folder of the package. */
const SHIPPED = 'corpus/costs/x86-64.tsv';

/** The folder of the package: the nearest one above this file that has the table, in `src` and in `dist` alike. */
function shippedFile(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = join(folder, SHIPPED);
    if (isFile(file)) return file;
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`${SHIPPED} is missing`);
    folder = parent;
  }
}

function isFile(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

let shipped: CostTable | undefined;

/** The shipped table: measured on one machine, with what cannot be measured assumed. */
export function defaultCosts(): CostTable {
  shipped ??= parseCosts(readFileSync(shippedFile(), 'utf8'), SHIPPED);
  return shipped;
}
