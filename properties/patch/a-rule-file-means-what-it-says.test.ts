/** The rule language: what a rule file says is what loading it gives, and mistakes in it are one clear line. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import type { Contract } from '../../src/kernel/contract.js';
import { changedSince } from '../../src/patch/changed.js';
import { NULL, rule, ruleSet } from '../../src/patch/define.js';
import { loadRules } from '../../src/patch/load.js';
import { Revision } from '../../src/patch/revision.js';
import { decide } from '../../src/patch/select.js';
import { RULE_SETS } from '../../src/patch/sets/index.js';
import { rulePositions, shippedFile } from '../../src/patch/sites.js';
import { functionView, siteView } from '../../src/patch/view.js';

const dir = mkdtempSync(join(tmpdir(), 'rules-'));
afterAll(() => rmSync(dir, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(dir, name);
  writeFileSync(file, text);
  return file;
}

const lookup: Contract = {
  name: 'bpf_map_lookup_elem',
  kind: 'helper',
  id: 1,
  args: [{ kind: 'map' }, { kind: 'map_key' }],
  outcomes: [
    { name: 'null', guard: { kind: 'key_may_miss' }, r0: { kind: 'null' }, effects: [] },
    { name: 'found', r0: { kind: 'pointer', to: { kind: 'map_value' } }, effects: [] },
  ],
  types: ['xdp'],
  flags: [],
  ret: 'RET_PTR_TO_MAP_VALUE_OR_NULL',
};

const decided = (rules: Parameters<typeof decide>[0], enabled = lookup.outcomes) =>
  decide(rules, functionView(lookup), siteView(lookup, 4, enabled));

test('the first rule that matches decides, and a call that none matches is kept', () => {
  const rules = ruleSet('two', [
    rule('a')
      .when((f) => f.name === 'other')
      .keep(),
    rule('b')
      .when((f) => f.mayReturnNull)
      .stub({ r0: NULL }),
    rule('c').stub({ r0: 5 }),
  ]);
  expect(decided(rules).rule?.name).toBe('b');
  expect(decided(ruleSet('none', [])).action).toEqual({ kind: 'keep' });
});

test('a site rule applies where the site passes and nowhere else', () => {
  const rules = ruleSet('sites', [
    rule('fails')
      .at((site) => site.canFail)
      .stub((_f, site) => site.failure),
    rule('rest').keep(),
  ]);
  expect(decided(rules).action).toEqual({ kind: 'stub', stub: { r0: 0n, writes: [], slots: [] } });
  expect(decided(rules, lookup.outcomes.slice(1)).action).toEqual({ kind: 'keep' });
});

const language = `import { NULL, rule, ruleSet } from 'swansong';\n`;
const good = `${language}
const names: readonly string[] = ['bpf_map_lookup_elem'];
export default ruleSet('mine', [
  rule('lookups miss').when((f) => names.includes(f.name)).stub({ r0: NULL }),
  rule('everything else runs').keep(),
]);
`;

test('TypeScript and JavaScript files load, and leave nothing beside themselves', async () => {
  const typed = write('mine.ts', good);
  const plain = write('mine.mjs', good.replace(': readonly string[]', ''));
  const before = readdirSync(dir);
  for (const file of [typed, plain]) {
    const { rules } = await loadRules(file);
    expect(rules.name).toBe('mine');
    expect(decided(rules).rule?.name).toBe('lookups miss');
  }
  expect(readdirSync(dir)).toEqual(before);
});

test('a shipped set is the same read by name and read as a file', async () => {
  for (const shipped of RULE_SETS) {
    expect((await loadRules(shipped.name)).rules).toBe(shipped);
    const { rules } = await loadRules(shippedFile(shipped.name));
    expect(rules.rules.map((one) => one.name)).toEqual(shipped.rules.map((one) => one.name));
  }
});

test('every rule of a shipped set is found in its source', async () => {
  for (const shipped of RULE_SETS) {
    const positions = await rulePositions(shippedFile(shipped.name));
    expect([...positions.keys()]).toEqual(shipped.rules.map((one) => one.name));
  }
});

const mistakes: readonly (readonly [string, string, RegExp])[] = [
  ['a misspelt word', `export default ruleSet('x', [rule('a').when((f) => f.canFial).keep()]);`, /canFial/],
  ['a stub without r0', `export default ruleSet('x', [rule('a').stub({})]);`, /at least r0/],
  ['an unknown stub part', `export default ruleSet('x', [rule('a').stub({ r0: 0, r1: 0 })]);`, /no 'r1'/],
  ['an r0 too wide', `export default ruleSet('x', [rule('a').stub({ r0: 1n << 63n })]);`, /64-bit/],
  [
    'a stub that writes an input',
    `export default ruleSet('x', [rule('a').stub({ r0: 0, writes: [1] })]);`,
    /no output memory/,
  ],
  ['a rule without action', `export default ruleSet('x', [rule('a').when(() => true)]);`, /ends in/],
  [
    'two rules of one name',
    `export default ruleSet('x', [rule('a').keep(), rule('a').keep()]);`,
    /two rules/,
  ],
  ['no default export', `ruleSet('x', []);`, /default/],
  ['a syntax error', `export default ruleSet('x', [);`, /expected/i],
  ['an exception', `throw new Error('boom');`, /boom/],
  ['a missing import', `import './nowhere.js';`, /nowhere/],
  [
    'a failure that is not there',
    `export default ruleSet('x', [rule('a').at(() => true).stub((f, s) => s.failure)]);`,
    /cannot fail here/,
  ],
];

test.each(mistakes)('%s is one line that says so', async (_what, text, expected) => {
  const file = write('wrong.ts', language + text);
  const attempt = async (): Promise<unknown> => {
    const { rules } = await loadRules(file);
    return decided(rules, lookup.outcomes.slice(1));
  };
  const error: unknown = await attempt().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).describe()).toMatch(expected);
  expect((error as InputError).describe()).not.toContain('\n');
});

test('a syntax error has its line and column', async () => {
  const file = write('syntax.ts', `${language}export default ruleSet('x', [);\n`);
  const error: unknown = await loadRules(file).catch((reason: unknown) => reason);
  expect((error as InputError).place).toMatchObject({ line: 2 });
});

test('a rule has changed when its tree has, or what it leans on; comments and formatting do not count', async () => {
  const git = (...args: string[]): void => {
    execFileSync('git', ['-C', dir, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      stdio: 'ignore',
    });
  };
  git('init', '-q');
  const file = write('watched.ts', good);
  git('add', 'watched.ts');
  git('commit', '-q', '-m', 'one');
  const changes = async (text: string): Promise<unknown> => {
    writeFileSync(file, text);
    return changedSince(file, Revision.of(file, 'HEAD'));
  };
  const first = 'lookups miss';
  const second = 'everything else runs';
  expect(await changes(good)).toEqual({ changed: [], below: [] });
  expect(await changes(good.replace('.stub(', '\n    // why\n    .stub(').replaceAll("'", '"'))).toEqual({
    changed: [],
    below: [],
  });
  expect(await changes(good.replace('r0: NULL', 'r0: 1'))).toEqual({ changed: [first], below: [second] });
  expect(await changes(good.replace("'bpf_map_lookup_elem'", "'bpf_sk_lookup_tcp'"))).toEqual({
    changed: [first],
    below: [second],
  });
  expect(await changes(good.replace(/ {2}rule\('lookups.*\n/, ''))).toEqual({ changed: [], below: [second] });
  expect(() => Revision.of(file, 'no-such-rev')).toThrow(InputError);
});

/** Places in a rule file, with how the code there stands: in the file itself, in a function, in one that may wait. */
const PLACES: Readonly<Record<string, readonly [string, 'file' | 'function' | 'async']>> = {
  'at the top': ['const a = HERE;', 'file'],
  'in a block': ['{ const a = HERE; }', 'file'],
  'in a branch of a loop': ['for (const i of [1]) if (i === 1) { [HERE]; }', 'file'],
  'in an object': ['const a = { b: [1, HERE] };', 'file'],
  'in a call': ['const a = String([HERE]);', 'file'],
  'in a function': ['function f() { return [HERE]; }', 'function'],
  'in an arrow': ['const f = () => [HERE];', 'function'],
  'in a method': ['class C { m() { if (true) return HERE; } }', 'function'],
  'in an arrow in a function': ['function f() { return [1].map(() => HERE); }', 'function'],
  'in an async function': ['async function f() { return [HERE]; }', 'async'],
  'in an async arrow': ['const f = async () => ({ a: HERE });', 'async'],
};
const WORDS = [
  ['import.meta', 'import.meta', 'import.meta.url', () => true],
  ['await', 'await outside of functions', 'await 1', (where: string) => where === 'file'],
] as const;

describe.each(WORDS)('%s is refused where it means nothing', (_, told, word, isRefused) => {
  test.each(Object.entries(PLACES))('%s', async (place, [text, where]) => {
    // In a plain function await is a mistake of syntax.
    if (word === 'await 1' && where === 'function') return;
    const body = `import { ruleSet } from 'swansong';\n${text.replace('HERE', word)}\nexport default ruleSet('x', []);\n`;
    const file = write(`${place} ${told}.ts`.replaceAll(' ', '-'), body);
    if (isRefused(where)) {
      await expect(loadRules(file)).rejects.toThrow(`a rule file has no ${told}`);
      await expect(loadRules(file)).rejects.toMatchObject({
        place: { line: 2, column: text.indexOf('HERE') + 1 },
      });
    } else expect((await loadRules(file)).rules.name).toBe('x');
  });
});
