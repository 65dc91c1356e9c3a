/**
 * What a campaign was told is on disk before it goes on. So it may be killed at any moment, in the middle of a write too: what is left of its
 * folder is the sum of the reports up to there, it is taken up again from there, and it comes to the same as if it had been left alone.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { add, type CampaignState, newState } from '../../../src/campaign/shards/state.js';
import { readState } from '../../../src/campaign/storage/state-file.js';
import { type CampaignStore, openStore } from '../../../src/campaign/storage/store.js';
import type { CampaignSetting } from '../../../src/campaign/threads/job.js';
import { identityOf, reportLists } from '../../support/campaign/reports.js';
import { scratch } from '../../support/cli.js';
import { seeded } from '../../support/seed.js';

const base = scratch();
let folders = 0;
const identity = identityOf('one', 'two');
const setting: CampaignSetting = { seed: 1, rules: ['one', 'two'], worlds: 1, prove: true, kernel: true };
const open = (folder: string): Promise<CampaignStore> => openStore({ identity, setting, folder });
const plain = ({ ms: _, ...state }: CampaignState): unknown => JSON.parse(JSON.stringify(state));

/** Shards of programs, in any order; and how often between them the state is written whole. */
const nights = reportLists
  .filter((reports) => reports.length > 0)
  .chain((reports) =>
    fc.record({
      reports: fc.shuffledSubarray([...reports], { minLength: reports.length, maxLength: reports.length }),
      shrunk: fc.infiniteStream(fc.boolean()),
      saved: fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  );

it('what is left of a folder at any byte of its journal is the state at that moment', async () => {
  await fc.assert(
    fc.asyncProperty(nights, async ({ reports, shrunk, saved, cut }) => {
      const folder = join(base, `${folders++}`);
      const store = await open(folder);
      const journal = join(folder, 'campaign.journal');
      /** The states since the journal was begun, and how long it was then. */
      let moments = [{ length: 0, state: plain(store.state) }];
      const note = (): void => {
        moments.push({ length: statSync(journal).size, state: plain(store.state) });
      };
      for (const report of reports) {
        for (const found of store.add([report])) {
          note();
          if (shrunk.next().value !== true) continue;
          store.keepSmall(found, { text: `small ${found.text}`, insns: 1, cause: found.cause });
        }
        note();
        if (saved.next().value !== 0) continue;
        store.save();
        moments = [{ length: 0, state: plain(store.state) }];
      }
      store.close();
      // Killed before the last bytes were written.
      const length = Math.round(cut * statSync(journal).size);
      const before = readFileSync(journal);
      truncateSync(journal, length);
      const left = plain(readState(folder)!);
      const moment = moments.filter((one) => one.length <= length).at(-1)!;
      expect(left).toEqual(moment.state);
      // Killed after the state was written, and before the journal was emptied.
      writeFileSync(journal, before);
      const twice = join(base, `${folders++}`);
      cpSync(folder, twice, { recursive: true });
      writeFileSync(join(twice, 'campaign.json'), JSON.stringify(readState(folder)));
      expect(plain(readState(twice)!)).toEqual(moments.at(-1)!.state);
      // It goes on from what was left.
      truncateSync(journal, length);
      const again = await open(folder);
      const missing = reports.filter(({ index }) => !holds(again.state, index));
      for (const report of missing) again.add([report]);
      again.close();
      const whole = newState(identity, setting);
      for (const report of reports) add(whole, report);
      const unshrunk = (state: CampaignState): unknown => ({
        ...(plain(state) as object),
        found: state.found.map(({ small: _, ...one }) => one),
      });
      expect(unshrunk(readState(folder)!)).toEqual(unshrunk(whole));
    }),
    seeded(60),
  );
});

const holds = ({ ranges }: CampaignState, index: number): boolean =>
  ranges.some(([from, to]) => from <= index && index < to);

it('killed at random moments and taken up again, it finds what it finds when it is left alone', () => {
  const script = resolve(import.meta.dirname, '../../../scripts/night.mjs');
  const args = ['--kills', '3', '--every', '2', '--rules', 'rfc-v2', '--programs', '8', '--seed', '1'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  expect(`${stdout}\n${stderr}`).toContain('nothing is lost');
  expect(stdout).toMatch(/^findings: the same \([1-9]/m);
  expect(status).toBe(0);
});
