/**
 * A campaign that was checked in parts, each in a folder of its own, and joined, has the state that one machine has: whatever the parts are, in
 * whatever order they are joined. What is no part of it, or would count twice, is refused in one line.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BLOCK } from '../../../generators/guide/block.js';
import { identityOf } from '../../../src/campaign/shards/identity.js';
import { gaps, joinStates } from '../../../src/campaign/shards/merge.js';
import { Schedule, SHARD } from '../../../src/campaign/shards/schedule.js';
import { add, type CampaignState, newState } from '../../../src/campaign/shards/state.js';
import { reportOf } from '../../support/campaign/reports.js';
import { here, scratch } from '../../support/cli.js';
import { seeded } from '../../support/seed.js';

const identity = await identityOf([]);
const setting = { seed: 1, rules: [], worlds: 1, prove: false, kernel: false };
const reportFor = (index: number) => fc.sample(reportOf(index), { seed: index + 7, numRuns: 1 })[0]!;

/** The state of who has checked these programs, all that was found shrunk. */
function stateOf(programs: Iterable<number>): CampaignState {
  const state = newState(identity, setting);
  for (const index of programs) add(state, reportFor(index));
  for (const one of state.found) one.small = { text: `small ${one.text}`, insns: 3, cause: one.cause };
  return JSON.parse(JSON.stringify(state)) as CampaignState;
}

/** Programs 0 to n - 1. */
const first = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
/** Names in order, so that equal states are equal. */
const plain = (state: CampaignState): unknown => JSON.parse(JSON.stringify(state));

/** The programs of part `nth` of `of`. */
function* programsOf(nth: number, of: number, programs: number): Iterable<number> {
  const schedule = new Schedule([], programs, { nth, of });
  for (let range = schedule.take(); range !== undefined; range = schedule.take())
    for (let index = range[0]; index < range[1]; index++) yield index;
}

it('no two shards are cut from one block of guided programs, so that each program is made once', () => {
  const blockOf = (index: number): number => Math.floor(index / BLOCK);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), (programs) => {
      const schedule = new Schedule([], programs);
      const blocks: number[] = [];
      for (let range = schedule.take(); range !== undefined; range = schedule.take())
        for (let block = blockOf(range[0]); block <= blockOf(range[1] - 1); block++) blocks.push(block);
      expect(blocks).toEqual([...new Set(blocks)]);
    }),
    seeded(40),
  );
});

it('the parts of a campaign have each program once, in whole shards', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 9 }), (programs, of) => {
      const parts = first(of).map((nth) => [...programsOf(nth, of, programs)]);
      expect(parts.flat().sort((a, b) => a - b)).toEqual(first(programs));
      for (const part of parts) {
        for (const index of part) {
          const from = index - (index % SHARD);
          const whole = first(SHARD).map((i) => from + i);
          expect(whole.filter((one) => one < programs && !part.includes(one))).toEqual([]);
        }
      }
    }),
    seeded(40),
  );
});

it('joined in any order they are the state of one machine', () => {
  const parts = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(parts, fc.infiniteStream(fc.nat()), (partOf, random) => {
      const states = first(4).map((part) => stateOf(first(partOf.length).filter((i) => partOf[i] === part)));
      const order = states
        .map((state) => ({ state, at: random.next().value! }))
        .sort((a, b) => a.at - b.at)
        .map(({ state }) => state);
      const joined = order.reduce(joinStates);
      expect(plain(joined)).toEqual(plain(stateOf(first(partOf.length))));
      expect(Object.keys(joined)).toEqual(Object.keys(stateOf([])));
      expect(gaps(joined)).toEqual([]);
    }),
    seeded(50),
  );
});

it('a program that is in two parts is named, and so are those that are missing', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 20 }), { minLength: 1 }), fc.nat(), (programs, nth) => {
      const twice = programs[nth % programs.length]!;
      const state = stateOf(programs);
      expect(() => joinStates(state, stateOf([twice]))).toThrow(
        `programs ${twice} to ${twice} are in more than one of the folders`,
      );
      const missing = gaps(state).flatMap(([from, to]) => first(to - from).map((i) => from + i));
      const last = Math.max(...programs);
      expect(missing).toEqual(first(last).filter((one) => !programs.includes(one)));
    }),
    seeded(40),
  );
});

const folder = scratch();
const at = (name: string): string => join(folder, name);
/** Rules that are wrong for two functions, so that little is found and has to be shrunk. */
const rules = join(folder, 'own.ts');
writeFileSync(
  rules,
  `import { rule, ruleSet } from 'swansong';
export default ruleSet('own', [
  rule('wrong').when((f) => f.name === 'bpf_spin_lock').stub({ r0: 'void' }),
  rule('refuse').when((f) => f.canFailWithoutEffect).stub((f) => f.failure),
  rule('rest').keep(),
]);\n`,
);
const options = ['--rules', rules, '--no-proofs', '--worlds', '1', '--workers', '1'];
/** Each of three parts has some. */
const total = `${2 * SHARD + 3}`;
const fuzz = (out: string, ...more: readonly string[]) =>
  here(['fuzz', ...options, '--programs', total, '--out', at(out), '--json', ...more]);
const figures = (out: string): unknown => {
  const {
    ms: _,
    programsPerSecond: __,
    profile: ___,
    missing: ____,
    runs: _____,
    schema: ______,
    ...rest
  } = JSON.parse(
    // When it was met is no part of what was found.
    out.replace(/,\s*"status": "[^"]+"/g, '').replace(/,\s*"firstSeen": \{[^}]*\}/g, ''),
  );
  return JSON.parse(JSON.stringify(rest, (key, value) => (key === 'file' ? value.split('/').at(-1) : value)));
};
const cases = (out: string): unknown =>
  readdirSync(at(join(out, 'findings')))
    .filter((file) => file.endsWith('.bpf'))
    .map((file) => [file, readFileSync(at(join(out, 'findings', file)), 'utf8')]);

it('fuzz --shard and merge come to what fuzz comes to, with the same files of findings', async () => {
  const whole = await fuzz('whole');
  for (const shard of ['1/3', '2/3', '3/3']) await fuzz(`part${shard[0]}`, '--shard', shard);
  const parts = ['part3', 'part1', 'part2'].map(at);
  const merged = await here(['merge', ...parts, '--out', at('merged'), '--json']);
  expect([whole.exit, merged.exit]).toEqual([1, 1]);
  expect(figures(merged.out)).toEqual(figures(whole.out));
  expect(cases('merged')).toEqual(cases('whole'));
  // It is a campaign like any other: nothing is left to do.
  const again = await fuzz('merged');
  expect(figures(again.out)).toEqual(figures(whole.out));
});

it('what cannot be joined is one line', async () => {
  await fuzz('one', '--shard', '1/2');
  await fuzz('other', '--shard', '2/2', '--seed', '2');
  mkdirSync(at('empty'));
  mkdirSync(at('broken'));
  writeFileSync(at('broken/campaign.json'), '{');
  const refused = async (args: readonly string[], said: RegExp): Promise<void> => {
    const ran = await here(['merge', ...args]);
    expect(ran).toMatchObject({ exit: 2, out: '' });
    expect(ran.err).toMatch(/^swansong: [^\n]*\n$/);
    expect(ran.err).toMatch(said);
  };
  await refused([at('one'), at('one'), '--out', at('x')], /one: programs 0 to \d+ are in more than one/);
  await refused(
    [at('one'), at('other'), '--out', at('x')],
    /other: this is no part of .*its seed is 2, not 1/,
  );
  await refused([at('one'), at('empty'), '--out', at('x')], /empty: no campaign is kept here/);
  await refused([at('one'), at('nowhere'), '--out', at('x')], /nowhere: no campaign is kept here/);
  await refused([at('broken'), '--out', at('x')], /broken.*this is not JSON/);
  await refused([at('one'), '--out', at('one')], /--out is one of the folders/);
  await refused([at('one'), '--out', at('other')], /other: a campaign is kept here already/);
  await refused([at('one')], /required option '--out <DIR>'/);
  for (const shard of ['0/3', '4/3', '1', 'a/b', '1/0', '1/3/5', '-1/3']) {
    const ran = await here(['fuzz', '--shard', shard]);
    expect([shard, ran.exit, ran.out]).toEqual([shard, 2, '']);
    expect(ran.err).toMatch(/^swansong: [^\n]*i\/n[^\n]*\n$/);
  }
});

it('where a part is missing, that is said, and nothing is held to be whole', async () => {
  const third = `${2 * SHARD + 1}`;
  await here(['fuzz', ...options, '--programs', third, '--shard', '3/3', '--out', at('third')]);
  const ran = await here(['merge', at('third'), '--out', at('gap'), '--json']);
  expect(ran.exit).not.toBe(0);
  expect(JSON.parse(ran.out)).toMatchObject({ finished: false, missing: [[0, 2 * SHARD]], programs: 1 });
});
