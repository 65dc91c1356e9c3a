/**
 * `compare A B` and `--baseline` tell each verdict, bound, length, walk and time that changed, and fail for those that got worse and for nothing else:
 * what is worse one way is better the other way, nothing is worse beside itself, and a figure that is allowed to grow may.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Change, type Changes, GROWING } from '../../src/report/compare/change.js';
import { ALLOWED, changesBetween, readDocument } from '../../src/report/compare/changes.js';
import { changesInMarkdown, changesInWords } from '../../src/report/compare/changes-in-words.js';
import { here, scratch } from '../support/cli.js';
import { seeded } from '../support/seed.js';

const folder = scratch();
const put = (name: string, document: object): string => {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(document));
  return file;
};

interface Row {
  readonly file: string;
  readonly name: string;
  readonly verdict: string;
  readonly bound: number | null;
  readonly boundKind: string | null;
  readonly insns: number;
  readonly walked: { readonly verified: number; readonly patched: number };
  readonly ms: number;
}

const figure = fc.integer({ min: 0, max: 2000 });
const row: fc.Arbitrary<Row> = fc
  .record({
    file: fc.constantFrom('a.o', 'deep/b.o'),
    name: fc.constantFrom('x', 'y', 'z|`\n', 'a_name_that_is_longer_than_its_column'),
    verdict: fc.constantFrom('proven', 'unknown', 'refuted'),
    kind: fc.constantFrom('exact', 'time-limited', 'unbounded'),
    ...{ figure, insns: figure, verified: figure, patched: figure, ms: figure },
  })
  .map(({ kind, figure: insns, verified, patched, ...one }) => ({
    ...{ ...one, reason: 'r', advice: '', kept: [], walked: { verified, patched } },
    boundKind: one.verdict === 'proven' ? kind : null,
    bound: one.verdict === 'proven' && kind === 'exact' ? insns : null,
    ...(one.verdict === 'proven' && kind === 'time-limited' && { timeLimit: { ms: 250, insns } }),
  }));
const rows = fc.uniqueArray(row, { maxLength: 5, selector: ({ file, name }) => `${file} ${name}` });

const measured = (programs: readonly Row[]) =>
  readDocument(JSON.stringify({ schema: 'swansong/prove/1', version: '0', programs }), 'x.json').measured;
const between = (a: readonly Row[], b: readonly Row[], allowed = ALLOWED): Changes =>
  changesBetween(measured(a), measured(b), allowed);
const keyOf = ({ file, name, field }: Change): string => `${file} ${name} ${field}`;

describe('whatever two documents say', () => {
  it('one beside itself has no change', () => {
    fc.assert(
      fc.property(rows, (a) => {
        expect(between(a, a)).toEqual({ compared: a.length, worse: 0, gone: 0, new: 0, changes: [] });
      }),
      seeded(100),
    );
  });

  it('what is worse one way is not worse the other way, and is told both ways', () => {
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const [there, back] = [between(a, b), between(b, a)];
        expect([there.compared, there.gone, there.new]).toEqual([back.compared, back.new, back.gone]);
        expect(there.compared + there.gone).toBe(a.length);
        expect(there.compared + there.new).toBe(b.length);
        expect(there.changes.map(keyOf).sort()).toEqual(back.changes.map(keyOf).sort());
        for (const one of there.changes) {
          const other = back.changes.find((change) => keyOf(change) === keyOf(one))!;
          expect([other.from, other.to]).toEqual([one.to, one.from]);
          if (one.worse) expect([keyOf(one), other.worse]).toEqual([keyOf(one), false]);
        }
        const bad = new Set(
          there.changes.filter(({ worse }) => worse).map(({ file, name }) => `${file} ${name}`),
        );
        expect(there.worse).toBe(bad.size);
      }),
      seeded(300),
    );
  });

  it('the order of programs says nothing', () => {
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const sorted = ({ changes }: Changes) => changes.map((one) => JSON.stringify(one)).sort();
        expect(sorted(between([...a].reverse(), b))).toEqual(sorted(between(a, b)));
      }),
      seeded(100),
    );
  });

  it('words and Markdown have a row for each change, and no wider one than 80 columns', () => {
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const found = between(a, b);
        const words = changesInWords(found).split('\n');
        for (const line of words) expect(line.length).toBeLessThanOrEqual(80);
        expect(words.filter((line) => / worse$/.test(line))).toHaveLength(
          found.changes.filter(({ worse }) => worse).length,
        );
        const table = changesInMarkdown('t', found)
          .split('\n')
          .filter((line) => line.startsWith('|'));
        expect(table).toHaveLength(found.changes.length === 0 ? 0 : found.changes.length + 2);
        // Six cells, whatever names hold.
        for (const line of table) expect(line.replaceAll('\\|', '').split('|')).toHaveLength(8);
      }),
      seeded(100),
    );
  });
});

const ROW: Row = {
  ...{ file: 'a.o', name: 'x', verdict: 'proven', bound: 100, boundKind: 'exact', insns: 100, ms: 1000 },
  walked: { verified: 60, patched: 40 },
};

describe('a figure', () => {
  const grownTo = (field: (typeof GROWING)[number], to: number): Row =>
    field === 'walked' ? { ...ROW, walked: { verified: to - 40, patched: 40 } } : { ...ROW, [field]: to };
  const from = (field: (typeof GROWING)[number]): number => (field === 'ms' ? 1000 : 100);

  it.each(GROWING)('%s is worse when it grows by more than it may', (field) => {
    const base = from(field);
    const most = base * (1 + ALLOWED[field] / 100);
    const worse = (to: number, allowed = ALLOWED): boolean =>
      between([ROW], [grownTo(field, to)], allowed).worse === 1;
    expect([worse(base), worse(most), worse(most + 1)]).toEqual([false, false, true]);
    expect(worse(base * 4, { ...ALLOWED, [field]: 300 })).toBe(false);
    expect(worse(base * 4 + 1, { ...ALLOWED, [field]: 300 })).toBe(true);
    // What shrinks is told, and is not worse.
    expect(between([ROW], [grownTo(field, base / 4 + 40)])).toMatchObject({
      worse: 0,
      changes: [{ field, worse: false }],
    });
  });

  it('short times differ by chance', () => {
    expect(between([{ ...ROW, ms: 10 }], [{ ...ROW, ms: 500 }]).changes).toEqual([]);
    expect(between([{ ...ROW, ms: 10 }], [{ ...ROW, ms: 520 }]).worse).toBe(1);
  });
});

it('a bound that becomes a time is worse, and so is a longer time; one that becomes a number is better', () => {
  const timed = (ms: number, insns: number) => ({
    ...ROW,
    bound: null,
    boundKind: 'time-limited',
    timeLimit: { ms, insns },
  });
  expect(between([ROW], [timed(250, 1)])).toMatchObject({
    worse: 1,
    changes: [
      { field: 'boundKind', worse: true },
      { field: 'bound', from: 100, to: '250ms+1', worse: false },
    ],
  });
  expect(between([timed(250, 1)], [ROW]).worse).toBe(0);
  expect(between([timed(250, 1)], [timed(500, 1)]).worse).toBe(1);
  expect(between([timed(500, 1)], [timed(250, 900)]).worse).toBe(0);
  expect(between([timed(250, 1)], [timed(250, 2)]).worse).toBe(1);
});

it('verdicts get worse from proven over unknown to refuted, and from one failure to another', () => {
  const order = ['proven', 'unknown', 'refuted'];
  for (const [i, a] of order.entries())
    for (const [j, b] of order.entries()) {
      const { changes } = between(
        [{ ...ROW, verdict: a, boundKind: null }],
        [{ ...ROW, verdict: b, boundKind: null }],
      );
      expect(changes.map(({ field, worse }) => [field, worse])).toEqual(i === j ? [] : [['verdict', j > i]]);
    }
  const refuted = (expect: string) => ({
    ...ROW,
    verdict: 'refuted',
    witness: { expect, kill: 1, case: '' },
    boundKind: null,
  });
  expect(between([refuted('leak f')], [refuted('misuse f')])).toMatchObject({
    worse: 1,
    changes: [{ from: 'refuted: leak', to: 'refuted: misuse' }],
  });
});

it('what is gone is told, and what is new is worse if it does not hold', () => {
  const open = { ...ROW, name: 'y', verdict: 'unknown' };
  expect(between([ROW, open], [])).toMatchObject({ worse: 0, gone: 2, new: 0 });
  expect(between([], [ROW])).toMatchObject({
    worse: 0,
    new: 1,
    changes: [{ field: 'program', from: null, to: 'proven' }],
  });
  expect(between([], [open])).toMatchObject({ worse: 1, new: 1 });
});

it('an object that was built in another folder is the same object, if there is one of its name', () => {
  const at = (file: string, bound: number) => ({ ...ROW, file, bound });
  expect(between([at('base/a.o', 1)], [at('head/a.o', 2)])).toMatchObject({ compared: 1, worse: 1 });
  const two = [at('base/a.o', 1), at('base/deep/a.o', 5)];
  expect(between(two, [at('head/a.o', 2)])).toMatchObject({ compared: 0, gone: 2, new: 1 });
  expect(between(two, [at('base/deep/a.o', 5), at('head/a.o', 2)])).toMatchObject({ compared: 2, worse: 1 });
});

describe('from the command line', () => {
  const LOCK = 'corpus/objects/lock_counter.o';
  const documentOf = async (name: string, ...args: string[]): Promise<string> => {
    const file = join(folder, name);
    await here([...args, '--format', `json=${file}`, '--quiet']);
    return file;
  };

  it('compare exits with 1 for what got worse and 0 for what did not', async () => {
    const sound = await documentOf('sound.json', 'prove', LOCK);
    const wrong = await documentOf('wrong.json', 'prove', LOCK, '--rules', 'rfc-v1');
    const there = await here(['compare', sound, wrong, '--json']);
    expect(there.exit).toBe(1);
    expect(JSON.parse(there.out)).toMatchObject({
      ...{ a: sound, b: wrong, command: 'prove', compared: 1, worse: 1 },
      changes: [
        {
          file: LOCK,
          name: 'lock_counter',
          field: 'verdict',
          from: 'proven',
          to: 'refuted: misuse',
          worse: true,
        },
      ],
    });
    const back = await here(['compare', wrong, sound]);
    expect([back.exit, back.err]).toEqual([0, '']);
    expect(back.out).toMatch(/1 compared, 0 worse; 0 gone, 0 new\n$/);
    expect((await here(['compare', sound, sound])).out).toBe('1 compared, 0 worse; 0 gone, 0 new\n');
    const annotated = await here(['compare', sound, wrong, '--format', 'github']);
    expect(annotated.out).toMatch(/^::error file=.*verdict: proven -> refuted%3A? ?misuse|^::error file=/m);
    const markdown = await here(['compare', sound, wrong, '--format', 'markdown']);
    expect([markdown.exit, markdown.out]).toEqual([
      1,
      expect.stringContaining('| `refuted: misuse` | **worse** |'),
    ]);
  });

  it('compares documents of other commands by their verdicts', async () => {
    const good = await documentOf('good.json', 'verify', LOCK);
    const replayed = await documentOf(
      'replay.json',
      'replay',
      'corpus/rfc-v1-leak-bpf_sk_release-9df8a9.bpf',
    );
    expect((await here(['compare', good, good])).exit).toBe(0);
    expect((await here(['compare', replayed, replayed])).exit).toBe(0);
    const worse = put(
      'worse.json',
      JSON.parse(readFileSync(good, 'utf8').replace('"accepted"', '"rejected"')) as object,
    );
    expect((await here(['compare', good, worse])).exit).toBe(1);
    expect(await here(['compare', good, replayed])).toMatchObject({
      exit: 2,
      out: '',
      err: expect.stringMatching(/^swansong: .*replay\.json: .* is of 'verify', and this is of 'replay'\n$/),
    });
  });

  it.each([
    ['{', /not JSON/],
    ['{}', /has no schema/],
    ['{"schema":"swansong/kernel/1"}', /judges nothing/],
    ['{"schema":"swansong/prove/1"}', /members of it are missing/],
    ['{"schema":"swansong/error/1","error":"x"}', /judges nothing/],
    ['null', /has no schema/],
  ])('%s is bad input', async (text, says) => {
    const bad = join(folder, 'bad.json');
    writeFileSync(bad, text);
    const { exit, out, err } = await here(['compare', bad, bad]);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toMatch(says);
    expect(err).toMatch(/^swansong: .*bad\.json: .*\n$/);
  });

  it('prove --baseline is red for a bound that grew, and --allow lets it', async () => {
    const base = await documentOf('base.json', 'prove', LOCK);
    const text = readFileSync(base, 'utf8');
    const bound = (JSON.parse(text) as { programs: [{ bound: number }] }).programs[0].bound;
    const smaller = put(
      'smaller.json',
      JSON.parse(text.replace(`"bound": ${bound}`, `"bound": ${bound - 1}`)) as object,
    );
    const larger = put(
      'larger.json',
      JSON.parse(text.replace(`"bound": ${bound}`, `"bound": ${bound + 1}`)) as object,
    );
    const beside = (file: string, ...args: string[]) =>
      here(['prove', LOCK, '--baseline', file, '--allow', 'ms=100000', ...args]);
    const red = await beside(smaller);
    expect(red.exit).toBe(1);
    expect(red.out).toContain(`worse: ${LOCK}: lock_counter: bound ${bound - 1} -> ${bound}\n`);
    expect((await beside(larger)).exit).toBe(0);
    expect((await beside(base)).exit).toBe(0);
    expect((await beside(smaller, '--allow', 'bound=50')).exit).toBe(0);
    const { out } = await beside(smaller, '--json');
    expect(JSON.parse(out)).toMatchObject({
      baseline: { new: [], worse: [{ field: 'bound', from: bound - 1, to: bound }] },
    });
    const summary = join(folder, 'summary.md');
    await beside(smaller, '--format', `markdown=${summary}`);
    expect(readFileSync(summary, 'utf8')).toContain('| bound | `14` | `15` (+7.1 %) |');
  });

  it('a step of GitHub Actions has one summary for all its commands', async () => {
    const summary = join(folder, 'step.md');
    const before = process.env.GITHUB_STEP_SUMMARY;
    process.env.GITHUB_STEP_SUMMARY = summary;
    try {
      for (const command of ['verify', 'prove'])
        await here([command, LOCK, '--format', `markdown=${summary}`]);
    } finally {
      if (before === undefined) delete process.env.GITHUB_STEP_SUMMARY;
      else process.env.GITHUB_STEP_SUMMARY = before;
    }
    expect(readFileSync(summary, 'utf8')).toMatch(/^### swansong verify\n[\s\S]*### swansong prove\n/);
  });
});
