/**
 * `rules check --changed-since` proves again what a git revision cannot vouch for: whatever the edit, a function that is left out has the
 * proof that it had, so that no rule which a full check refutes anew is passed over.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { version } from '../../src/campaign/shards/version.js';
import { contracts } from '../../src/kernel/catalog.js';
import type { Contract } from '../../src/kernel/contract.js';
import { WORKING_TREE } from '../../src/patch/files.js';
import { asRuleSet } from '../../src/patch/load.js';
import { Modules } from '../../src/patch/modules.js';
import { Revision } from '../../src/patch/revision.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { typescript } from '../../src/patch/syntax.js';
import { decidedSince } from '../../src/smt/rule/decided-since.js';
import { proveRules, type RuleProof } from '../../src/smt/rule-proof.js';
import { seeded } from '../support/seed.js';

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'since-')));
afterAll(() => rmSync(dir, { recursive: true }));

function git(folder: string, ...args: string[]): void {
  execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
    stdio: 'ignore',
  });
}

function commit(folder: string): void {
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '--allow-empty', '-m', 'one');
}

function repository(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(dir, name);
  mkdirSync(folder);
  git(folder, 'init', '-q');
  put(folder, files);
  commit(folder);
  return folder;
}

function put(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

const lock = (more: object = {}): string =>
  JSON.stringify({
    packages: { 'node_modules/swansong': { version: version(), integrity: 'sha512-abc', ...more } },
  });

const load = async (file: string): Promise<RuleSet> =>
  asRuleSet(new Modules(await typescript(), WORKING_TREE).load(file).default, file);

const NAMES = [
  'bpf_map_lookup_elem',
  'bpf_spin_lock',
  'bpf_spin_unlock',
  'bpf_sk_lookup_tcp',
  'bpf_sk_release',
  'bpf_ringbuf_reserve',
  'bpf_loop',
  'bpf_get_prandom_u32',
  'bpf_ktime_get_ns',
  'bpf_task_acquire',
  'bpf_iter_num_next',
  'bpf_map_update_elem',
];
const some = contracts().filter(({ name }) => NAMES.includes(name));

/** A rule file and the files beside it, in the ways in which people make rules. */
interface Edition {
  readonly direct: readonly number[];
  readonly templated: readonly string[];
  readonly imported: readonly number[];
  readonly stubbed: bigint;
  readonly fallsThrough: boolean;
}

const WHENS = [
  '.when((f) => f.acquires && f.mayReturnNull)',
  '.when((f) => f.takesLock)',
  '.when((f) => f.callsBack)',
  '.when((f) => f.returnsInteger)',
  '.when((f) => f.releases)',
  '.when((f) => LISTED.includes(f.name))',
  '.at((s) => s.canFail)',
  '.at((s) => s.hasPad)',
];

function filesOf({ direct, templated, imported, stubbed, fallsThrough }: Edition): Record<string, string> {
  const chain = (n: number): string =>
    `${WHENS[n % WHENS.length]}${['.keep()', `.stub({ r0: ${stubbed}n })`, '.unwind()'][n % 3]}`;
  const head = "import { rule, ruleSet } from 'swansong';\n";
  return {
    'package-lock.json': lock(),
    'listed.ts': `export const LISTED = ${JSON.stringify(templated)};\n`,
    'common.ts': `${head}import { LISTED } from './listed.js';\nexport const common = [
      ${imported.map((n, at) => `rule('common ${at}')${chain(n)}`).join(',\n')}];\n`,
    'rules.ts': `${head}import { common } from './common.js';\nexport * from './listed.js';\nimport { LISTED } from './listed.js';\nexport default ruleSet('mine', [
      ${direct.map((n, at) => `rule('direct ${at}')${chain(n)},`).join('\n')}
      ...LISTED.map((name) => rule(\`stub \${name}\`).when((f) => f.name === name).stub({ r0: ${stubbed}n })),
      ...common,
      ${fallsThrough ? '' : "rule('rest').keep(),"}
    ]);\n`,
  };
}

const edition: fc.Arbitrary<Edition> = fc.record({
  direct: fc.array(fc.nat(23), { maxLength: 2 }),
  templated: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 }),
  imported: fc.array(fc.nat(23), { maxLength: 2 }),
  stubbed: fc.constantFrom(0n, 0n, 1n, -1n),
  fallsThrough: fc.boolean(),
});

/** Two editions that differ in one thing or more. */
const edited = fc
  .tuple(edition, edition, fc.uniqueArray(fc.constantFrom(...Object.keys(filesKeys())), { maxLength: 2 }))
  .map(([then, other, kept]) => {
    const changed = Object.fromEntries(
      Object.entries(other).filter(([key]) => kept.includes(key)),
    ) as Partial<Edition>;
    return { then, now: { ...then, ...changed } };
  });

function filesKeys(): Record<keyof Edition, true> {
  return { direct: true, templated: true, imported: true, stubbed: true, fallsThrough: true };
}

const proofsBy = async (rules: RuleSet, of: readonly Contract[]): Promise<Map<string, RuleProof[]>> => {
  const { functions } = await proveRules(rules, of);
  return new Map(of.map(({ name }) => [name, functions.filter((one) => one.name === name)]));
};

test('random edits of rule files: what is left out has the proof that it had', async () => {
  const folder = repository('edits', {});
  const tally = { left: 0, checked: 0 };
  await fc.assert(
    fc.asyncProperty(edited, async ({ then, now }) => {
      put(folder, filesOf(then));
      commit(folder);
      const file = join(folder, 'rules.ts');
      const before = await proofsBy(await load(file), some);
      put(folder, filesOf(now));
      const rules = await load(file);
      const compared = await decidedSince(rules, file, Revision.of(file, 'HEAD'), some);
      expect(compared.because).toBeUndefined();
      const after = await proofsBy(rules, some);
      for (const name of compared.same) expect([name, after.get(name)]).toEqual([name, before.get(name)]);
      const told = [...compared.same, ...compared.decisions, ...compared.contracts].sort();
      expect(told).toEqual(some.map(({ name }) => name).sort());
      tally.left += compared.same.length;
      tally.checked += compared.decisions.length;
    }),
    seeded(12),
  );
  expect(tally.left).toBeGreaterThan(20);
  expect(tally.checked).toBeGreaterThan(10);
});

describe('edits that are seen by what they decide', () => {
  const base: Edition = { direct: [1], templated: [], imported: [4], stubbed: 0n, fallsThrough: true };
  test.each<readonly [string, Partial<Edition>, readonly string[]]>([
    ['nothing', {}, []],
    ['a name in a list from which rules are made', { templated: ['bpf_loop'] }, ['bpf_loop']],
    ['a rule in an imported file', { imported: [3, 4] }, ['bpf_get_prandom_u32', 'bpf_ktime_get_ns']],
    ['the last rule gone', { imported: [] }, ['bpf_sk_release', 'bpf_spin_unlock']],
  ])('%s', async (what, edit, expected) => {
    const folder = repository(`seen ${what}`, filesOf(base));
    put(folder, filesOf({ ...base, ...edit }));
    const file = join(folder, 'rules.ts');
    const { decisions } = await decidedSince(await load(file), file, Revision.of(file, 'HEAD'), some);
    for (const name of expected) expect(decisions).toContain(name);
    if (expected.length === 0) expect(decisions).toEqual([]);
  });
});

describe('where it cannot be told, everything is proven, and the reason is said', () => {
  const rules = (more = '', r0 = 0): string =>
    `import { rule, ruleSet } from 'swansong';\n${more}export default ruleSet('mine', [rule('all').stub({ r0: ${r0} })]);\n`;
  const because = async (
    name: string,
    then: Readonly<Record<string, string>>,
    now: Readonly<Record<string, string>>,
  ): Promise<string | undefined> => {
    const folder = repository(name, then);
    put(folder, now);
    const file = join(folder, 'rules.ts');
    const compared = await decidedSince(await load(file), file, Revision.of(file, 'HEAD'), some);
    expect(compared.same.length === 0 || compared.because === undefined).toBe(true);
    return compared.because;
  };
  const locked = { 'package-lock.json': lock() };

  test.each<readonly [string, Record<string, string>, Record<string, string>, RegExp | undefined]>([
    ['the same', { ...locked, 'rules.ts': rules() }, {}, undefined],
    ['a new file', locked, { 'rules.ts': rules() }, /^HEAD has no such rule file$/],
    [
      'a file that did not load',
      { ...locked, 'rules.ts': `${rules()}throw new Error('boom');\n` },
      { 'rules.ts': rules() },
      /cannot be loaded: boom/,
    ],
    [
      'what is read from elsewhere',
      { ...locked, 'rules.ts': rules("import { readFileSync } from 'node:fs';\nreadFileSync;\n") },
      { 'rules.ts': rules() },
      /cannot be loaded: a rule file imports 'swansong' and files beside it, not 'node:fs'/,
    ],
    [
      'another swansong',
      { 'package-lock.json': lock({ integrity: 'sha512-def' }), 'rules.ts': rules() },
      locked,
      /does not name the same swansong/,
    ],
    [
      'a lock file that is gone',
      { ...locked, 'rules.ts': rules() },
      { 'package-lock.json': '{}' },
      /does not name the same swansong/,
    ],
    [
      'a lock file that is none',
      { 'package-lock.json': '{ swansong', 'rules.ts': rules() },
      {},
      /does not name the same swansong/,
    ],
  ])('%s', async (what, then, now, expected) => {
    const said = await because(`told ${what}`, then, now);
    if (expected === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(expected);
  });
});

test('where no lock file names swansong, it is said that contracts are those of today', async () => {
  const text =
    "import { rule, ruleSet } from 'swansong';\nexport default ruleSet('mine', [rule('all').keep()]);\n";
  const folder = repository('unlocked', { 'rules.ts': text, 'package-lock.json': '{}' });
  const file = join(folder, 'rules.ts');
  const { because, assumed, same } = await decidedSince(
    await load(file),
    file,
    Revision.of(file, 'HEAD'),
    some,
  );
  expect(because).toBeUndefined();
  expect(assumed).toMatch(/^contracts are those of swansong \d/);
  expect(same.length).toBe(some.length);
});

describe('contracts that change are seen, in a checkout', () => {
  const folder = join(dir, 'checkout');
  const sources = `${join(folder, 'src')}/`;
  const file = join(sources, 'patch/sets/sound.ts');
  const edit = (name: string, from: string, to: string): void => {
    const text = readFileSync(join(sources, name), 'utf8');
    expect(text.split(from).length).toBeGreaterThan(1);
    writeFileSync(join(sources, name), text.replace(from, to));
  };
  const compared = async () => {
    const catalog = new Modules(await typescript(), WORKING_TREE).load(join(sources, 'kernel/catalog.ts'));
    const now = (catalog as { contracts: () => readonly Contract[] }).contracts();
    return decidedSince(await load(file), file, Revision.of(file, 'HEAD'), now, { sources });
  };

  test('a comment of the prover, one contract, the prover', async () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    cpSync(join(import.meta.dirname, '../../src'), sources, { recursive: true });
    git(folder, 'init', '-q');
    commit(folder);

    edit('smt/rule/post-state.ts', '/**', '/** New. ');
    expect(await compared()).toMatchObject({ decisions: [], contracts: [] });

    edit('kernel/contracts/ringbuf.ts', "outcome('null', NULL)", "outcome('none', NULL)");
    const { contracts: changed, same, because } = await compared();
    expect(because).toBeUndefined();
    expect(changed).toEqual(['bpf_ringbuf_reserve']);
    expect(same.length).toBe(contracts().length - 1);

    edit('smt/rule/post-state.ts', 't.not(', '(');
    expect((await compared()).because).toBe('src/smt/rule/post-state.ts changed since HEAD');
  });
});
