/** A long listing is folded, and nothing that matters is folded away: rows and folds together are the listing, each insn once, in order. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  foldedRows,
  heldAfter,
  indexOfStep,
  momentsOf,
  nextOf,
  slotsThatMatter,
} from '../../src/page/steps.js';
import type { PageListing, PageRun, PageStep } from '../../src/report/page/shape.js';
import { seeded } from '../support/seed.js';

/** Insns of one or two slots each. */
const listings = fc
  .array(fc.boolean(), { minLength: 1, maxLength: 200, size: 'max' })
  .map((wide): PageListing => {
    let next = 0;
    const insns = wide.map((isWide) => {
      const slot = next;
      next += isWide ? 2 : 1;
      return { slot, text: `insn ${slot}` };
    });
    return { insns, functions: [{ name: 'main', start: 0 }], lines: [] };
  });

const few = fc.array(fc.nat(200), { maxLength: 6 });

it('rows and folds are the listing, and what matters and its neighbours are rows', () => {
  fc.assert(
    fc.property(listings, few, few, (listing, numbers, opened) => {
      const slots = listing.insns.map(({ slot }) => slot);
      const matters = new Set(numbers.flatMap((n) => (n < slots.length ? [slots[n]!] : [])));
      const open = opened.flatMap((n) => slots[n] ?? []);
      const rows = foldedRows(listing, matters, new Set(open));
      const told = rows.flatMap((row) =>
        row.kind === 'insn' ? [row.slot] : slots.filter((slot) => slot >= row.from && slot <= row.to),
      );
      expect(told).toEqual(slots);
      const shown = new Set(rows.flatMap((row) => (row.kind === 'insn' ? [row.slot] : [])));
      for (const slot of matters) {
        const at = slots.indexOf(slot);
        for (const near of slots.slice(Math.max(0, at - 1), at + 2)) expect(shown.has(near)).toBe(true);
      }
      const folds = rows.flatMap((row) => (row.kind === 'fold' ? [row] : []));
      for (const fold of folds)
        expect(fold.count).toBe(slots.filter((slot) => slot >= fold.from && slot <= fold.to).length);
      if (slots.length <= 48) expect(folds).toEqual([]);
      // Unfolding one after the other shows all.
      const all = foldedRows(listing, matters, new Set([...open, ...folds.map(({ from }) => from)]));
      expect(all.every(({ kind }) => kind === 'insn')).toBe(true);
    }),
    seeded(300),
  );
});

const step = (at: number, more: Partial<PageStep> = {}): PageStep => ({ step: at, slot: at, ...more });

/** A run in which a stretch is told as one step, something is taken and given back, and something never is. */
const RUN: PageRun = {
  kind: 'killed',
  rules: 'some',
  kill: 103,
  initial: {},
  steps: [
    step(0),
    step(1, { taken: [1] }),
    step(2, { count: 100 }),
    step(102, { given: [1] }),
    step(103, { killed: true, taken: [2] }),
    step(104, { killed: true, broken: [0], patched: 'kept' }),
  ],
  length: 105,
  afterKill: 2,
  lanes: [
    { id: 1, what: 'a', by: 'f', from: 1, slot: 1, to: 102, toSlot: 102 },
    { id: 2, what: 'b', by: 'g', from: 103, slot: 103, to: null, toSlot: null },
  ],
  neverTaken: [],
  broken: [{ check: 'leak', message: '', slot: 104, step: 104, function: null, after: false }],
  about: 0,
  end: 'exit',
  r0: '0',
  calls: [],
};

it('a step is found by its number, also in a stretch that is told as one, and what is held is told after each', () => {
  expect([0, 1, 2, 50, 101, 102, 104, 999].map((at) => indexOfStep(RUN, at))).toEqual([
    0, 1, 2, 2, 2, 3, 5, 5,
  ]);
  expect(RUN.steps.map((_, i) => heldAfter(RUN, i).map(({ id }) => id))).toEqual([
    [],
    [1],
    [1],
    [],
    [2],
    [2],
  ]);
  expect(momentsOf(RUN)).toEqual({ acquires: [1, 4], kill: 4, breaks: [5] });
  expect([0, 1, 4, 5].map((at) => nextOf([1, 4], at))).toEqual([1, 4, 1, 1]);
  const listing = { insns: RUN.steps.map(({ slot }) => ({ slot, text: '' })), functions: [], lines: [] };
  expect([...slotsThatMatter(RUN, listing)].sort((a, b) => a - b)).toEqual([1, 102, 103, 104]);
});
