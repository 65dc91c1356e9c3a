/**
 * The tables of `prove` and `verify` name an object once, then its programs, and fit 80 columns whatever names, figures and reasons there are; what they
 * say can be read back. The document of `prove` is a summary; with --bounds it has each insn, with its line.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CertificateRow, certificatesInWords } from '../../src/report/programs/certificates.js';
import { GAP_CLASSES, gapRows } from '../../src/report/programs/gap.js';
import { leftOutRow, lostRow, type ProofRow, ProofTable } from '../../src/report/programs/proofs.js';
import {
  gapInWords,
  lostVerdict,
  type VerdictRow,
  VerdictTable,
} from '../../src/report/programs/verdicts.js';
import { here } from '../support/cli.js';
import { seeded } from '../support/seed.js';

const COLUMNS = 80;
/** As long as a name in C may be, and longer than a column. */
const name = fc
  .tuple(fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/), fc.nat(50))
  .map(([begin, more]) => begin + 'x'.repeat(more));
const file = fc.constantFrom('a.o', 'objects/b.o', 'objects/deep/c.bpf.o');
const words = fc
  .array(fc.stringMatching(/^[a-z0-9']{1,12}$/), { minLength: 1, maxLength: 40 })
  .map((list) => list.join(' '));
const figure = fc.integer({ min: 0, max: 99_999 });

const proofRow: fc.Arbitrary<ProofRow> = fc
  .record({
    ...{ file, name, insns: figure, points: figure, reason: words, advice: words },
    verdict: fc.constantFrom('proven', 'refuted', 'unknown'),
    bound: fc.option(figure),
    ms: figure,
    kept: fc.array(fc.record({ slot: figure, function: name, may: fc.constant(['spin', 'slow'] as const) }), {
      maxLength: 4,
    }),
  })
  .map((one) => ({ ...lostRow(one, 'died', {}), ...one }) as ProofRow);

const verdictRow: fc.Arbitrary<VerdictRow> = fc
  .record({
    ...{ file, name, insns: figure, walked: figure, states: figure, ms: figure, message: words },
    verdict: fc.constantFrom('accepted', 'rejected', 'unsupported', 'budget', 'error', 'stopped'),
    kernel: fc.record({
      verdict: fc.constantFrom('accepted', 'rejected'),
      message: words,
      ms: figure,
      walked: figure,
    }),
  })
  .map((one) => ({ ...lostVerdict(one, 'died', {}), ...one }));

/** Objects and figures of a table, read back: a longer name has a line of its own. */
function readBack(text: string): {
  readonly objects: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const lines = text.split('\n').slice(1, -1);
  const objects = lines.filter((line) => /^\S/.test(line));
  const rows = lines.flatMap((line, i): string[][] => {
    if (/^ {2}\S+ {2}/.test(line)) return [line.trim().split(/\s+/)];
    if (/^ {2}\S+$/.test(line)) return [`${line} ${lines[i + 1]!}`.trim().split(/\s+/)];
    return [];
  });
  return { objects, rows };
}

const runs = (files: readonly string[]): readonly string[] => files.filter((one, i) => one !== files[i - 1]);

describe('whatever is in them, a table', () => {
  it('of proofs fits, and can be read back', () => {
    fc.assert(
      fc.property(fc.array(proofRow, { minLength: 1, maxLength: 8 }), (rows) => {
        const table = new ProofTable();
        const text = rows.map((row) => table.add(row)).join('');
        for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(COLUMNS);
        const { objects, rows: read } = readBack(text);
        expect(objects).toEqual(runs(rows.map((one) => one.file)));
        expect(read).toEqual(
          rows.map((one) => [
            ...[one.name, one.verdict, `${one.insns}`, `${one.points}`],
            ...[one.bound === null ? '-' : `${one.bound}`, '0', one.ms.toFixed(1)],
          ]),
        );
        // Nothing of a reason is cut off.
        for (const one of rows)
          if (one.verdict === 'unknown')
            expect(text.replace(/\s+/g, ' ')).toContain(`${one.reason} (${one.advice})`);
      }),
      seeded(200),
    );
  });

  it('of verdicts fits, and has what Linux says below each', () => {
    fc.assert(
      fc.property(fc.array(verdictRow, { minLength: 1, maxLength: 8 }), (rows) => {
        const table = new VerdictTable(true, false);
        const text = rows.map((row) => table.add(row)).join('');
        for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(COLUMNS);
        const { objects, rows: read } = readBack(text);
        expect(objects).toEqual(runs(rows.map((one) => one.file)));
        expect(read).toEqual(
          rows.map((one) => [
            one.name,
            one.verdict,
            ...[one.insns, one.walked, one.states].map(String),
            one.ms.toFixed(2),
          ]),
        );
        expect(
          [...text.matchAll(/^ {4}in Linux +(\w+) +(\d+) +(\S+)$/gm)].map(([, ...cells]) => cells),
        ).toEqual(rows.map(({ kernel }) => [kernel!.verdict, `${kernel!.walked}`, kernel!.ms.toFixed(2)]));
      }),
      seeded(200),
    );
  });

  it('of reasons fits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ class: fc.constantFrom(...GAP_CLASSES), reason: words, of: name }), {
          minLength: 1,
          maxLength: 9,
        }),
        (gap) => {
          const text = gapInWords(gap);
          const wide = text
            .split('\n')
            .filter((line) => line.length > COLUMNS && !line.includes('for example'));
          expect(wide).toEqual([]);
          for (const { reason, class: kind, programs } of gapRows(gap)) {
            expect(text.replace(/\s+/g, ' ')).toContain(`${programs} ${kind} ${reason} for example`);
          }
        },
      ),
      seeded(100),
    );
    expect(gapInWords(undefined)).toBe('');
  });

  it('of certificates fits', () => {
    const row = (file: string, name: string, message: string) =>
      ({
        ...{
          file,
          name,
          message,
          verdict: 'inexpressible',
          sitesLeftOut: [],
          sitesStubbed: 1,
          notLookedFor: [],
        },
        ...{ insns: 99_999, twoMode: { insns: 1 }, walked: 999_999, ms: 9999.9 },
      }) as unknown as CertificateRow;
    fc.assert(
      fc.property(fc.array(fc.tuple(file, name, words), { minLength: 1, maxLength: 5 }), (all) => {
        const text = certificatesInWords(
          all.map((one) => row(...one)),
          '',
        );
        for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(COLUMNS);
        expect(readBack(text).objects).toEqual(runs(all.map(([one]) => one)));
        for (const [, one, message] of all)
          expect(text.replace(/\s+/g, ' ')).toContain(
            `${one} inexpressible 99999 1 999999 9999.9 ${message}`,
          );
      }),
      seeded(100),
    );
  });

  it('of very many verdicts beside Linux lists those that differ', () => {
    const row = (i: number, kind: VerdictRow['class']): VerdictRow => ({
      ...lostVerdict({ file: 'a.o', name: `p${i}`, insns: 1, ms: 1 }, 'died', {}),
      ...(kind && { class: kind }),
    });
    const table = new VerdictTable(true, false);
    const text = Array.from({ length: 200 }, (_, i) =>
      table.add(row(i, i === 150 ? 'looser' : 'agree')),
    ).join('');
    const names = readBack(text).rows.map(([one]) => one);
    expect(names).toEqual([...Array.from({ length: 60 }, (_, i) => `p${i}`), 'p150']);
    expect(text.match(/from here on only where the two differ/g)).toHaveLength(1);
    expect(table.listsAll).toBe(false);
    const alone = new VerdictTable(false, false);
    expect(
      Array.from({ length: 70 }, (_, i) => alone.add(row(i, undefined))).every((line) => line !== ''),
    ).toBe(true);
  });
});

describe('the document of prove', () => {
  const ask = async (...args: string[]) => {
    const { out } = await here(['prove', 'corpus/objects/lock_counter.o', '--cost', '--json', ...args]);
    return { out, row: (JSON.parse(out) as { programs: [Record<string, unknown>] }).programs[0] };
  };

  it('tells the worst place, and nothing of each insn unless it is asked to', async () => {
    const [summary, whole] = [await ask(), await ask('--bounds')];
    const { bounds, timeLimits, worstPath, places, ...rest } = whole.row as Record<
      string,
      Record<string, object>
    >;
    const { ms: _, timeToDie: time, ...told } = rest;
    const { ms: __, timeToDie: short, ...same } = summary.row as Record<string, Record<string, object>>;
    const sites = (told.sites as unknown as Record<string, unknown>[]).map(({ stub, why, ...site }) => {
      expect([typeof why, stub !== undefined]).toEqual(['string', site.action === 'stub']);
      return site;
    });
    expect(same).toEqual({ ...told, sites });
    const { bySlot, ...inShort } = time!;
    expect(short).toEqual(inShort);
    expect(summary.out.split('\n').length).toBeLessThan(whole.out.split('\n').length / 2);
    expect(timeLimits).toEqual({});
    expect(Object.keys(places!)).toEqual(Object.keys(bounds!));
    expect(Object.keys(bySlot!)).toEqual(Object.keys(bounds!));
    const [first] = worstPath as unknown as number[];
    expect(Math.max(...(Object.values(bounds!) as unknown as number[]))).toBe(bounds![first!]);
    expect(summary.row.worst).toMatchObject({ slot: first, ...places![first!] });
    expect(summary.row.worst).toMatchObject({
      file: './lock_counter.c',
      line: expect.any(Number),
      function: 'lock_counter',
    });
  });

  it('of a program that is left out has the option that settles it, once in words', () => {
    const row = leftOutRow({
      file: 'a.o',
      name: 'p',
      reason: 'its loader gives it: say which with --inner a=MAP',
    });
    expect([row.verdict, row.advice]).toEqual(['unknown', 'with --inner a=MAP']);
    expect(new ProofTable().add(row).match(/--inner/g)).toHaveLength(1);
    expect(leftOutRow({ file: 'a.o', name: 'p', reason: 'r' }).advice).toContain('ask Linux');
    const target = leftOutRow({ file: 'a.o', name: 'p', reason: "it attaches to 'f', which is not there" });
    expect(target.advice).toContain('--attach p=FUNCTION');
  });

  it('has no worst place where there is no bound', async () => {
    const { out } = await here([
      'prove',
      'corpus/objects/lock_counter.o',
      '--rules',
      'rfc-v1',
      '--json',
      '--bounds',
    ]);
    expect(JSON.parse(out)).toMatchObject({
      programs: [{ worst: null, bound: null, bounds: {}, worstPath: [] }],
    });
  });
});
