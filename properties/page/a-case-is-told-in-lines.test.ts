/**
 * What a case shows, as text: `show` draws it in 80 columns with the ledger as lanes, and a mail of it has 72. Of every case of the corpus the
 * sentences name what is to blame, where it was killed and what broke.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { replayText } from '../../src/campaign/check/replay.js';
import { caseInWords } from '../../src/report/campaign/show.js';
import { PageMaker } from '../../src/report/page/maker.js';
import type { PageCase, PageRun } from '../../src/report/page/shape.js';
import { CORPUS, here } from '../support/cli.js';

let cases: readonly PageCase[];
beforeAll(async () => {
  const maker = new PageMaker();
  for (const name of readdirSync(CORPUS).filter((one) => one.endsWith('.bpf')))
    await maker.addCase(readFileSync(join(CORPUS, name), 'utf8'), join(CORPUS, name), {
      file: name,
      strict: true,
    });
  cases = maker.cases;
});

const told = (part: readonly string[]): string => part.join(' ');

describe('every case of the corpus', () => {
  it('is told in sentences that name what is to blame, and why', () => {
    expect(cases.length).toBeGreaterThan(100);
    for (const one of cases) {
      const { story, file, function: name, check, expected, got } = one;
      expect([file, one.trouble, got]).toEqual([file, null, expected]);
      expect([file, check]).toEqual([file, expected.split(' ')[0]]);
      for (const blamed of name!.split('+')) {
        expect([file, told(story!.patched).includes(blamed)]).toEqual([file, true]);
        expect([file, told(story!.wrong).includes(blamed)]).toEqual([file, true]);
        expect([file, told(story!.right).includes(`For ${blamed} at insn`)]).toEqual([file, true]);
      }
      const [{ calls }] = one.runs as [PageRun];
      const isStub = calls.some((call) => call.action === 'stub' && name!.split('+').includes(call.function));
      expect([file, told(story!.wrong).includes('nothing is proven')]).toEqual([file, isStub]);
      expect([file, story!.killed]).toEqual([file, expect.stringMatching(/^Before step \d+, insn \d+ \(/)]);
      expect([file, story!.broke[0]]).toEqual([file, expect.stringMatching(`^${check}, at insn`)]);
      expect([file, story!.held.length > 0]).toEqual([file, true]);
    }
  });

  it('that is killed by a strategy is told as that strategy kills it, and one with invariants by these', async () => {
    const maker = new PageMaker();
    const folders = ['design', 'invariants'].map((name) => join(CORPUS, name));
    const files = folders.flatMap((folder) =>
      readdirSync(folder).flatMap((one) => (one.endsWith('.bpf') ? [join(folder, one)] : [])),
    );
    for (const file of files) await maker.addCase(readFileSync(file, 'utf8'), file, { file, strict: true });
    let ended = 0;
    for (const one of maker.cases) {
      const answer = await replayText(one.text, one.file);
      expect([one.file, one.trouble, one.got, one.ok]).toEqual([one.file, null, answer.got, answer.ok]);
      const strategy = /^\.strategy (\S+)$/m.exec(one.text)?.[1];
      if (strategy !== undefined) expect([one.file, one.runs[0]!.rules]).toEqual([one.file, strategy]);
      const lines = caseInWords(one, true);
      for (const line of lines.split('\n')) expect([one.file, line.length <= 80]).toEqual([one.file, true]);
      const ends = one.runs[0]!.steps.some((step) => step.ended);
      expect([one.file, /\(ended here\)/.test(lines)]).toEqual([one.file, ends]);
      if (ends) ended++;
      if (ends) expect(told(one.story!.patched)).toMatch(/The run was ended (at once|\d+ insns after)/);
    }
    expect(ended).toBeGreaterThan(5);
  });

  it('unkilled holds, and under sound as well', () => {
    for (const { file, runs } of cases)
      for (const run of runs.slice(1)) expect([file, run.kind, run.broken]).toEqual([file, run.kind, []]);
  });

  it('makes a mail of 72 columns, but for the lines of the case itself', () => {
    for (const { file, mail, text, command } of cases) {
      const own = new Set([command, ...text.split('\n')].map((line) => `    ${line}`));
      const wide = mail
        .split('\n')
        .filter((line) => line.length > 72 && !own.has(line) && / /.test(line.trim()));
      expect([file, wide]).toEqual([file, []]);
      expect([file, mail.endsWith('\n'), /[‘’]/.test(mail)]).toEqual([file, true, false]);
      // It can be taken out of the mail again.
      const quoted = mail.slice(mail.indexOf(`    ${text.split('\n')[0]!}`));
      expect(quoted.replace(/^ {4}/gm, '').trimEnd()).toBe(text.trimEnd());
    }
  });

  it('is drawn in 80 columns', () => {
    for (const one of cases)
      for (const line of caseInWords(one, true).split('\n'))
        expect([one.file, line.length <= 80]).toEqual([one.file, true]);
  });

  it('has in the lanes of its drawing what the ledger has', () => {
    let drawn = 0;
    for (const one of cases) {
      for (const run of one.runs) {
        const lines = linesOf(one, run);
        run.lanes.slice(0, 8).forEach(({ from, to }, lane) => {
          const mark = (step: number): string | undefined => lines.get(step)?.at(80 - lanesOf(run) + lane);
          expect([one.file, run.kind, mark(from)]).toEqual([one.file, run.kind, 'abcdefgh'[lane]]);
          const last = run.steps.at(-1)!.step;
          if (to !== null) expect([one.file, mark(to)]).toEqual([one.file, 'o']);
          else if (from < last) expect([one.file, mark(last)]).toEqual([one.file, 'X']);
          for (const { step } of run.steps) {
            const isHeld = step > from && step < (to ?? last);
            if (isHeld) expect([one.file, mark(step)]).toEqual([one.file, '|']);
            else if (step < from || step > (to ?? last))
              expect([one.file, mark(step)]).toEqual([one.file, ' ']);
          }
          drawn++;
        });
      }
    }
    expect(drawn).toBeGreaterThan(200);
  });
});

const lanesOf = ({ lanes, neverTaken }: PageRun): number => Math.min(8, lanes.length + neverTaken.length);

/** The lines of one run's steps, by step, padded to 80 columns. */
function linesOf(one: PageCase, run: PageRun): ReadonlyMap<number, string> {
  const alone = caseInWords({ ...one, runs: [run] }, false);
  const drawing = alone.slice(alone.lastIndexOf('\n\n'));
  return new Map(
    drawing.split('\n').flatMap((line): [number, string][] => {
      const step = /^[x ] {0,4}(\d+) +\d+ {2}/.exec(line)?.[1];
      return step === undefined ? [] : [[Number(step), line.padEnd(80)]];
    }),
  );
}

it('show prints it, in colours where they are asked for, and refuses what is no case', async () => {
  const file = 'corpus/rfc-v1-leak-bpf_sk_release-9df8a9.bpf';
  const plain = await here(['show', file]);
  expect(plain).toMatchObject({ exit: 0, err: '' });
  expect(plain.out).toContain('socket reference taken by bpf_sk_lookup_tcp at insn 5, never given back');
  expect(JSON.parse((await here(['show', file, '--json'])).out)).toMatchObject({
    cases: [{ file, check: 'leak' }],
  });
  vi.stubEnv('NO_COLOR', undefined);
  vi.stubEnv('FORCE_COLOR', '1');
  try {
    const coloured = (await here(['show', file])).out;
    expect(coloured).toContain('\u001b[31m');
    expect(stripVTControlCharacters(coloured)).toBe(plain.out);
  } finally {
    vi.unstubAllEnvs();
  }
  expect(await here(['show', 'package.json'])).toMatchObject({ exit: 2, out: '' });
  expect((await here(['show', 'no-such.bpf'])).exit).toBe(2);
});
