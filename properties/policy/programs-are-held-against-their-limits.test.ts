/** `policy check` and `policy simulate`: verdicts and exit codes by what is known of a program, and the same bytes for the same seed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PolicyCheckDocument, PolicySimulateDocument } from '../../src/report/documents.js';
import { here, scratch } from '../support/cli.js';

const ROOT = resolve(import.meta.dirname, '../..');
const folder = scratch();
const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const SHORT = '.type xdp\n\nmain:\n r0 = 0\n exit\n';
const LOOP = `.type xdp\n.license GPL\n\nmain:
 r1 = 100000
 r2 = func each
 r3 = 0
 r4 = 0
 call bpf_loop
 r0 = 0
 exit
each:
 r0 = 0
 exit
`;
/** Holds a lock in each round, so that v1 breaks it. */
const LOCKED = `.type xdp\n.license GPL\n.map m array key=4 value=24 entries=1 spin_lock@0\n\nmain:
 r1 = 100000
 r2 = func each
 r3 = 0
 r4 = 0
 call bpf_loop
 r0 = 0
 exit
each:
 r6 = mapvalue m
 r1 = r6
 call bpf_spin_lock
 r1 = r6
 call bpf_spin_unlock
 r0 = 0
 exit
`;
/** Takes the loop now and then. */
const RARE = LOOP.replace('main:\n', 'main:\n call bpf_get_prandom_u32\n if r0 > 10 goto over\n').replace(
  ' r0 = 0\n exit\neach',
  'over:\n r0 = 0\n exit\neach',
);
const policy = (action: string, rules: string): string =>
  put(
    `${action}-${rules}.toml`,
    `rules = "${rules}"\n[[limit]]\nhook = "xdp"\ntime = "50us"\naction = "${action}"\n`,
  );

describe('programs are held against their limits', () => {
  const short = put('short.bpf', SHORT);
  const loop = put('loop.bpf', LOOP);
  const locked = put('locked.bpf', LOCKED);
  const check = async (file: string, ...programs: string[]) => {
    const { exit, out } = await here(['policy', 'check', file, ...programs, '--json']);
    return { exit, rows: (JSON.parse(out) as PolicyCheckDocument).programs };
  };

  it.each([
    ['refuse', 'sound', 'over', 1],
    ['kill', 'sound', 'killable', 0],
    ['throttle', 'sound', 'killable', 0],
    ['detach', 'rfc-v1', 'killable', 0],
  ] as const)('a loop above a limit that says %s, under %s: %s', async (action, rules, verdict, code) => {
    const { exit, rows } = await check(policy(action, rules), short, loop);
    expect(rows.map((row) => row.verdict)).toEqual(['within', verdict]);
    expect(exit).toBe(code);
    expect(rows[1]!.worst).toBeGreaterThan(50_000);
    expect(rows[1]!.makes[0]).toMatchObject({ what: 'loop', loops: [{ by: 'bpf_loop', rounds: 100_000 }] });
    expect(rows[1]!.path.map(({ what }) => what)).toContain('loop');
    if (verdict === 'killable') expect(rows[1]!.timeToDie).toBeLessThan(1000);
  });

  it('what is long only now and then is long', async () => {
    const { exit, rows } = await check(policy('refuse', 'sound'), put('rare.bpf', RARE));
    expect([exit, rows[0]!.verdict]).toEqual([1, 'over']);
    expect(rows[0]!.best).toBeLessThan(1000);
    expect(rows[0]!.path.slice(0, 2).map(({ what }) => what)).toEqual([
      'bpf_get_prandom_u32',
      'jump not taken',
    ]);
  });

  it('what breaks when it is killed may not be killed', async () => {
    const { exit, rows } = await check(policy('kill', 'rfc-v1'), locked);
    expect([exit, rows[0]!.verdict, rows[0]!.ok]).toEqual([1, 'over', false]);
    expect(rows[0]!.reason).toMatch(/whether it can be killed is refuted/);
    expect((await check(policy('kill', 'sound'), locked)).exit).toBe(0);
  });

  it('what is not verified is not known', async () => {
    const bad = put('bad.bpf', '.type xdp\n\nmain:\n r0 = r3\n exit\n');
    const { exit, rows } = await check(policy('kill', 'sound'), bad);
    expect([exit, rows[0]!.verdict]).toEqual([3, 'unknown']);
  });

  it('the person reads the estimate and the way', async () => {
    const { exit, out } = await here(['policy', 'check', policy('refuse', 'sound'), loop]);
    expect(exit).toBe(1);
    expect(out).toMatch(/loop\.bpf:\S+ +50 us +refuse/);
    expect(out).toMatch(/loop at \d+ \(bpf_loop at \d+, 100000 rounds\)/);
    expect(out).toMatch(/way: .*loop/);
  });

  it('a simulation has the same bytes for the same seed, and others for another', async () => {
    const object = join(ROOT, 'corpus/objects/lock_counter.o');
    const file = put(
      'load.toml',
      `[[limit]]\ntime = "60ns"\naction = "kill"\n[simulate]\nduration = "100us"\nkill = "5ns"\nwatchdog = "20ns"
[[simulate.hook]]\nname = "h"\nwork = "1us"\nrate = 500000\nworlds = 3\nobject = "${object}"
[simulate.sweep]\nstrategy = ["none", "fast-path"]\n`,
    );
    const run = async (seed: string) => {
      const csv = join(folder, 'out.csv');
      const svg = join(folder, 'out.svg');
      const { exit, out } = await here([
        'policy',
        'simulate',
        file,
        '--seed',
        seed,
        '--json',
        '--csv',
        csv,
        '--chart',
        svg,
      ]);
      expect(exit).toBe(0);
      return [out, readFileSync(csv, 'utf8'), readFileSync(svg, 'utf8')] as const;
    };
    const once = await run('5');
    expect(await run('5')).toEqual(once);
    expect((await run('6'))[1]).not.toBe(once[1]);
    const { series } = JSON.parse(once[0]) as PolicySimulateDocument;
    expect(series.map(({ values }) => values.strategy)).toEqual(['none', 'fast-path']);
    expect(once[1].split('\n')[0]).toMatch(/^strategy,hook,throughput,/);
    expect(once[1].trim().split('\n')).toHaveLength(3);
    expect(once[2]).toMatch(/^<svg [^>]*>[\s\S]*<\/svg>\n$/);
  });

  it('what cannot be simulated is told in one line', async () => {
    const without = put('without.toml', '[[limit]]\ntime = "1us"\naction = "kill"\n');
    const { exit, err } = await here(['policy', 'simulate', without]);
    expect(exit).toBe(2);
    expect(err).toMatch(/expected a table \[simulate\]/);
    const maps = put(
      'maps.toml',
      `[simulate]\nduration = "1us"\n[[simulate.hook]]\nname = "h"\nwork = "1us"\nclients = 1\nobject = "${short}"\n[simulate.hook.maps.none]\n00 = "u8 1"\n`,
    );
    const told = await here(['policy', 'simulate', maps]);
    expect([told.exit, told.err]).toEqual([2, expect.stringMatching(/has no map 'none'/)]);
  });
});
