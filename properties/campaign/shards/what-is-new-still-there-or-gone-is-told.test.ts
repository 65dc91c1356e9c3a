/**
 * Over the nights a campaign's folder remembers each finding: new in the run that met it first, still there as long as it shows, gone since the run
 * that missed it, and back when it is seen again. Each is told with the code and the rules of its run. One program of a campaign can be checked by
 * itself, and says what the campaign said of it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { causeKey } from '../../../src/campaign/kill/cause.js';
import { type History, HistoryKeeper, type Status } from '../../../src/campaign/storage/history.js';
import type { Summary } from '../../../src/report/campaign/summary.js';
import { documentIn } from '../../../src/report/page/html.js';
import type { PageData } from '../../../src/report/page/shape.js';
import { causes, identityOf } from '../../support/campaign/reports.js';
import { here, scratch } from '../../support/cli.js';
import { seeded } from '../../support/seed.js';

const folder = scratch();
const identity = identityOf('one', 'two');

it('each finding is what its nights say', () => {
  const distinct = fc.uniqueArray(causes, { minLength: 1, maxLength: 5, selector: causeKey });
  const nights = distinct.chain((all) =>
    fc.tuple(
      fc.constant(all),
      fc.array(fc.tuple(fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), fc.boolean()), {
        minLength: 1,
        maxLength: 6,
      }),
    ),
  );
  fc.assert(
    fc.property(nights, ([all, shown]) => {
      let history: History = { runs: [], findings: [] };
      let clock = 0;
      const model = new Map<string, { first: number; gone: boolean; status: Status | undefined }>();
      let run = -1;
      let killed = false;
      for (const [seen, endsInOrder] of shown) {
        if (!killed) run++;
        const keeper = new HistoryKeeper(undefined, history, identity, 1, () => `${clock++}`);
        for (const [i, cause] of all.entries()) {
          const known = model.get(causeKey(cause));
          const file = `${i}.bpf`;
          const status = (what: Status): void => {
            model.set(causeKey(cause), { first: known?.first ?? run, gone: false, status: what });
          };
          if (seen[i] !== true) {
            const isNews = known !== undefined && !known.gone;
            expect(keeper.miss(file)).toBe(isNews);
            if (known !== undefined) Object.assign(known, { gone: true, status: undefined });
          } else if (known === undefined) {
            expect(keeper.see(cause, { file })).toBe(true);
            status('new');
          } else {
            expect(keeper.see(cause, { file })).toBe(known.gone);
            if (known.gone) status('back');
            else if (known.status !== 'back' || !killed) status(known.first === run ? 'new' : 'still there');
          }
        }
        for (const cause of all) {
          const known = model.get(causeKey(cause));
          if (known !== undefined && !known.gone) expect(keeper.statusOf(cause)).toBe(known.status);
        }
        expect(keeper.gone.map(({ cause }) => causeKey(cause)).sort()).toEqual(
          [...model].flatMap(([key, { gone }]) => (gone ? [key] : [])).sort(),
        );
        if (endsInOrder) keeper.save(1, 'finished');
        killed = !endsInOrder;
        history = JSON.parse(JSON.stringify(keeper.history)) as History;
        expect(history.runs).toHaveLength(run + 1);
      }
    }),
    seeded(200),
  );
});

it('new, still there, gone with the rule that was mended, and back with it', async () => {
  const rules = join(folder, 'own.ts');
  const out = join(folder, 'out');
  const write = (stub: string): void =>
    writeFileSync(
      rules,
      `import { NULL, rule, ruleSet } from 'swansong';
export default ruleSet('own', [${stub} rule('rest').keep()]);\n`,
    );
  const wrong = "rule('wrong').when((f) => f.name === 'bpf_map_lookup_elem').stub({ r0: NULL }),";
  const night = async (...more: string[]): Promise<Summary & { exit: number | null; err: string }> => {
    const args = ['--rules', rules, '--programs', '7', '--no-proofs', '--workers', '1'];
    const { exit, out: text, err } = await here(['fuzz', ...args, '--out', out, '--json', ...more]);
    return Object.assign(JSON.parse(text) as Summary, { exit, err });
  };
  const shown = (): PageData => JSON.parse(documentIn(readFileSync(join(out, 'index.html'), 'utf8')));
  /** What the page says of the case that the wrong rule broke. */
  const onPage = () => shown().cases.filter(({ function: name, file }) => /map_lookup/.test(name ?? file));
  const stubs = ({ findings }: Summary) => findings.filter(({ rule }) => rule === 'wrong');
  write(wrong);
  const first = await night();
  expect(stubs(first).map(({ status }) => status)).toEqual(['new']);
  expect(first.err).toMatch(/^\S+Z found: fault under own, bpf_map_lookup_elem/m);
  expect(onPage()).toMatchObject([{ status: 'new', goneSince: null, check: 'fault', ok: true }]);
  const [{ file, firstSeen }] = stubs(first) as [Summary['findings'][number]];
  expect(firstSeen).toMatchObject({ code: first.code, rules: first.byRules[0]!.digest });
  // The rule file is named from the case on, so that the case replays wherever it is run from.
  expect(readFileSync(file, 'utf8')).toMatch(/^\.rules \.\.\/\.\.\/own\.ts$/m);
  const second = await night();
  expect(stubs(second).map(({ status }) => status)).toEqual(['still there']);
  expect(second.err).toBe('');
  expect(onPage()).toMatchObject([
    { status: 'still there', firstSeen: { at: firstSeen!.at }, goneSince: null },
  ]);
  write('');
  const third = await night('--restart');
  expect(stubs(third)).toEqual([]);
  expect(third.gone).toMatchObject([{ function: 'bpf_map_lookup_elem', new: true, firstSeen }]);
  expect(third.gone[0]!.goneSince.rules).toBe(third.byRules[0]!.digest);
  expect(third.err).toMatch(/^\S+Z gone: fault/m);
  const { goneSince } = third.gone[0]!;
  const gone = { status: 'gone', firstSeen: { at: firstSeen!.at }, goneSince: { at: goneSince.at } };
  expect(onPage()).toMatchObject([{ ...gone, check: null, got: 'holds', ok: false }]);
  expect(shown().night?.gone).toMatchObject([
    { function: 'bpf_map_lookup_elem', new: true, case: onPage()[0]!.id },
  ]);
  // `report` tells the same of the folder as the campaign did.
  const before = shown();
  await here(['report', out, '--json']);
  expect(shown()).toEqual(before);
  write(wrong);
  const fourth = await night('--restart');
  expect(stubs(fourth).map(({ status }) => status)).toEqual(['back']);
  expect(fourth.gone).toEqual([]);
  expect(fourth.runs).toHaveLength(4);
  expect(readFileSync(join(out, 'campaign.log'), 'utf8')).toMatch(
    /^\S+Z begun: [\s\S]* ended: finished, 7 programs/m,
  );
  expect(onPage()).toMatchObject([{ status: 'back', goneSince: null }]);
  const told = shown().night;
  expect(told?.runs.map(({ new: fresh, gone: missed, programs }) => [fresh > 0, missed, programs])).toEqual([
    [true, 0, 7],
    [false, 0, 7],
    [false, 0, 7],
    [false, 0, 7],
  ]);
  expect(told?.samples.filter(({ run }) => run === 0).at(-1)).toMatchObject({
    programs: 7,
    points: first.points,
  });
});

it('one program says alone what the campaign says of it, and each unknown is named', {
  timeout: 60_000,
}, async () => {
  const common = ['--rules', 'rfc-v2,sound', '--worlds', '1', '--json'];
  const whole = await here(['fuzz', '--programs', '12', ...common, '--corpus', join(folder, 'corpus')]);
  const { unknowns, byRules } = JSON.parse(whole.out) as Summary;
  expect(unknowns.length).toBeGreaterThan(0);
  expect(unknowns.every(({ reason }) => reason !== '')).toBe(true);
  const verdicts: Record<string, number> = {};
  for (let program = 0; program < 12; program++) {
    const one = await here(['fuzz', '--program', `${program}`, ...common]);
    const { proofs, text, broken } = JSON.parse(one.out) as {
      broken: Record<string, number>;
      proofs: { rules: string; verdict: string; reason?: string }[];
      text: string;
    };
    const here_ = proofs.filter(({ verdict }) => verdict === 'unknown');
    expect(here_.map(({ rules, reason }) => ({ program, rules, reason }))).toEqual(
      unknowns.filter((each) => each.program === program),
    );
    expect(one.exit).toBe(Object.keys(broken).length > 0 ? 1 : here_.length > 0 ? 3 : 0);
    expect(text).toContain('exit');
    for (const { rules, verdict } of proofs)
      verdicts[`${rules} ${verdict}`] = (verdicts[`${rules} ${verdict}`] ?? 0) + 1;
  }
  for (const { rules, proven, refuted, unknown } of byRules) {
    const counted = ['proven', 'refuted', 'unknown'].map((verdict) => verdicts[`${rules} ${verdict}`] ?? 0);
    expect(counted).toEqual([proven, refuted, unknown]);
  }
});
