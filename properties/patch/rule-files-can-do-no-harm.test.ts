/**
 * A rule file cannot fake a verdict, hang the program, end it, or write between its output, and a mistake in one is told with its place: in types,
 * in names of functions, and in rules that decide nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadRuleSets } from '../../src/campaign/naming/rules.js';
import { InputError } from '../../src/isa/errors.js';
import { contracts } from '../../src/kernel/catalog.js';
import { rulesThatDecideNothing, unknownNames } from '../../src/patch/lint.js';
import { Sandbox } from '../../src/patch/sandbox.js';
import { decide } from '../../src/patch/select.js';
import { functionView, siteView } from '../../src/patch/view.js';

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'harm-')));
afterAll(() => rmSync(dir, { recursive: true }));

let files = 0;
function write(text: string, extension = '.ts'): string {
  files += 1;
  const file = join(dir, `rules${files}${extension}`);
  writeFileSync(file, `import { NULL, rule, ruleSet } from 'swansong';\n${text}`);
  return file;
}

/** The one line that loading a file ends with; undefined where it loads. */
async function mistake(file: string): Promise<string | undefined> {
  try {
    await loadRuleSets([file]);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).describe();
  }
}

const set = (...rules: string[]): string => `export default ruleSet('mine', [\n${rules.join(',\n')}]);\n`;
/** A rule that does this when it is asked about bpf_loop, in one of the three places where code stands. */
const PLACES: Readonly<Record<string, (code: string) => string>> = {
  'when()': (code) =>
    set(`rule('bad').when((f) => { if (f.name === 'bpf_loop') { ${code} } return true; }).keep()`),
  'at()': (code) =>
    set(`rule('bad').at((s, f) => { if (f.name === 'bpf_loop') { ${code} } return true; }).keep()`),
  'stub()': (code) =>
    set(
      "rule('other').when((f) => f.name !== 'bpf_loop').keep()",
      `rule('bad').stub((f) => { ${code} return { r0: NULL }; })`,
    ),
};

const HARM: readonly (readonly [what: string, code: string, said: RegExp])[] = [
  ['an endless loop', 'for (;;);', /did not end within 1 s/],
  ['process.exit', 'process.exit(0);', /process\.exit: a rule file may not use the process/],
  ['standard output', "console.log('x');", /console\.log: a rule file may not write to standard output/],
  ['standard output by the process', "process.stdout.write('x');", /process\.stdout/],
  ['chance', 'if (Math.random() < 2) void 0;', /Math\.random: the answer would change from call to call/],
  ['the clock', 'Date.now();', /Date\.now: the answer/],
  ['the date', 'new Date();', /Date: the answer/],
  ['an exception', "throw new TypeError('boom');", /boom/],
  ['what is no error', "throw 'boom';", /boom/],
  ['a stack that overflows', 'const deep = () => deep() + 1; deep();', /call stack/],
  ['a timer', 'globalThis.setTimeout(() => {}, 1);', /setTimeout/],
  ['code from text', "globalThis.eval('1');", /eval|[Cc]ode generation/],
];

describe.each(Object.entries(PLACES))('in %s', (place, put) => {
  it.each(HARM)(
    '%s is an error that names the rule and the function',
    { timeout: 20_000 },
    async (_, code, said) => {
      const line = await mistake(write(put(code), '.js'));
      expect(line).toMatch(said);
      expect(line).toContain("rule set 'mine', rule 'bad':");
      expect(line).toContain('(for bpf_loop)');
      expect(line).not.toContain('\n');
    },
  );

  it('an answer that changes from call to call is an error', async () => {
    const changing = {
      'when()': `let n = 0;\n${set("rule('bad').when((f) => f.name === 'bpf_loop' && n++ % 2 === 0).keep()")}`,
      'at()': `let n = 0;\n${set("rule('bad').at(() => n++ % 2 === 0).keep()")}`,
      'stub()': `let n = 0;\n${set("rule('bad').stub(() => ({ r0: n++ }))")}`,
    }[place]!;
    expect(await mistake(write(changing, '.js'))).toMatch(
      /rule 'bad': \w+\(\) answers otherwise when it is asked again/,
    );
  });
});

describe('while it is loaded', () => {
  it.each([
    ['an endless loop', 'for (;;);\n', /the file did not end within 3 s/],
    ['process.exit', 'process.exit(0);\n', /:2:\d+: process\.exit|process\.exit: a rule file/],
    ['standard output', "console.info('x');\n", /console\.info: a rule file may not/],
    [
      'a package',
      "import fs from 'node:fs';\nfs;\n",
      /imports 'swansong' and files beside it, not 'node:fs'/,
    ],
  ] as const)('%s is an error', { timeout: 30_000 }, async (_, code, said) => {
    expect(await mistake(write(`${code}${set("rule('rest').keep()")}`, '.js'))).toMatch(said);
  });

  it('an exception has its place in the text that the person wrote', async () => {
    const text = `interface Gone {\n  readonly a: string;\n}\nconst none = undefined as any;\nnone.foo;\n${set("rule('rest').keep()")}`;
    expect(await mistake(write(text))).toMatch(/rules\d+\.ts:6:6: Cannot read properties of undefined/);
  });

  it('a set may not be called as one that is shipped', async () => {
    const file = write("export default ruleSet('sound', [rule('rest').keep()]);\n");
    expect(await mistake(file)).toMatch(/a rule set called 'sound' comes with swansong/);
  });
});

it('a rule that asks for the slot of a site is asked for each slot', async () => {
  const [named] = await loadRuleSets([write(set("rule('odd').at((s) => s.slot % 2 === 1).stub({ r0: 1 })"))]);
  const loop = contracts().find(({ name }) => name === 'bpf_ktime_get_ns')!;
  const actions = [1, 2, 3, 4].map(
    (slot) => decide(named!.rules, functionView(loop), siteView(loop, slot, loop.outcomes)).action.kind,
  );
  expect(actions).toEqual(['stub', 'keep', 'stub', 'keep']);
});

it('a rule that asks what is possible at a site is asked for each situation', async () => {
  const [named] = await loadRuleSets([
    write(set("rule('fails').at((s) => s.canFail).stub((f, s) => s.failure)")),
  ]);
  const lookup = contracts().find(({ name }) => name === 'bpf_map_lookup_elem')!;
  const actions = [lookup.outcomes, lookup.outcomes.slice(1), lookup.outcomes.slice(0, 1)].map(
    (enabled) => decide(named!.rules, functionView(lookup), siteView(lookup, 0, enabled)).action.kind,
  );
  expect(actions).toEqual(['stub', 'keep', 'stub']);
});

describe('types are checked', () => {
  it.each([
    [
      'an unknown property',
      "rule('a').when((f) => f.aquires).keep()",
      /:3:\d+: Property 'aquires' .* Did you mean 'acquires'\?/,
    ],
    [
      'one inside of an expression',
      "rule('a').at((s) => s.canfail === true).keep()",
      /Did you mean 'canFail'\?/,
    ],
    [
      'a comparison that never holds',
      "rule('a').when((f) => (f.acquires as boolean) === ('yes' as string)).keep()",
      /no overlap/,
    ],
    ['two mistakes', "rule('a').when((f) => f.aquires || f.bloks).keep()", /\(and 1 more\)$/],
  ])('%s', async (_, text, said) => {
    expect(await mistake(write(set(text)))).toMatch(said);
  });

  it('also in a file that is imported', async () => {
    writeFileSync(join(dir, 'lists.ts'), 'export const LISTED: string[] = [1];\n');
    const file = write(
      `import { LISTED } from './lists.js';\n${set("rule('a').when((f) => LISTED.includes(f.name)).keep()")}`,
    );
    expect(await mistake(file)).toMatch(/lists\.ts:1:\d+: Type 'number' is not assignable/);
  });

  it('JavaScript is not checked, and what it asks for wrongly is found when it is asked', async () => {
    const file = write(set("rule('a').when((f) => f.aquires).keep()"), '.js');
    expect(await mistake(file)).toMatch(/when\(\) must answer true or false, not undefined/);
  });
});

describe('a rule set is looked over', () => {
  const idle = async (...rules: string[]): Promise<readonly string[]> => {
    const file = write(set(...rules));
    const [named] = await loadRuleSets([file]);
    const found = await rulesThatDecideNothing(named!.rules, contracts(), file);
    return found.map(({ message, line }) => `${line}: ${message}`);
  };

  it('rules that match nothing, and rules that are shadowed, are told with their place', async () => {
    expect(await idle("rule('a').when((f) => f.acquires).keep()", "rule('rest').keep()")).toEqual([]);
    expect(
      await idle(
        "rule('none').when((f) => f.name === 'bpf_lop').keep()",
        "rule('all').keep()",
        "rule('late').when((f) => f.callsBack).keep()",
      ),
    ).toEqual(["3: rule 'none' matches no function", "5: rule 'late' never decides: 'all' matches first"]);
    expect(
      await idle(
        "rule('fails').at((s) => s.canFail).keep()",
        "rule('not').at((s) => !s.canFail).keep()",
        "rule('x').keep()",
      ),
    ).toEqual(["5: rule 'x' never decides: 'fails', 'not' match first"]);
  });

  it('names of functions that do not exist are told, with what was meant', async () => {
    const file = write(
      `const NAMES = ['bpf_sk_lookup_tpc', 'bpf_loop', 'bpf_mine'];\n${set(
        "rule('bpf_not_a_function').when((f) => NAMES.includes(f.name)).keep()",
        "rule('b').when((f) => f.name === 'lop').keep()",
      )}`,
    );
    const found = (await unknownNames(file, ['bpf_mine'])).map(({ message, line }) => `${line}: ${message}`);
    expect(found).toEqual([
      expect.stringMatching(
        /^2: no helper or kfunc is called 'bpf_sk_lookup_tpc'; did you mean .*'bpf_sk_lookup_tcp'/,
      ),
      expect.stringMatching(/^5: no helper or kfunc is called 'lop'/),
    ]);
  });
});

describe('an editor finds the words and their types', () => {
  const root = resolve(import.meta.dirname, '../..');
  it('of the package as npm installs it', { timeout: 60_000 }, () => {
    const project = join(dir, 'project');
    mkdirSync(join(project, 'node_modules'), { recursive: true });
    symlinkSync(root, join(project, 'node_modules/swansong'));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const options = '--noEmit --strict --skipLibCheck --target es2022 --module nodenext'.split(' ');
    const check = (text: string): string => {
      writeFileSync(join(project, 'rules.mts'), text);
      const args = [compiler, ...options, 'rules.mts'];
      return spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' }).stdout;
    };
    const good = [
      "import { type FunctionView, NULL, rule, ruleSet, type SiteView } from 'swansong';",
      'const f = (v: FunctionView, s?: SiteView): boolean => v.acquires && s?.canFail !== false;',
      "export default ruleSet('x', [rule('a').when((v) => f(v)).stub({ r0: NULL })]);",
      '',
    ].join('\n');
    expect(check(good)).toBe('');
    expect(check(good.replace('v.acquires', 'v.aquires'))).toContain("Did you mean 'acquires'?");
  });
});

describe('a question that ran out of time', () => {
  const cell = new Int32Array(new SharedArrayBuffer(4));

  it('is asked again if it had no processor', () => {
    let asked = 0;
    // Waits without running, as on a machine that is busy with other work.
    const answer = new Sandbox().ask('when()', () =>
      ++asked === 1 ? Atomics.wait(cell, 0, 0, 60_000) : 'right',
    );
    expect([answer, asked]).toEqual(['right', 2]);
  });

  it('is an error if it ran all the time', { timeout: 60_000 }, () => {
    let asked = 0;
    const endless = (): never => {
      asked++;
      for (;;);
    };
    expect(() => new Sandbox().ask('when()', endless)).toThrow('when() did not end within 1 s');
    // Once where the machine is not busy.
    expect(asked).toBeLessThanOrEqual(10);
  });
});
