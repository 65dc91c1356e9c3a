/**
 * Invariants that a person writes over the maps of a program are looked at after every run. One that a kill breaks is a finding of its own kind: it is
 * shrunk, and its case replays with the file that it names. One that the program breaks by itself, or that did not hold when the run began, is
 * not blamed on the kill. Looking changes nothing of a run. What is no file of invariants is told in one line, with its place.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { checkOne, type ProgramReport } from '../../../src/campaign/check/check.js';
import { replayText } from '../../../src/campaign/check/replay.js';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import { killBeforeEveryInsn } from '../../../src/campaign/kill/kill-everywhere.js';
import { pathOf, prepareProgram, runOptions } from '../../../src/campaign/kill/prepared-program.js';
import { InputError } from '../../../src/isa/errors.js';
import { ruleSet } from '../../../src/patch/define.js';
import { type Invariants, loadInvariants } from '../../../src/patch/invariants.js';
import sound from '../../../src/patch/sets/sound.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { mapViews } from '../../../src/vm/map-views.js';
import { Vm } from '../../../src/vm/vm.js';
import { here } from '../../support/cli.js';

const COUNTERS = 'corpus/invariants/counters.ts';
const TWICE = 'corpus/invariants/count-twice.bpf';
const folder = mkdtempSync(join(tmpdir(), 'swansong-invariants-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const check = (text: string, invariants: Invariants, rules = sound): Promise<ProgramReport> =>
  checkOne(parseCase(text).program, 0, {
    seed: 1,
    rules: [{ name: rules.name, rules }],
    worlds: 3,
    prove: true,
    given: [text],
    invariants,
  });

const twice = readFileSync(TWICE, 'utf8');

describe('two counters that must stay equal', () => {
  it('are broken by the sound rules, which prove nothing about them', async () => {
    const report = await check(twice, await loadInvariants(COUNTERS));
    expect(report.disagreements).toEqual([]);
    expect(report.proofs).toEqual([{ rules: 'sound', verdict: 'proven' }]);
    expect(report.suspects.map(({ cause }) => [cause.check, cause.function])).toEqual([
      ['invariant', 'bpf_map_lookup_elem'],
    ]);
    expect(report.broken).toEqual({ invariant: expect.any(Number) });
    const { text } = report.suspects[0]!;
    expect(text).toContain(`.invariants ${COUNTERS}`);
    expect(await replayText(text, 'x.bpf')).toMatchObject({
      ok: true,
      got: expect.stringMatching(/^invariant/),
    });
    // Without the file there is nothing to break.
    expect(await replayText(text.replace(/^\.invariants .*\n/m, ''), 'x.bpf')).toMatchObject({
      ok: false,
      got: 'holds',
    });
  });

  it('are left alone where every call is made', async () => {
    const report = await check(twice, await loadInvariants(COUNTERS), ruleSet('keeps', []));
    expect(report.suspects).toEqual([]);
  });

  it('are shrunk to fewer than 15 insns, saved, and replayed, also from elsewhere', async () => {
    const out = join(folder, 'campaign');
    const common = ['fuzz', TWICE, '--invariants', COUNTERS, '--programs', '2', '--workers', '1'];
    const ran = await here([...common, '--out', out, '--json']);
    expect(ran.exit).toBe(1);
    const { findings } = JSON.parse(ran.out) as {
      findings: { check: string; insns: number; file: string }[];
    };
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ check: 'invariant' });
    expect(findings[0]!.insns).toBeLessThan(15);
    expect(readdirSync(join(out, 'findings')).filter((name) => name.endsWith('.bpf'))).toHaveLength(1);
    expect(await here(['replay', join(out, 'findings')])).toMatchObject({ exit: 0 });
    const moved = join(folder, 'moved.min.bpf');
    expect(await here(['shrink', findings[0]!.file, '-o', moved])).toMatchObject({ exit: 0 });
    expect(await here(['replay', moved])).toMatchObject({ exit: 0 });
    // It is still there when the campaign goes on, and the campaign is another with another file.
    expect(JSON.parse((await here([...common, '--out', out, '--json'])).out)).toMatchObject({
      findings: [{ check: 'invariant' }],
    });
    const other = await here(['fuzz', TWICE, '--programs', '2', '--workers', '1', '--out', out]);
    expect(other).toMatchObject({ exit: 2, err: expect.stringMatching(/another campaign is kept here/) });
  });

  it('are told by run, killed or not', async () => {
    const args = ['run', TWICE, '--invariants', COUNTERS, '--kill', 'all'];
    const { exit, out } = await here([...args, '--json']);
    const { checks, killed } = JSON.parse(out) as {
      checks: unknown[];
      killed: { checks: { check: string }[] }[];
    };
    expect(exit).toBe(1);
    expect(checks).toEqual([]);
    expect(new Set(killed.flatMap((one) => one.checks.map((broken) => broken.check)))).toEqual(
      new Set(['invariant']),
    );
    expect(await here([...args, '--strategy', 'abandon'])).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/invariant/),
    });
    expect(await here([...args, '--strategy', 'terminate-bit'])).toMatchObject({ exit: 0 });
  });
});

describe('what is not blamed on the kill', () => {
  const once = `.type tc\n.map counters array key=4 value=16 entries=1\n
    call bpf_ktime_get_ns
    r1 = mapvalue counters
    *(u64 *)(r1 +0) = 1
    r0 = 0
    exit\n`;

  it('is what the program breaks by itself', async () => {
    const report = await check(once, await loadInvariants(COUNTERS));
    expect([report.suspects, report.disagreements, report.broken]).toEqual([[], [], {}]);
    // A person who looks at one run is told.
    const file = write('once.bpf', once);
    expect(await here(['run', file, '--invariants', COUNTERS])).toMatchObject({ exit: 1 });
  });

  it('is what did not hold when the run began, also where the program would have mended it', async () => {
    const invariants = await loadInvariants(COUNTERS);
    const mends = parseCase(`.type tc\n.map counters array key=4 value=16 entries=1\n
      r1 = mapvalue counters
      *(u64 *)(r1 +0) = 9
      call bpf_get_prandom_u32
      *(u32 *)(r10 -12) = r0
      r1 = map counters
      r2 = r10
      r2 += -12
      call bpf_map_lookup_elem
      if r0 == 0 goto out
      *(u64 *)(r0 +8) = 9
    out:
      r0 = 0
      exit\n`).program;
    const prepared = prepareProgram(mends, 'privileged', { invariants });
    if (typeof prepared === 'string') throw new Error(prepared);
    const run = runOptions(prepared, pathOf(prepared, sound));
    const from = (value: string): unknown => {
      const env = {
        choices: new Map(),
        maps: new Map([['counters', new Map([['00000000', value]])]]),
      };
      const ordinary = new Vm(prepared.code, { ...run, env }).run();
      const checks = Array.from({ length: ordinary.steps }, (_, step) => {
        const vm = new Vm(prepared.code, { ...run, env });
        vm.advance(step);
        vm.kill();
        return vm.run().violations.map(({ check }) => check);
      });
      const { broken } = killBeforeEveryInsn(prepared.code, { ...run, env });
      return [ordinary.violations, new Set(checks.flat()), broken.length > 0];
    };
    expect(from('08000000000000000700000000000000')).toEqual([[], new Set(), false]);
    expect(from('07000000000000000700000000000000')).toEqual([[], new Set(['invariant']), true]);
  });

  it('is what was not in order before and after', async () => {
    const invariants = await loadInvariants(COUNTERS);
    const { program } = parseCase(twice);
    const prepared = prepareProgram(program, 'privileged', { invariants });
    if (typeof prepared === 'string') throw new Error(prepared);
    const run = runOptions(prepared, pathOf(prepared, sound));
    const broken = (value: string): number =>
      killBeforeEveryInsn(prepared.code, {
        ...run,
        env: { choices: new Map(), maps: new Map([['counters', new Map([['00000000', value]])]]) },
      }).broken.length;
    expect(broken('07000000000000000700000000000000')).toBeGreaterThan(0);
    expect(broken('07000000000000000800000000000000')).toBe(0);
  });
});

it('looking at a map leaves it as it is: no value comes into being, none counts as used', () => {
  const text = `.type tc\n.map a array key=4 value=8 entries=5\n.map p percpu_array key=4 value=8 entries=2
    .map h hash key=4 value=8 entries=3\n.map l lru_hash key=4 value=8 entries=3\n.map t lpm_trie key=8 value=8 entries=3 flags=1\n
    r0 = 0
    exit\n`;
  const { program } = parseCase(text);
  const entries = (...keys: string[]): [string, string][] => keys.map((key) => [key, '0100000000000000']);
  const maps = new Map([
    ['a', new Map(entries('01000000'))],
    ['h', new Map(entries('05000000', '06000000'))],
    ['l', new Map(entries('07000000', '08000000', '09000000'))],
    ['t', new Map(entries('080000000a000000'))],
  ]);
  const { machine } = new Vm(program, { env: { choices: new Map(), maps } });
  const state = (): unknown => [
    machine.memory.count,
    program.maps.map((_, index) => {
      const { count, at } = machine.maps.snapshot(index);
      return Array.from({ length: count }, (__, i) => at(i));
    }),
  ];
  const before = state();
  for (const view of Object.values(mapViews(machine))) {
    const absent = view!.keySize === 4 ? ['04000000', 'ffffffff'] : ['200000000a010203'];
    for (const key of [...view!.keys, ...absent]) {
      view!.has(key);
      view!.value(key);
      view!.u64(key);
    }
  }
  expect(state()).toEqual(before);
});

it('looking changes nothing of a run', () => {
  for (let index = 0; index < 40; index++) {
    const { program } = sample(20_250_907, index, { maxInsns: 80 });
    const prepared = prepareProgram(program, 'privileged');
    if (typeof prepared === 'string') throw new Error(prepared);
    const world = runEnvironment(program, 3, index, index % 3);
    let looks = 0;
    const invariant = (maps: ReturnType<typeof mapViews>): undefined => {
      looks++;
      for (const map of Object.values(maps)) for (const key of map!.keys.slice(0, 5)) map!.value(key);
    };
    const plain = new Vm(prepared.code, world).run();
    const watched = new Vm(prepared.code, { ...world, invariant }).run();
    expect(watched).toEqual(plain);
    expect(looks).toBeGreaterThan(0);
  }
});

it('a map is seen as it is', () => {
  const text = `.type tc\n.map m array key=4 value=12 entries=3\n.map h hash key=2 value=8 entries=4\n
    r1 = mapvalue m
    *(u32 *)(r1 +0) = 0x04030201
    *(u16 *)(r1 +10) = 0x0605
    *(u16 *)(r10 -2) = 258
    *(u64 *)(r10 -16) = -1
    r1 = map h
    r2 = r10
    r2 += -2
    r3 = r10
    r3 += -16
    r4 = 0
    call bpf_map_update_elem
    r0 = 0
    exit\n`;
  const vm = new Vm(parseCase(text).program);
  vm.run();
  const { m, h } = mapViews(vm.machine);
  expect(m).toMatchObject({ name: 'm', type: 'array', keySize: 4, valueSize: 12, size: 3 });
  expect(m!.keys).toEqual(['00000000', '01000000', '02000000']);
  expect(m!.value(0)).toBe('010203040000000000000506');
  expect([m!.u8(0, 1), m!.u16(0, 10), m!.u32(0), m!.u64(0, 4)]).toEqual([
    2,
    0x0605,
    0x04030201,
    0x0605000000000000n,
  ]);
  expect([m!.value(2), m!.has(3), m!.u64(3), m!.has('01000000')]).toEqual([
    '0'.repeat(24),
    false,
    undefined,
    true,
  ]);
  expect(h).toMatchObject({ size: 1, keys: ['0201'] });
  expect([h!.u64(258), h!.u64(0x102n), h!.has(1)]).toEqual([2n ** 64n - 1n, 2n ** 64n - 1n, false]);
  expect(() => m!.u64(0, 5)).toThrow(InputError);
  expect(() => m!.u64('00', 0)).toThrow(InputError);
});

describe('a file of invariants', () => {
  it.each([
    ['a named function', 'export const invariants = (maps) => maps.counters !== undefined;'],
    ['a default function', 'export default (maps) => maps.counters !== undefined;'],
    ['a member', 'export default { invariants: (maps) => maps.counters !== undefined };'],
  ])('may be %s', async (name, text) => {
    for (const ending of ['ts', 'js']) {
      const loaded = await loadInvariants(write(`${name.replaceAll(' ', '-')}.${ending}`, text));
      const { machine } = new Vm(parseCase(twice).program);
      expect(loaded.broken(mapViews(machine))).toBeUndefined();
      expect(loaded.broken({})).toBe('an invariant over the maps does not hold');
    }
  });

  it.each([
    ['none.ts', 'export const other = 1;', /exports a function/],
    [
      'silent.ts',
      'export const invariants = (maps) => undefined;',
      /must answer true, false or what is wrong/,
    ],
    [
      'throws.ts',
      'export const invariants = (maps) => maps.nosuch.u64(0) === 0n;',
      /throws\.ts:1:\d+: .*(nosuch|undefined)/,
    ],
    ['chance.js', 'export const invariants = (maps) => Math.random() < 2;', /chance\.js:1:\d+: Math\.random/],
    ['endless.js', 'export const invariants = (maps) => { for (;;); };', /did not end/],
    ['wrong.ts', 'export const invariants = (maps) => misspelt(maps);', /misspelt/],
    ['process.js', 'export const invariants = (maps) => process.exit(0);', /may not use the process/],
  ])('%s is refused in one line', async (name, text, message) => {
    const file = write(name, text);
    for (const args of [
      ['run', TWICE, '--invariants', file, '--kill', 'all'],
      ['fuzz', TWICE, '--invariants', file, '--programs', '1', '--workers', '1'],
    ]) {
      const { exit, err } = await here(args);
      expect([args[0], exit, err.trim().split('\n').length]).toEqual([args[0], 2, 1]);
      expect(err).toMatch(message);
    }
  });

  it('that is not there is told', async () => {
    for (const file of ['nosuch.ts', 'corpus', TWICE])
      expect(await here(['run', TWICE, '--invariants', file])).toMatchObject({ exit: 2 });
    const missing = write('missing.bpf', `.invariants nosuch.ts\n${twice}`);
    expect(await here(['run', missing])).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/no such file of invariants/),
    });
    expect(
      await here(['fuzz', TWICE, '--invariants', COUNTERS, '--queue', 'redis://127.0.0.1:1']),
    ).toMatchObject({ exit: 2 });
  });
});
