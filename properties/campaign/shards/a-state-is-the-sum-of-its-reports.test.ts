/**
 * A campaign's state is what its programs' reports add up to, each counted once, in whatever order they come: worked out here a second time, with
 * plain sums over all reports. It is plain data: written down after any program and read back, it goes on to the same.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ProgramReport } from '../../../src/campaign/check/check.js';
import { DIVERSITY, noDiversity } from '../../../src/campaign/kill/diversity.js';
import {
  add,
  type CampaignState,
  findings,
  isShrunk,
  newState,
  slim,
} from '../../../src/campaign/shards/state.js';
import type { SmallCase } from '../../../src/campaign/shrink/shrink.js';
import type { CampaignSetting } from '../../../src/campaign/threads/job.js';
import { identityOf, reportLists } from '../../support/campaign/reports.js';
import { seeded } from '../../support/seed.js';

const setting: CampaignSetting = { seed: 1, rules: ['one', 'two'], worlds: 1, prove: true, kernel: true };
const fresh = (): CampaignState => newState(identityOf('one', 'two'), setting);

function added(reports: readonly ProgramReport[], state = fresh()): CampaignState {
  for (const report of reports) add(state, report);
  return state;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const count = (flags: readonly boolean[]): number => flags.filter(Boolean).length;
/** What tells two causes apart, spelled here for a second time. */
const keyOf = ({ cause }: { cause: { rules: string; check: string; function: string; kind: string } }) =>
  `${cause.rules}|${cause.check}|${cause.function}|${cause.kind}`;

function sumOf(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = [...new Set(counts.flatMap((one) => Object.keys(one)))];
  return Object.fromEntries(names.map((name) => [name, sum(counts.map((one) => one[name] ?? 0))]));
}

it('every figure is the sum over the reports', () => {
  fc.assert(
    fc.property(reportLists, (reports) => {
      const state = added(reports);
      const proofs = reports.flatMap((one) => one.proofs.map(({ verdict }) => verdict));
      const kernel = reports.flatMap((one) => (one.kernel === undefined ? [] : [one.kernel]));
      const disagreements = reports.flatMap((one) => one.disagreements);
      expect(state).toMatchObject({
        done: reports.length,
        accepted: count(reports.map((one) => one.accepted)),
        points: sum(reports.map((one) => one.points)),
        killedEverywhere: count(reports.map((one) => one.accepted && one.everywhere)),
        worst: Math.max(0, ...reports.map((one) => one.worst)),
        proven: count(proofs.map((verdict) => verdict === 'proven')),
        refuted: count(proofs.map((verdict) => verdict === 'refuted')),
        unknown: count(proofs.map((verdict) => verdict === 'unknown')),
        kernelAccepted: count(kernel.map((one) => one.accepted)),
        kernelRejected: count(kernel.map((one) => !one.accepted && one.judged)),
        kernelUnjudged: count(kernel.map((one) => !one.accepted && !one.judged)),
        disagreementCount: disagreements.length,
        coverage: {
          types: sumOf(reports.map((one) => ({ [one.type]: 1 }))),
          functions: sumOf(reports.map((one) => one.calls)),
          held: sumOf(reports.map((one) => one.held)),
          checks: sumOf(reports.map((one) => one.broken)),
          ...Object.fromEntries(
            DIVERSITY.map((kind) => [kind, sumOf(reports.map(({ diversity }) => diversity[kind]))]),
          ),
        },
      });
      for (const set of ['one', 'two']) {
        const under = reports.flatMap((one) => one.proofs.filter(({ rules }) => rules === set));
        const verdicts = under.map(({ verdict }) => verdict);
        expect(state.byRules[set]).toEqual({
          proven: count(verdicts.map((verdict) => verdict === 'proven')),
          refuted: count(verdicts.map((verdict) => verdict === 'refuted')),
          unknown: count(verdicts.map((verdict) => verdict === 'unknown')),
          broken: sumOf(reports.map((one) => one.brokenUnder[set]!)),
        });
      }
      expect(state.unknowns).toEqual(
        reports.flatMap(({ index, proofs: all }) =>
          all
            .filter(({ verdict }) => verdict === 'unknown')
            .map(({ rules }) => ({ program: index, rules, reason: '' })),
        ),
      );
      expect(state.disagreements.map(({ program, ...one }) => [program, one])).toEqual(
        reports.flatMap((one) => one.disagreements.map((each) => [one.index, each])),
      );
    }),
    seeded(300),
  );
});

it('a cause is found once, where it is first met, and hit by every program that breaks it', () => {
  fc.assert(
    fc.property(reportLists, (reports) => {
      const state = fresh();
      const met = new Set<string>();
      for (const report of reports) {
        const news = add(state, report).map(keyOf);
        expect(news).toEqual(report.suspects.map(keyOf).filter((key) => !met.has(key)));
        for (const key of news) met.add(key);
      }
      expect(state.found.map(keyOf)).toEqual([...met]);
      for (const one of state.found) {
        const hits = reports.filter(({ suspects }) => suspects.some((each) => keyOf(each) === keyOf(one)));
        const [first] = hits;
        const suspect = first!.suspects.find((each) => keyOf(each) === keyOf(one))!;
        expect(one).toEqual({ ...suspect, index: first!.index, hits: hits.length });
      }
    }),
    seeded(300),
  );
});

it('written down and read back after any program, it comes to the same bytes', () => {
  fc.assert(
    fc.property(reportLists, fc.nat(), (reports, at) => {
      const cut = at % (reports.length + 1);
      const kept = JSON.parse(JSON.stringify(added(reports.slice(0, cut)))) as CampaignState;
      expect(JSON.stringify(added(reports.slice(cut), kept))).toBe(JSON.stringify(added(reports)));
    }),
    seeded(200),
  );
});

/** What is drawn, in an order that is drawn too. */
const inAnyOrder = reportLists.chain((reports) =>
  fc.tuple(
    fc.constant(reports),
    fc.shuffledSubarray([...reports], { minLength: reports.length, maxLength: reports.length }),
  ),
);

it('in whatever order they come, and without what the state needs no more, reports add up to the same', () => {
  fc.assert(
    fc.property(inAnyOrder, ([inOrder, shuffled]) => {
      const state = fresh();
      const firsts = new Map<string, number>();
      for (const report of shuffled) {
        const thin = slim(state, report);
        for (const one of add(state, thin)) {
          expect(one.index).toBe(report.index);
          expect(firsts.get(keyOf(one)) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(report.index);
          firsts.set(keyOf(one), report.index);
        }
      }
      expect(state).toEqual(added(inOrder));
      expect(JSON.stringify(state.found)).toBe(JSON.stringify(added(inOrder).found));
    }),
    seeded(300),
  );
});

it('no report is added twice', () => {
  fc.assert(
    fc.property(inAnyOrder, fc.nat({ max: 13 }), ([, reports], index) => {
      const state = added(reports);
      const before = JSON.stringify(state);
      const report = { ...(reports[0] ?? EMPTY_REPORT), index };
      if (index < reports.length) {
        expect(() => add(state, report)).toThrow(/is done already/);
        expect(JSON.stringify(state)).toBe(before);
      } else {
        add(state, report);
        expect(state.done).toBe(reports.length + 1);
      }
    }),
    seeded(100),
  );
});

const EMPTY_REPORT: ProgramReport = {
  index: 0,
  type: 'xdp',
  insns: 1,
  accepted: true,
  points: 1,
  everywhere: true,
  worst: 1,
  proofs: [],
  broken: {},
  brokenUnder: {},
  suspects: [],
  disagreements: [],
  calls: {},
  held: {},
  diversity: noDiversity(),
};

it('every disagreement is kept, however many there are', () => {
  const disagreements = Array.from({ length: 30 }, () => ({ between: 'run' as const, message: 'no' }));
  const state = added(Array.from({ length: 4 }, (_, index) => ({ ...EMPTY_REPORT, index, disagreements })));
  expect([state.disagreementCount, state.disagreements.length]).toEqual([120, 120]);
  expect(state.disagreements.at(-1)).toMatchObject({ program: 3 });
});

it('findings are one for each cause that is left after shrinking, the smallest of them, hits added up', () => {
  fc.assert(
    fc.property(reportLists, fc.infiniteStream(fc.nat({ max: 9 })), (reports, random) => {
      const state = added(reports);
      const draw = (): number => random.next().value!;
      for (const one of state.found) {
        if (draw() < 3) continue;
        // What broke together may turn out to break alone.
        const cause = draw() < 5 ? { ...one.cause, function: 'bpf_f' } : one.cause;
        one.small = { text: 's', insns: 1 + draw(), cause } satisfies SmallCase;
      }
      const all = findings(state);
      const keys = all.map(keyOf);
      expect(new Set(keys).size).toBe(keys.length);
      const left = state.found.map((one) => ({ ...one, cause: one.small?.cause ?? one.cause }));
      expect(new Set(keys)).toEqual(new Set(left.map(keyOf)));
      for (const one of all) {
        const same = left.filter((each) => keyOf(each) === keyOf(one));
        expect(one.hits).toBe(sum(same.map(({ hits }) => hits)));
        const sizes = same.map(({ small, insns }) => small?.insns ?? insns);
        const best = same[sizes.indexOf(Math.min(...sizes))]!;
        expect([one.index, one.text, one.small]).toEqual([best.index, best.text, best.small]);
      }
      expect(isShrunk(state)).toBe(state.found.every(({ small }) => small !== undefined));
      // The order is that of the keys, whatever was found first.
      const backwards = { ...state, found: [...state.found].reverse() };
      expect(findings(backwards).map(keyOf)).toEqual(keys);
    }),
    seeded(200),
  );
});
