/**
 * The rules that guidance is measured by: `sound`, wrong for one function and for no other. Some program shows that; under `sound` itself none does.
 * Guided campaigns find more of them than unguided ones do.
 */
import { expect, it } from 'vitest';
import { measureGuidance, rulesToFind } from '../../src/campaign/guidance/measure.js';
import { canBeFound, seededRules } from '../../src/campaign/guidance/seeded-rules.js';
import { contractOf, contracts } from '../../src/kernel/catalog.js';
import sound from '../../src/patch/sets/sound.js';
import { decideIn, situationsOf } from '../../src/patch/situations.js';

const all = seededRules(1);

it('there is one for every function, of every kind of mistake', () => {
  expect(new Set(all.map((one) => one.function)).size).toBe(all.length);
  expect(all.length).toBeGreaterThan(300);
  const kinds = all.map(({ what }) => what.replace(/-?\d+/g, 'N'));
  for (const kind of ['kept', 'rN is not written', 'rN = N', 'argument N is not filled', 'skipped, rN = N'])
    expect(kinds.filter((one) => one === kind).length, kind).toBeGreaterThan(3);
  expect(seededRules(1).map(({ what }) => what)).toEqual(all.map(({ what }) => what));
  expect(seededRules(2).map((one) => one.function)).not.toEqual(all.map((one) => one.function));
});

it('each decides as sound does for all functions but its own', () => {
  const actions = (rules: typeof sound, name: string): unknown =>
    situationsOf(contractOf(name)!).map((situation) => decideIn(rules, contractOf(name)!, situation).action);
  for (const { function: name, rules } of all.slice(0, 40)) {
    expect(actions(rules, name), name).not.toEqual(actions(sound, name));
    for (const other of contracts())
      if (other.name !== name) expect(actions(rules, other.name), name).toEqual(actions(sound, other.name));
  }
});

it('programs show many of them to be wrong, and sound never', () => {
  const some = all.slice(0, 16);
  expect(some.filter(canBeFound).length).toBeGreaterThan(5);
  for (const one of some.slice(0, 6)) expect(canBeFound({ ...one, rules: sound }), one.function).toBe(false);
  expect(rulesToFind(4, 1)).toHaveLength(4);
});

it('guided campaigns find more of them', () => {
  const { guided, unguided } = measureGuidance({ rules: 30, seeds: [1], programs: 32 });
  expect(guided.programsUntilFound).toHaveLength(30);
  expect(guided.found).toBe(guided.programsUntilFound.filter((one) => one <= 32).length);
  expect(guided.found).toBeGreaterThan(unguided.found);
});
