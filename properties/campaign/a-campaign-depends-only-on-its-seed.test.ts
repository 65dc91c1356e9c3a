/**
 * The same seed gives the same bytes apart from times, whatever the number of threads, and whether the campaign was stopped and taken up
 * again or not. Another seed gives other programs.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type CampaignOptions, runCampaign } from '../../src/campaign/campaign.js';
import type { CampaignState } from '../../src/campaign/shards/state.js';
import type { CampaignSetting } from '../../src/campaign/threads/job.js';
import { MAIN, type Ran, scratch, swansong } from '../support/cli.js';

const folder = scratch();

const SETTING: CampaignSetting = { seed: 11, rules: ['rfc-v2'], worlds: 1, prove: false, kernel: false };

/** A state without what differs from run to run. */
function timeless({ ms: _, ...state }: CampaignState): Omit<CampaignState, 'ms'> {
  return JSON.parse(JSON.stringify(state)) as Omit<CampaignState, 'ms'>;
}

/** A document without times. */
function withoutTimes(text: string): string {
  return text
    .replace(/"(ms|programsPerSecond)": [\d.]+/g, '"$1": 0')
    .replace(/"(at|begun|ended)": "[^"]+"/g, '"$1": ""')
    .replace(/"status": "[^"]+"/g, '"status": ""')
    .replace(/"firstSeen": \{[^}]*\}/g, '"firstSeen": {}');
}

/** The cases in a folder, those at its sides among them. */
function casesBelow(path: string): readonly string[] {
  const all = readdirSync(path, { recursive: true }).map(String);
  return all.filter((name) => name.endsWith('.bpf')).sort();
}

async function run(more: Partial<CampaignOptions> = {}): Promise<CampaignState> {
  const { state } = await runCampaign({ setting: SETTING, programs: 5, workers: 1, ...more });
  return state;
}

describe('a campaign', () => {
  it('gives the same twice, and something else for another seed', async () => {
    const [first, second] = [await run(), await run()];
    expect(timeless(first)).toEqual(timeless(second));
    expect(first.found.length).toBeGreaterThan(0);
    const other = await run({ setting: { ...SETTING, seed: 12 } });
    expect(other.coverage).not.toEqual(first.coverage);
  });

  it('taken up again gives what it would have given in one go', async () => {
    const whole = await run();
    const out = join(folder, 'resumed');
    for (const after of [1, 2]) {
      const stop = new AbortController();
      const { finished } = await runCampaign({
        setting: SETTING,
        programs: 5,
        workers: 1,
        folder: out,
        stop: stop.signal,
        progress: ({ done }) => done >= after && stop.abort(),
      });
      expect(finished).toBe(false);
    }
    const kept = JSON.parse(readFileSync(join(out, 'campaign.json'), 'utf8')) as CampaignState;
    expect(kept.done).toBeGreaterThanOrEqual(4);
    expect(timeless(await run({ folder: out }))).toEqual(timeless(whole));
    // Nothing is left to do.
    let work = 0;
    expect(timeless(await run({ folder: out, progress: () => work++ }))).toEqual(timeless(whole));
    expect(work).toBe(1);
  });

  it('is finished when every program is checked and every finding is shrunk, whenever it is stopped', async () => {
    const out = join(folder, 'stopped');
    const seen = new Set<string>();
    for (let stops = 0, over = false; !over && stops < 60; stops++) {
      const stop = new AbortController();
      let told = 0;
      const { state, finished } = await runCampaign({
        setting: SETTING,
        programs: 5,
        workers: 1,
        folder: out,
        stop: stop.signal,
        progress: () => ++told > 1 && stop.abort(),
      });
      const small = state.found.filter((one) => one.small !== undefined).length;
      over = state.done === 5 && small === state.found.length;
      expect([state.done, small, finished]).toEqual([state.done, small, over]);
      if (state.done === 5) seen.add(small === 0 ? 'none' : over ? 'all' : 'some');
    }
    expect(seen).toContain('all');
  });

  it('is not continued under another seed, other rules or other worlds', async () => {
    const out = join(folder, 'kept');
    await run({ folder: out, programs: 4 });
    for (const other of [{ seed: 12 }, { rules: ['sound'] }, { worlds: 3 }]) {
      await expect(run({ folder: out, setting: { ...SETTING, ...other } })).rejects.toThrow(
        /another campaign/,
      );
    }
  });

  it('stops when its time is over', async () => {
    const { state, finished } = await runCampaign({ setting: SETTING, time: 200, workers: 1 });
    expect(finished).toBe(false);
    expect(state.done).toBeGreaterThan(0);
    const again = await run({ programs: state.done });
    expect(timeless(again).coverage).toEqual(timeless(state).coverage);
  });
});

describe('fuzz', () => {
  const args = [
    'fuzz',
    '--seed',
    '3',
    '--programs',
    '12',
    '--worlds',
    '1',
    '--rules',
    'sound,naive',
    '--no-proofs',
    '--json',
  ];
  const [one, two, again] = ['one', 'two', 'again'].map((name) => join(folder, name));

  it('prints the same bytes with one thread and with several, and writes the same files', () => {
    const runs = ([one, two] as string[]).map((corpus, i) => {
      const ran: Ran = swansong([...args, '--workers', `${i * 2 + 1}`, '--corpus', corpus]);
      expect(ran.exit).toBe(1);
      expect(ran.err).toMatch(/^(\S+Z found: .*\n)+$/);
      expect(ran.err).not.toMatch(/: a function |\bfpN\b|argument N\b/);
      return withoutTimes(ran.out).replaceAll(corpus, 'CORPUS');
    });
    expect(runs[0]).toBe(runs[1]);
    const files = casesBelow(one!);
    expect(files.length).toBeGreaterThan(0);
    expect(casesBelow(two!)).toEqual(files);
    for (const file of files) {
      expect(readFileSync(join(two!, file), 'utf8')).toBe(readFileSync(join(one!, file), 'utf8'));
    }
    // A second campaign into the same folder adds nothing.
    const ran = swansong([...args, '--corpus', one!]);
    expect(withoutTimes(ran.out).replaceAll(one!, 'CORPUS')).toBe(runs[0]);
    expect(casesBelow(one!)).toEqual(files);
    expect(swansong(['replay', one!, '--quiet']).exit).toBe(0);
  });

  it('ends in order on Ctrl-C, with its report written, and goes on from there', async () => {
    const out = again!;
    const long = ['fuzz', '--seed', '3', '--programs', '100000', '--out', out, '--json', '--no-proofs'];
    const child = spawn(process.execPath, [MAIN, ...long, '--workers', '2'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const ended = new Promise<number | null>((done) => child.on('close', done));
    // The state is written every few seconds.
    for (let i = 0; i < 300 && !existsSync(join(out, 'campaign.json')); i++) await wait(100);
    child.kill('SIGINT');
    // Nothing was found, but not all that was asked for is done.
    expect(await ended).toBe(3);
    expect(stderr).toBe('');
    const report = JSON.parse(stdout) as { programs: number; finished: boolean; findings: unknown[] };
    expect(report.finished).toBe(false);
    expect(report.programs).toBeGreaterThan(0);
    expect((JSON.parse(readFileSync(join(out, 'campaign.json'), 'utf8')) as CampaignState).done).toBe(
      report.programs,
    );
    // By the same build: the one from sources is another.
    const more = swansong([
      ...long.slice(0, 4),
      `${report.programs + 2}`,
      ...long.slice(5),
      '--workers',
      '1',
    ]);
    expect(JSON.parse(more.out)).toMatchObject({ programs: report.programs + 2, finished: true });
  });
});
