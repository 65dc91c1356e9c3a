/** The table of costs that a command goes by: the one that `--costs` names, or the shipped one. */
import { defaultCosts } from '../../cost/default-costs.js';
import { type CostTable, parseCosts } from '../../cost/table.js';
import { readText } from './files.js';

export const COSTS_HELP = 'table of costs, as `costs measure` writes it; the shipped one unless told';

/** Reads the table. Throws InputError for a file that is none. */
export function costsNamed(file: string | undefined): CostTable {
  return file === undefined ? defaultCosts() : parseCosts(readText(file), file);
}
