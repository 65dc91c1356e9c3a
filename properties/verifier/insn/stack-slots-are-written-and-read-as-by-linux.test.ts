/**
 * What is known of a stack slot after every kind of content was written over in every way: each load afterwards gives what Linux 6.18 gives,
 * or is refused with its words. Needs no kernel; where there is one it confirms the table. SWANSONG_RECORD=1 writes the table as the running
 * kernel has it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeKernel, messagesKnown } from '../../support/kernel/skip.js';
import {
  LOADS,
  linux,
  ours,
  parseTable,
  printTable,
  type Row,
  rows,
} from '../../support/verifier/stack-table.js';

const FILE = new URL('../../support/verifier/stack-table.txt', import.meta.url);
const known = parseTable(readFileSync(FILE, 'utf8'));

/** What differs from the table, one line a load. */
function differences(table: readonly Row[]): readonly string[] {
  return table.flatMap(({ title, outcomes }) => {
    const expected = known.get(title) ?? [];
    if (outcomes.length !== expected.length) return [`${title}: ${outcomes[0]}, Linux ${expected[0]}`];
    return outcomes.flatMap((outcome, i) =>
      outcome === expected[i] ? [] : [`${title} | ${LOADS[i]?.name}: ${outcome}, Linux ${expected[i]}`],
    );
  });
}

it('every load gives what Linux gives', { timeout: 60_000 }, () => {
  const table = rows(ours, known);
  expect(table.length).toBe(known.size);
  expect(differences(table)).toEqual([]);
});

it('the table has values, refusals, and loads after most stores', () => {
  const outcomes = [...known.values()];
  expect(outcomes.filter(({ length }) => length === LOADS.length).length).toBeGreaterThan(1_000);
  expect(new Set(outcomes.flat()).size).toBeGreaterThan(25);
});

describeKernel('Linux agrees with the table', () => {
  it.skipIf(!messagesKnown())('on a fifth of it', { timeout: 120_000 }, () => {
    if (process.env.SWANSONG_RECORD === '1') writeFileSync(FILE, printTable(rows(linux, known)));
    else expect(differences(rows(linux, known, 5))).toEqual([]);
  });
});
