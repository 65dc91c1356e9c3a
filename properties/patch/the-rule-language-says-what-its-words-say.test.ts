/** Each word of the rule language: which calls a rule takes, in which order rules are asked, what stubs may say, and how mistakes are told. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { contracts, helperByName } from '../../src/kernel/catalog.js';
import type { Contract, Outcome } from '../../src/kernel/contract.js';
import { changedSince } from '../../src/patch/changed.js';
import { makeStub, rule, ruleSet } from '../../src/patch/define.js';
import { enabledAt, fastPath } from '../../src/patch/fast-path.js';
import { resolveFile, WORKING_TREE } from '../../src/patch/files.js';
import { imitate } from '../../src/patch/imitate.js';
import { loadRules } from '../../src/patch/load.js';
import { Revision } from '../../src/patch/revision.js';
import type { FunctionView, Rule, SiteView } from '../../src/patch/rule.js';
import { decide, rulesFor } from '../../src/patch/select.js';
import { RULE_SETS, shippedRuleSet } from '../../src/patch/sets/index.js';
import { rulePositions } from '../../src/patch/sites.js';
import { functionView, siteView } from '../../src/patch/view.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';

const dir = mkdtempSync(join(tmpdir(), 'language-'));
afterAll(() => rmSync(dir, { recursive: true }));
const write = (name: string, text: string): string => {
  const file = join(dir, name);
  writeFileSync(file, text);
  return file;
};

const lookup = helperByName('bpf_map_lookup_elem')!;
const view = functionView(lookup);
const site = siteView(lookup, 7, lookup.outcomes);
const decided = (
  rules: readonly Rule[],
  of: Contract = lookup,
  at: SiteView = siteView(of, 7, of.outcomes),
) => decide(ruleSet('s', rules), functionView(of), at);

/** The one-line message of what is thrown. */
function told(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as Error).message;
  }
  return 'nothing was thrown';
}

describe('which rule decides', () => {
  const yes = (): boolean => true;
  const no = (): boolean => false;

  test('all tests of a rule must pass, in whatever order they are given', () => {
    for (const [tests, passes] of [
      [[yes, yes], true],
      [[yes, no], false],
      [[no, yes], false],
      [[no, no], false],
    ] as const) {
      const [one, two] = tests;
      const made = [
        rule('r').when(one).when(two).keep(),
        rule('r').at(one).at(two).keep(),
        rule('r').when(one).at(two).keep(),
        rule('r').at(one).when(two).keep(),
        rule('r').when(one).when(two).stub({ r0: 1 }),
        rule('r').at(one).when(two).stub({ r0: 1 }),
      ];
      expect(made.map((one) => decided([one]).rule !== undefined)).toEqual(made.map(() => passes));
    }
  });

  test('a rule without tests takes every call; the first that matches decides', () => {
    const rules = [
      rule('a').when(no).keep(),
      rule('b').at(no).keep(),
      rule('c').stub({ r0: 3 }),
      rule('d').keep(),
    ];
    const found = decided(rules);
    expect([found.rule?.name, found.action]).toEqual([
      'c',
      { kind: 'stub', stub: { r0: 3n, writes: [], slots: [] } },
    ]);
    expect(decided([rule('a').when(no).keep()])).toEqual({ rule: undefined, action: { kind: 'keep' } });
    expect(decided([rule('a').keep()]).action).toEqual({ kind: 'keep' });
  });

  test('tests and stubs are given the function and the site', () => {
    const seen: unknown[] = [];
    const note = (...given: unknown[]): boolean => seen.push(...given) > 0;
    decided(
      [
        rule('r')
          .when((f) => note(f))
          .at((s, f) => note(s, f))
          .stub((f, s) => ({ r0: note(f, s) ? 0 : 1 })),
      ],
      lookup,
      site,
    );
    expect(seen).toEqual([view, site, view, view, site]);
    expect(view).toBe(functionView(lookup));
  });

  test('the rules for a function are the site rules before the first that needs none, and that one', () => {
    const rules = ruleSet('s', [
      rule('a').when(no).keep(),
      rule('b').at(no).keep(),
      rule('c').at(yes).keep(),
      rule('d').when(yes).keep(),
      rule('e').at(yes).keep(),
    ]);
    expect(rulesFor(rules, view).map(({ name }) => name)).toEqual(['b', 'c', 'd']);
  });
});

describe('what a stub may say', () => {
  test.each([
    [0, 0n],
    [-1, -1n],
    [Number.MAX_SAFE_INTEGER, 9007199254740991n],
    [-(1n << 63n), -(1n << 63n)],
    [(1n << 63n) - 1n, (1n << 63n) - 1n],
    ['void', 'void'],
  ] as const)('r0: %s', (r0, meant) => {
    expect(makeStub({ r0 }, 'r')).toEqual({ r0: meant, writes: [], slots: [] });
  });

  test('output arguments and slots from 0 to 4', () => {
    const slots = [{ arg: 4, as: 'null_dynptr' as const }];
    expect(makeStub({ r0: 0, writes: [0, 4], slots }, 'r')).toEqual({ r0: 0n, writes: [0, 4], slots });
  });

  const wrong: readonly (readonly [unknown, string])[] = [
    [undefined, "rule 'r': a stub is an object with at least r0"],
    [null, "rule 'r': a stub is an object with at least r0"],
    [5, "rule 'r': a stub is an object with at least r0"],
    [{ writes: [] }, "rule 'r': a stub is an object with at least r0"],
    [{ r0: 0, out: 1 }, "rule 'r': a stub has no 'out'"],
    [{ r0: 1.5 }, "rule 'r': r0 must be a signed 64-bit integer or 'void', not 1.5"],
    [{ r0: 2 ** 60 }, "rule 'r': r0 must be a signed 64-bit integer or 'void', not 1152921504606847000"],
    [{ r0: 1n << 63n }, "rule 'r': r0 must be a signed 64-bit integer or 'void', not 9223372036854775808"],
    [
      { r0: -(1n << 63n) - 1n },
      "rule 'r': r0 must be a signed 64-bit integer or 'void', not -9223372036854775809",
    ],
    [{ r0: '0' }, "rule 'r': r0 must be a signed 64-bit integer or 'void', not 0"],
    [{ r0: 0, writes: [5] }, "rule 'r': writes must list different argument indices from 0 to 4"],
    [{ r0: 0, writes: [-1] }, "rule 'r': writes must list different argument indices from 0 to 4"],
    [{ r0: 0, writes: [1, 1] }, "rule 'r': writes must list different argument indices from 0 to 4"],
    [{ r0: 0, writes: [0.5] }, "rule 'r': writes must list different argument indices from 0 to 4"],
    [{ r0: 0, writes: 1 }, "rule 'r': writes must list different argument indices from 0 to 4"],
    [{ r0: 0, slots: 1 }, "rule 'r': slots must be a list"],
    [{ r0: 0, slots: [null] }, "rule 'r': a slot is { arg: 0 to 4, as: 'null_dynptr' }"],
    [
      { r0: 0, slots: [{ arg: 5, as: 'null_dynptr' }] },
      "rule 'r': a slot is { arg: 0 to 4, as: 'null_dynptr' }",
    ],
    [{ r0: 0, slots: [{ arg: 1, as: 'dynptr' }] }, "rule 'r': a slot is { arg: 0 to 4, as: 'null_dynptr' }"],
  ];
  test.each(wrong)('a stub that is wrong is refused: %#', (spec, message) => {
    expect(told(() => makeStub(spec, 'r'))).toBe(message);
  });

  test('only outputs are written, and only slots that are not yet a dynptr are cleared', () => {
    for (const contract of contracts()) {
      for (let arg = 0; arg < 5; arg++) {
        const one = contract.args[arg];
        const output =
          (one?.kind === 'mem' && one.access !== 'read') ||
          (one?.kind === 'map_value' && one.uninit === true);
        const slot = one?.kind === 'dynptr' && one.state === 'uninit';
        const writes = told(() => decided([rule('w').stub({ r0: 0, writes: [arg] })], contract));
        const slots = told(() =>
          decided([rule('w').stub({ r0: 0, slots: [{ arg, as: 'null_dynptr' }] })], contract),
        );
        const said = `rule set 's', rule 'w': argument ${arg} is no`;
        expect([contract.name, arg, writes, slots]).toEqual([
          contract.name,
          arg,
          output ? 'nothing was thrown' : `${said} output memory of ${contract.name}`,
          slot ? 'nothing was thrown' : `${said} uninitialised dynptr slot of ${contract.name}`,
        ]);
      }
    }
  });
});

describe('mistakes', () => {
  test.each([
    [() => rule(''), 'a rule needs a name'],
    [() => rule('  '), 'a rule needs a name'],
    [() => rule(5 as unknown as string), 'a rule needs a name'],
    [() => ruleSet('a b', []), "a rule set's name is made of letters, digits, '.', '_' and '-', not 'a b'"],
    [() => ruleSet('', []), "a rule set's name is made of letters, digits, '.', '_' and '-', not ''"],
    [() => ruleSet('x', {} as Rule[]), "rule set 'x': its rules must be a list"],
    [
      () => ruleSet('x', [{ name: 'r' } as Rule]),
      "rule set 'x': a rule ends in .stub(...), .keep() or .unwind()",
    ],
    [() => ruleSet('x', [rule('r').keep(), rule('r').keep()]), "rule set 'x': two rules are called 'r'"],
    [
      () =>
        decided([
          rule('r')
            .when((f) => (f as unknown as { no: boolean }).no)
            .keep(),
        ]),
      "rule set 's', rule 'r': when() must answer true or false, not undefined (for bpf_map_lookup_elem)",
    ],
    [
      () =>
        decided([
          rule('r')
            .at(() => 1 as unknown as boolean)
            .keep(),
        ]),
      "rule set 's', rule 'r': at() must answer true or false, not 1 (for bpf_map_lookup_elem)",
    ],
    [
      () =>
        decided([
          rule('r')
            .when(() => {
              throw new Error('boom');
            })
            .keep(),
        ]),
      "rule set 's', rule 'r': boom (for bpf_map_lookup_elem)",
    ],
    [
      () => decided([rule('r').stub((f) => ({ r0: f.failure.r0, x: 1 }) as never)]),
      "rule set 's', rule 'r': a stub has no 'x' (for bpf_map_lookup_elem)",
    ],
    [
      () => decided([rule('r').stub((f: FunctionView) => f.failure)], helperByName('bpf_spin_lock')!),
      "rule set 's', rule 'r': bpf_spin_lock has no failure that a stub could imitate (for bpf_spin_lock)",
    ],
    [
      () =>
        decided(
          [
            rule('r')
              .at(() => true)
              .stub((_f, s) => s.failure),
          ],
          lookup,
          siteView(lookup, 1, lookup.outcomes.slice(1)),
        ),
      "rule set 's', rule 'r': the call of bpf_map_lookup_elem cannot fail here (for bpf_map_lookup_elem)",
    ],
  ] as const)('are told: %#', (run, message) => {
    expect(told(run)).toBe(message);
  });

  test('names with every letter that is allowed', () => {
    expect(ruleSet('a-B_1.x', []).name).toBe('a-B_1.x');
  });
});

test('a view of a site knows what is possible there', () => {
  const [none, ...others] = lookup.outcomes;
  expect([site.slot, site.enabled, site.canFail, site.failure.r0]).toEqual([7, lookup.outcomes, true, 0n]);
  expect(siteView(lookup, -1, others).canFail).toBe(false);
  expect(siteView(lookup, -1, [none!]).failure).toEqual({ r0: 0n, writes: [], slots: [] });
});

test('a stub imitates with a usual error number, then 0, then what is nearest', () => {
  const outcome = (min: bigint, max: bigint, usual?: readonly [bigint, bigint]): Outcome =>
    ({ name: 'o', r0: { kind: 'scalar', min, max }, effects: [], ...(usual ? { usual } : {}) }) as Outcome;
  const least = -(1n << 63n);
  for (const [made, r0] of [
    [outcome(-4095n, 0n), -12n],
    [outcome(-4095n, -13n), -22n],
    [outcome(-22n, -22n), -22n],
    [outcome(-16n, -13n), -16n],
    [outcome(-2n, -1n), -2n],
    [outcome(-4095n, -90n), -95n],
    [outcome(-12n, -12n), -12n],
    [outcome(-1n, 5n), 0n],
    [outcome(0n, 5n), 0n],
    [outcome(3n, 5n), 3n],
    [outcome(-11n, -5n), -5n],
    [outcome(-4095n, -96n), -96n],
    [outcome(least, 100n), 0n],
    [outcome(least, -5n), -5n],
    [outcome(least + 1n, 5n), -12n],
    [outcome(-4095n, 4095n, [1n, 9n]), 1n],
    [outcome(0n, 4095n, [-5n, 9n]), 0n],
    [outcome(5n, 10n, [7n, 11n]), 5n],
    [outcome(5n, 10n, [7n, 10n]), 7n],
  ] as const)
    expect([made.r0, made.usual, imitate(made).r0]).toEqual([made.r0, made.usual, r0]);
});

describe('call sites', () => {
  const text = (key: string): string => `.type tc
.map m array key=4 value=8 entries=2
    call bpf_get_prandom_u32
    *(u32 *)(r10 -8) = 1
    if r0 == 0 goto known
    ${key}
known:
    r2 = r10
    r2 += -8
    r1 = map m
    call bpf_map_lookup_elem
    r0 = 0
    exit
`;
  test('what fails may happen only if it may on every way there; what acquires, if on any', () => {
    for (const [key, names] of [
      ['*(u32 *)(r10 -8) = 0', ['found']],
      ['*(u32 *)(r10 -8) = 2', ['found']],
    ] as const) {
      const { program } = parseCase(text(key));
      const verified = verify(program);
      if (!verified.ok) throw new Error(verified.message);
      const slot = program.insns.length - 3;
      expect(enabledAt(lookup, program, verified.facts, slot).map(({ name }) => name)).toEqual(names);
      expect(fastPath(program, verified.facts, shippedRuleSet('sound')!).stubs.has(slot)).toBe(false);
      // Where nothing comes, all is possible.
      expect(enabledAt(lookup, program, { at: () => [] }, slot)).toBe(lookup.outcomes);
    }
  });

  test('every shipped set is found by its name, in the order in which they are listed', () => {
    expect(RULE_SETS.map(({ name }) => name)).toEqual(['sound', 'rfc-v1', 'rfc-v2', 'rfc-v3', 'naive']);
    for (const rules of RULE_SETS) expect(shippedRuleSet(rules.name)).toBe(rules);
    expect(shippedRuleSet('Sound')).toBeUndefined();
  });
});

describe('files', () => {
  const good = `import { rule, ruleSet } from 'swansong';\nexport default ruleSet('mine', [rule('r').keep()]);\n`;

  test('of each kind, under each name of the language, with what they import', async () => {
    for (const extension of ['ts', 'mts', 'js', 'mjs']) {
      expect((await loadRules(write(`a.${extension}`, good))).rules.name).toBe('mine');
    }
    expect((await loadRules(write('b.ts', good.replace("'swansong'", "'swansong/rules'")))).rules.name).toBe(
      'mine',
    );
    write('names.ts', "export const NAME = 'theirs';\n");
    for (const specifier of ['./names.js', './names.ts', './names']) {
      const text = `import { NAME } from '${specifier}';\n${good.replace("'mine'", 'NAME')}`;
      expect((await loadRules(write('c.ts', text))).rules.name).toBe('theirs');
    }
    const found = await loadRules(write('d.ts', good));
    expect(found.file).toBe(join(dir, 'd.ts'));
    expect((await loadRules('naive')).file).toBeUndefined();
  });

  test('that are not there are told apart from sets that are not there', async () => {
    const message = async (name: string): Promise<string> =>
      loadRules(name).then(
        () => '',
        (error: unknown) => (error as InputError).describe(),
      );
    expect(await message('mine')).toBe(
      "no rule set 'mine': neither one of sound, rfc-v1, rfc-v2, rfc-v3, naive nor a .ts or .js file",
    );
    const missing = join(dir, 'missing.ts');
    expect(await message(missing)).toBe(`${missing}: no such rule file`);
    mkdirSync(join(dir, 'folder.ts'));
    expect(await message(join(dir, 'folder.ts'))).toContain('no such rule file');
    expect(await message(write('e.ts', "import './nowhere.js';\n"))).toContain("cannot find './nowhere.js'");
    expect(await message(write('f.ts', 'export default { name: 5, rules: [] };\n'))).toContain(
      'a rule file exports a ruleSet(...) as its default',
    );
    expect(await message(write('g.ts', "export default { name: 'x', rules: 5 };\n"))).toContain(
      'a rule file exports',
    );
  });

  test('are found with the extension that they have', () => {
    write('h.js', '');
    expect(resolveFile(join(dir, 'h'), WORKING_TREE)).toBe(join(dir, 'h.js'));
    expect(resolveFile(join(dir, 'h.js'), WORKING_TREE)).toBe(join(dir, 'h.js'));
    write('h.ts', '');
    expect(resolveFile(join(dir, 'h'), WORKING_TREE)).toBe(join(dir, 'h.ts'));
    expect(resolveFile(join(dir, 'h.mjs'), WORKING_TREE)).toBe(join(dir, 'h.ts'));
    expect(resolveFile(join(dir, 'i'), WORKING_TREE)).toBeUndefined();
  });

  test('say where each rule stands', async () => {
    const file = write(
      'places.ts',
      "import { rule, ruleSet } from 'swansong';\nexport default ruleSet('x', [rule('a').keep(),\n  rule('b')\n    .when(() => true)\n    .keep(), rule('c').keep()]);\nrule('a');\nruler('d');\nrule(NAME);\n",
    );
    expect([...(await rulePositions(file))]).toEqual([
      ['a', { file, line: 2, column: 30 }],
      ['b', { file, line: 3, column: 3 }],
      ['c', { file, line: 5, column: 14 }],
    ]);
  });
});

describe('changes since a revision', () => {
  const watched = join(dir, 'repo');
  const base = `import { rule, ruleSet } from 'swansong';
import { NAMES } from './names.js';
const limit = 3;
const big = (n: number): boolean => n > limit;
let other = 1;
function unused(): number { return other; }
export default ruleSet('x', [
  rule('one').when((f) => NAMES.includes(f.name)).keep(),
  rule('two').when((f) => big(f.flags.length)).stub({ r0: -1 }),
  rule('three').when((f) => f.kind === 'helper').stub({ r0: 0 }),
  rule('four').keep(),
]);
`;
  const names = "import { MORE } from './more.js';\nexport const NAMES = ['a', MORE];\n";
  const git = (...args: string[]): void => {
    execFileSync('git', ['-C', watched, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      stdio: 'ignore',
    });
  };
  const put = (name: string, text: string): void => writeFileSync(join(watched, name), text);
  const head = (name: string): Revision => Revision.of(join(watched, name), 'HEAD');
  const restore = (): void => {
    put('rules.ts', base);
    put('names.ts', names);
    put('more.ts', "export const MORE = 'b';\n");
  };
  mkdirSync(watched);
  git('init', '-q');
  restore();
  git('add', '.');
  git('commit', '-q', '-m', 'one');

  const all = ['one', 'two', 'three', 'four'];
  const below = (...changed: string[]): unknown => ({
    changed,
    below: all.slice(all.indexOf(changed[0]!) + 1).filter((name) => !changed.includes(name)),
  });
  const none = { changed: [], below: [] };

  test.each<readonly [what: string, edit: () => void, found: unknown]>([
    ['nothing', () => {}, none],
    [
      'a comment and blank lines',
      () => put('rules.ts', base.replace('const limit', '// why\n\nconst limit')),
      none,
    ],
    [
      'quotes and a trailing comma',
      () => put('rules.ts', base.replace("'helper'", '"helper"').replace('r0: 0 }', 'r0: 0, }')),
      none,
    ],
    [
      'parentheses',
      () => put('rules.ts', base.replace("f.kind === 'helper'", "(f.kind === 'helper')")),
      none,
    ],
    ['a rule', () => put('rules.ts', base.replace('r0: 0', 'r0: 1')), below('three')],
    [
      'the last rule',
      () => put('rules.ts', base.replace("rule('four').keep()", "rule('four').stub({ r0: 0 })")),
      below('four'),
    ],
    ['a sign', () => put('rules.ts', base.replace('r0: -1', 'r0: 1')), below('two')],
    ['one sign for another', () => put('rules.ts', base.replace('r0: -1', 'r0: ~1')), below('two')],
    ['an operator', () => put('rules.ts', base.replace('n > limit', 'n >= limit')), below('two')],
    [
      'a constant two steps away',
      () => put('rules.ts', base.replace('limit = 3', 'limit = 4')),
      below('two'),
    ],
    ['a constant into a variable', () => put('rules.ts', base.replace('const limit', 'let limit')), none],
    ['what no rule uses', () => put('rules.ts', base.replace('other = 1', 'other = 2')), none],
    ['an imported file', () => put('names.ts', names.replace("'a'", "'c'")), below('one')],
    [
      'a file that an imported file imports',
      () => put('more.ts', "export const MORE = 'c';\n"),
      below('one'),
    ],
    [
      'a rule that is new',
      () => put('rules.ts', base.replace("  rule('three')", "  rule('new').keep(),\n  rule('three')")),
      { changed: ['new'], below: ['three', 'four'] },
    ],
    [
      'a rule that is gone',
      () => put('rules.ts', base.replace(/ {2}rule\('two'.*\n/, '')),
      { changed: [], below: ['three', 'four'] },
    ],
    [
      'two rules that changed places',
      () => put('rules.ts', base.replace(/( {2}rule\('two'.*\n)( {2}rule\('three'.*\n)/, '$2$1')),
      { changed: [], below: ['three', 'two', 'four'] },
    ],
    [
      'a name',
      () => put('rules.ts', base.replace("rule('two')", "rule('TWO')")),
      { changed: ['TWO'], below: ['three', 'four'] },
    ],
  ])('%s', async (_what, edit, found) => {
    restore();
    edit();
    expect(await changedSince(join(watched, 'rules.ts'), head('rules.ts'))).toEqual(found);
  });

  test('a file that is new is new as a whole', async () => {
    restore();
    put('fresh.ts', base);
    expect(await changedSince(join(watched, 'fresh.ts'), head('fresh.ts'))).toEqual({
      changed: all,
      below: [],
    });
  });

  test('a revision that is not there, and a file outside of any repository', async () => {
    restore();
    const rules = join(watched, 'rules.ts');
    expect(() => Revision.of(rules, 'nope')).toThrow("no git revision 'nope'");
    expect(() => Revision.of(rules, '--all')).toThrow("no git revision '--all'");
    expect(() => Revision.of(write('out.ts', base), 'HEAD')).toThrow('not in a git repository');
  });
});
