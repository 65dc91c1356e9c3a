/**
 * What each strategy does to each program of corpus/design, killed before every insn: what it costs, how far it is from the kill to where it takes
 * effect and to the end, and what breaks; or why it cannot take the program. The table is known-kills.txt (rewritten by `vitest -u`; read the
 * difference).
 */
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { STRATEGIES } from '../../src/strategies/index.js';
import { DESIGN_CASES, killsInWords } from '../support/strategies/kills.js';

it('kills of known programs are as pinned', async () => {
  const rows = [...DESIGN_CASES].flatMap(([name, one]) => [
    name,
    ...STRATEGIES.map((strategy) => `  ${strategy.name}\n    ${killsInWords(one, strategy)}`),
    '',
  ]);
  const table = join(resolve(import.meta.dirname, '../support/strategies'), 'known-kills.txt');
  await expect(`${rows.join('\n')}`).toMatchFileSnapshot(table);
});
