/**
 * `verify --kernel` says of each program where the two verifiers stand, counts programs by reason with the worst first, and names files
 * below a folder that cannot be used in one line without letting go of the others.
 */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classify,
  GAP_CLASSES,
  type GapEntry,
  gapRows,
  gapTotals,
  reasonOf,
} from '../../src/report/programs/gap.js';
import { CORPUS, here, scratch } from '../support/cli.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

const verdict = fc.constantFrom('accepted', 'rejected', 'unsupported', 'budget', 'error');
const judged = fc.constantFrom('accepted', 'rejected', 'not judged');
const message = fc.constantFrom('', 'R1 !read_ok', "extern 'x' is missing", 'off=-8 size=8');
const pair = fc.record({
  ours: fc.record({ verdict, message }),
  kernel: fc.record({ verdict: judged, message }),
});

describe('a program', () => {
  it('is looser only if we take what Linux refuses, and stricter only if we refuse what it takes', () => {
    fc.assert(
      fc.property(pair, ({ ours, kernel }) => {
        const { class: kind } = classify({ ours, kernel });
        const looser = ours.verdict === 'accepted' && kernel.verdict === 'rejected';
        const stricter = ours.verdict === 'rejected' && kernel.verdict === 'accepted';
        expect(kind === 'looser').toBe(looser);
        expect(kind === 'stricter').toBe(stricter);
        if (kind === 'agree') expect(['accepted', 'rejected']).toContain(kernel.verdict);
        if (ours.verdict === 'error') expect(kind).toBe('error');
      }),
      seeded(500),
    );
  });

  it('has the reason of all that fail in the same way', () => {
    expect(reasonOf('R1 invalid mem access, off=-8 size=4')).toBe(
      reasonOf('R9 invalid mem access, off=16 size=8'),
    );
    expect(reasonOf("map 'a': its type x is not modelled")).toBe(
      reasonOf("map 'b': its type x is not modelled"),
    );
    expect(reasonOf('say what it is with --type a=TYPE')).toBe(reasonOf('say what it is with --type b=TYPE'));
    expect(reasonOf('helper bpf_a#1 is not modelled')).not.toBe(reasonOf('helper bpf_b#2 is not modelled'));
    expect(reasonOf('var_off=(0x0; 0xff)')).toBe(reasonOf('var_off=(0x10; 0x1)'));
  });
});

describe('rows', () => {
  const entry: fc.Arbitrary<GapEntry> = fc.record({
    class: fc.constantFrom(...GAP_CLASSES),
    reason: fc.constantFrom('a', 'b', 'c'),
    of: fc.constantFrom('x:1', 'y:2', 'z:3'),
  });

  it('count every program once, the worst class first and in it the reason with the most programs', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), (entries) => {
        const rows = gapRows(entries);
        expect(rows.reduce((sum, row) => sum + row.programs, 0)).toBe(entries.length);
        rows.slice(1).forEach((row, i) => {
          const [a, b] = [GAP_CLASSES.indexOf(rows[i]!.class), GAP_CLASSES.indexOf(row.class)];
          expect(a < b || (a === b && rows[i]!.programs >= row.programs)).toBe(true);
        });
        const totals = gapTotals(entries);
        expect(Object.values(totals).reduce((sum, count) => sum + count, 0)).toBe(entries.length);
        for (const row of rows) expect(entries.some((one) => one.of === row.example)).toBe(true);
      }),
      seeded(200),
    );
  });
});

describe('files', () => {
  const folder = scratch();
  mkdirSync(join(folder, 'deep', 'deeper'), { recursive: true });
  copyFileSync(join(CORPUS, 'objects/ringbuf_event.o'), join(folder, 'deep/deeper/good.o'));
  writeFileSync(join(folder, 'deep/broken.o'), 'no object');
  writeFileSync(join(folder, 'deep/empty.bin'), '');

  it('below a folder are left out with a line each when they are broken', async () => {
    const { exit, out, err } = await here(['verify', folder, '--json']);
    const { programs, broken } = JSON.parse(out) as {
      programs: { name: string; verdict: string }[];
      broken: { file: string; reason: string }[];
    };
    expect(err).toBe('');
    expect(exit).toBe(3);
    expect(programs.length).toBeGreaterThan(0);
    expect(programs.every((one) => one.verdict === 'accepted')).toBe(true);
    expect(broken.map(({ file }) => file).sort()).toEqual(
      [join(folder, 'deep/broken.o'), join(folder, 'deep/empty.bin')].sort(),
    );
    for (const { reason } of broken) expect(reason).not.toMatch(/\n/);
    expect((await here(['verify', folder])).out).toMatch(/left out: .*broken\.o: .+\n/);
  });

  it('that were named are bad input; the others are judged all the same', async () => {
    const broken = join(folder, 'deep/broken.o');
    const { exit, out } = await here(['verify', folder, broken]);
    expect(exit).toBe(2);
    expect(out).toMatch(/good\.o\n {2}ringbuf_event +accepted/);
    expect(out).toMatch(/left out: .*broken\.o: .+\n$/);
    const alone = await here(['verify', broken]);
    expect([alone.exit, alone.out]).toEqual([2, '']);
    expect(alone.err).toMatch(/^swansong: .*broken\.o: .+\n$/);
  });
});

describeKnownKernel('with the kernel', () => {
  it('the samples agree, and the table says so', async () => {
    // Programs that both refuse, and those that wait for another program, are in folders of their own.
    const folders = ['papers', 'timed'].map((name) => join(CORPUS, 'objects', name));
    const samples = readdirSync(join(CORPUS, 'objects'))
      .filter((name) => name.endsWith('.o'))
      .map((name) => join(CORPUS, 'objects', name));
    const { exit, out } = await here(['verify', '--kernel', '--json', ...samples, ...folders]);
    const { programs, gap, totals } = JSON.parse(out) as {
      programs: { file: string; class: string; kernel?: { verdict: string; ms: number }; ms: number }[];
      gap: { class: string; reason: string; programs: number }[];
      totals: Record<string, number>;
    };
    expect(exit).toBe(0);
    // One calls a function that no kernel has, and is not asked about; a scheduler is not judged where the kernel lacks its struct.
    const asked = programs.filter(({ kernel }) => kernel !== undefined);
    expect(programs.length - asked.length).toBe(1);
    const agreed = asked.filter((one) => one.class !== 'not judged');
    const { agree, ...others } = totals;
    expect(agree).toBe(agreed.length);
    expect(Object.keys(others).filter((what) => what !== 'not judged')).toEqual([]);
    expect(others['not judged'] ?? 0).toBe(asked.length - agreed.length);
    expect(asked.filter(({ file }) => !/fifo_sched/.test(file)).length).toBeLessThanOrEqual(agreed.length);
    expect(gap.filter((one) => one.class === 'agree')).toMatchObject([
      { reason: 'both accept', programs: agreed.length },
    ]);
    for (const one of agreed) {
      expect([one.class, one.kernel?.verdict]).toEqual(['agree', 'accepted']);
      expect(one.ms).toBeGreaterThanOrEqual(0);
      expect(one.kernel?.ms).toBeGreaterThanOrEqual(0);
    }
  });

  it('what is refused by both agrees, and ends with 1', async () => {
    const bad = join(scratch(), 'bad.bpf');
    writeFileSync(bad, '.type xdp\n\nmain:\n    r0 = r3\n    exit\n');
    const { exit, out } = await here(['verify', '--kernel', bad]);
    expect(exit).toBe(1);
    expect(out).toMatch(/both refuse/);
  });
});
