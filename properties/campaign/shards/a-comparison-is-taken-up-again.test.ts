/** A comparison with Linux that was stopped goes on from its file to the same end, and its exit code tells bugs from lost precision. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { addCounts, type Counts, emptyCounts, tallyFor } from '../../../src/campaign/agreement/counts.js';
import { type AgreementState, runAgreement } from '../../../src/campaign/agreement/run.js';
import { runCli } from '../../../src/cli/cli.js';
import { InputError } from '../../../src/isa/errors.js';
import { BUILT_IN, type KernelProfile, LAXEST } from '../../../src/kernel/profile.js';
import { describeKernel } from '../../support/kernel/skip.js';
import { seeded } from '../../support/seed.js';

const opened = vi.hoisted(() => ({ now: 0 }));

vi.mock('../../../src/campaign/agreement/comparisons.js', () => {
  const open = (kind: (index: number) => string | undefined) => () => {
    opened.now++;
    return {
      compare(
        seed: number,
        index: number,
        tally: { count(what: string): void; differ(a: string, b: string): void },
      ) {
        tally.count(index % 3 === 0 ? 'third' : 'other');
        const found = kind(index);
        if (found !== undefined) tally.differ(found, `seed ${seed} program ${index}`);
      },
      close() {
        opened.now--;
      },
    };
  };
  return {
    COMPARISONS: {
      agreed: open(() => undefined),
      precise: open((index) => (index % 7 === 0 ? 'stricter: a word' : undefined)),
      wrong: open((index) => (index % 11 === 0 ? 'looser: a word' : undefined)),
    },
  };
});

const folder = (): string => mkdtempSync(join(tmpdir(), 'agreement-'));
const run = (file: string, programs: number, seed = 1): Promise<AgreementState> =>
  runAgreement({ comparison: 'wrong', seed, programs, workers: 1, file });

it('under the profile that it was begun with, or, where none was kept, under one like the built-in', async () => {
  const file = join(folder(), 'run.json');
  const under = (kernelProfile: KernelProfile): Promise<AgreementState> =>
    runAgreement({ comparison: 'wrong', seed: 1, programs: 4, workers: 1, file, kernelProfile });
  const other = { ...LAXEST, release: 'other', digest: 'a'.repeat(64) };
  await under(other);
  await expect(under(BUILT_IN)).rejects.toThrow('its kernel profile is other (aaaaaaaaaaaa), not built-in');
  const { kernelProfile: _, ...older } = await under(other);
  writeFileSync(file, JSON.stringify(older));
  await expect(under(other)).rejects.toThrow('its kernel profile is built-in, not other (aaaaaaaaaaaa)');
  expect(await under({ ...BUILT_IN, release: 'alike', digest: 'b'.repeat(64) })).toMatchObject({ done: 4 });
});

it('in one go or in several it comes to the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 4 }),
      async (ends) => {
        const file = join(folder(), 'run.json');
        for (const end of ends) await run(file, end);
        const programs = Math.max(...ends);
        const { ms: _, ...parts } = await run(file, programs);
        const { ms: __, ...whole } = await run(join(folder(), 'run.json'), programs);
        expect(parts).toEqual(whole);
        expect(whole.done).toBe(programs);
        expect(whole.counts.third).toBe(Math.ceil(programs / 3));
        expect(whole.differences['looser: a word']!.count).toBe(Math.ceil(programs / 11));
        expect(opened.now).toBe(0);
      },
    ),
    seeded(20),
  );
});

it('stretches add up to what one tally takes down, the first examples kept', () => {
  const word = fc.constantFrom('a', 'b', 'c');
  const event = fc.record({ word, differs: fc.boolean() });
  const write = (events: readonly { word: string; differs: boolean }[], from: number): Counts => {
    const counts = emptyCounts();
    const tally = tallyFor(counts);
    for (const [i, { word: what, differs }] of events.entries()) {
      if (differs) tally.differ(what, `${from + i}`);
      else tally.count(what);
    }
    return counts;
  };
  fc.assert(
    fc.property(fc.array(event), fc.array(event), (one, two) => {
      const sum = write(one, 0);
      addCounts(sum, write(two, one.length));
      expect(sum).toEqual(write([...one, ...two], 0));
    }),
    seeded(100),
  );
});

it('a file of another run, or of something else, is refused', async () => {
  const file = join(folder(), 'run.json');
  await run(file, 10);
  await expect(run(file, 20, 2)).rejects.toThrow('its seed is 1, not 2');
  const as = (more: Partial<Parameters<typeof runAgreement>[0]>): Promise<AgreementState> =>
    runAgreement({ comparison: 'wrong', seed: 1, programs: 20, workers: 1, file, ...more });
  await expect(as({ comparison: 'agreed' })).rejects.toThrow('its comparison is wrong, not agreed');
  await expect(as({ loader: 'strict' })).rejects.toThrow('its loader is undefined, not strict');
  const strict = join(folder(), 'run.json');
  await as({ loader: 'strict', file: strict });
  await expect(as({ loader: 'privileged', file: strict })).rejects.toThrow(
    'its loader is strict, not privileged',
  );
  await expect(as({ file: strict })).rejects.toThrow('its loader is strict, not undefined');
  for (const text of ['', '{', 'null', '[]', '{"done":3}']) {
    writeFileSync(file, text);
    await expect(run(file, 20)).rejects.toThrow(InputError);
  }
});

it('one that is told to stop has kept what was done', async () => {
  const file = join(folder(), 'run.json');
  const stop = new AbortController();
  const progress = ({ done }: AgreementState): void => {
    if (done >= 16) stop.abort();
  };
  const state = await runAgreement({
    comparison: 'wrong',
    seed: 1,
    programs: 1000,
    workers: 1,
    file,
    stop: stop.signal,
    progress,
  });
  expect(state.done).toBe(16);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ done: 16 });
});

describeKernel('agree', () => {
  const agree = async (...args: string[]): Promise<{ exit: number; out: string; err: string }> => {
    let [out, err] = ['', ''];
    const exit = await runCli(['agree', '--workers', '1', '--out', folder(), ...args], {
      out: async (text) => {
        out += text;
      },
      err: (line) => {
        err += line;
      },
    });
    return { exit, out, err };
  };

  it('exits with 0 where only precision is lost, with 1 on anything else', async () => {
    expect(await agree('agreed', '--programs', '20')).toMatchObject({ exit: 0 });
    expect(await agree('precise', '--programs', '20')).toMatchObject({ exit: 0 });
    const { exit, out } = await agree('--programs', '20', '--json');
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      comparisons: [
        { comparison: 'agreed', finished: true, differences: {} },
        { comparison: 'precise', differences: { 'stricter: a word': { count: 3 } } },
        {
          comparison: 'wrong',
          differences: {
            'looser: a word': { count: 2, examples: ['seed 1 program 0', 'seed 1 program 11'] },
          },
        },
      ],
    });
  });

  it('names the comparisons that there are', async () => {
    expect(await agree('nothing')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('agreed, precise, wrong'),
    });
  });
});
