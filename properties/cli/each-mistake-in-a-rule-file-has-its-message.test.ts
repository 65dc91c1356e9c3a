/**
 * The mistakes that people make in rule files, each with its place and the words that it is told in; and what they ask for and get: one function
 * of a set, the same row for a call that is the same everywhere, and a comparison that says what was left out.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { here, scratch, swansong } from '../support/cli.js';

const folder = scratch();
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, `import { NULL, rule, ruleSet } from 'swansong';\nvoid NULL;\n${text}`);
  return file;
};
const set = (rules: string, name = 'x'): string => `export default ruleSet('${name}', [\n  ${rules},\n]);\n`;

/** What is wrong, the file behind its first two lines, and what is said behind the file's name. */
const MISTAKES: readonly (readonly [what: string, text: string, says: string])[] = [
  ['syntax', set("rule('a').when((f) => ).keep()"), ':4:25: Expression expected.'],
  [
    'a comparison of two types',
    set("rule('a').when((f) => f.acquires === 'yes').keep()"),
    ":4:25: This comparison appears to be unintentional because the types 'boolean' and 'string' have no overlap.",
  ],
  [
    'a property that is not there',
    set("rule('a').when((f) => f.aquires).keep()"),
    ":4:27: Property 'aquires' does not exist on type 'FunctionView'. Did you mean 'acquires'?",
  ],
  [
    'the same within an expression',
    set("rule('a').at((s) => s.canfail === true).keep()"),
    ":4:25: Property 'canfail' does not exist on type 'SiteView'. Did you mean 'canFail'?",
  ],
  [
    'an iterator role that is not there',
    set("rule('a').when((f) => !f.acquires && f.iterator === 'nxt').keep()"),
    `:4:40: This comparison appears to be unintentional because the types '"new" | "next" | "destroy" | undefined' and '"nxt"' have no overlap.`,
  ],
  [
    'it throws when it is loaded',
    `const none: any = undefined;\nnone.foo;\n${set("rule('a').keep()")}`,
    ":4:6: Cannot read properties of undefined (reading 'foo')",
  ],
  [
    'a rule throws',
    set("rule('a').when((f) => (f as any).foo.bar).keep()"),
    ":4:40: rule set 'x', rule 'a': Cannot read properties of undefined (reading 'bar') (for bpf_map_lookup_elem)",
  ],
  ['nothing is exported', 'export const a = 1;\n', ': a rule file exports a ruleSet(...) as its default'],
  [
    'r0 is too wide',
    set("rule('a').stub({ r0: 2n ** 64n })"),
    ":4:13: rule 'a': r0 must be a signed 64-bit integer or 'void', not 18446744073709551616",
  ],
  [
    'r0 is a fraction',
    set("rule('a').stub({ r0: 1.5 })"),
    ":4:13: rule 'a': r0 must be a signed 64-bit integer or 'void', not 1.5",
  ],
  [
    'a stub with another key',
    set("rule('a').stub({ r0: 0, writs: [0] })"),
    ":4:13: rule 'a': a stub has no 'writs'",
  ],
  [
    'an argument that is not there',
    set("rule('a').stub({ r0: 0, writes: [9] })"),
    ":4:13: rule 'a': writes must list different argument indices from 0 to 4",
  ],
  [
    'a rule that is not finished',
    set("rule('a').when((f) => f.acquires)"),
    ":3:23: rule set 'x': a rule ends in .stub(...), .keep() or .unwind()",
  ],
  [
    'two rules of one name',
    set("rule('a').keep(), rule('a').keep()"),
    ":3:23: rule set 'x': two rules are called 'a'",
  ],
  [
    'a test that answers later',
    set("rule('a').when(async (f) => f.acquires).keep()"),
    ":4:31: Type 'Promise<boolean>' is not assignable to type 'boolean'.",
  ],
  [
    'await',
    `await Promise.resolve();\n${set("rule('a').keep()")}`,
    ':3:1: a rule file has no await outside of functions: it runs from its begin to its end, as a plain function',
  ],
  [
    'import.meta',
    `void import.meta;\n${set("rule('a').keep()")}`,
    ':3:6: a rule file has no import.meta: it runs from its begin to its end, as a plain function',
  ],
  [
    'an import that is misspelt',
    `import { NULLL } from 'swansong';\n${set("rule('a').stub({ r0: NULLL })")}`,
    `:3:10: '"swansong"' has no exported member named 'NULLL'. Did you mean 'NULL'?`,
  ],
  [
    'the name of a shipped set',
    set("rule('a').keep()", 'sound'),
    ": a rule set called 'sound' comes with swansong: choose another name",
  ],
  [
    'a loop without end',
    set("rule('a').when(() => { while (true) {} }).keep()"),
    ":4:3: rule set 'x', rule 'a': when() did not end within 1 s (for bpf_map_lookup_elem)",
  ],
  [
    'process.exit',
    `process.exit(0);\n${set("rule('a').keep()")}`,
    ':3:9: process.exit: a rule file may not use the process',
  ],
  [
    'process.exit in a rule',
    set("rule('a').when(() => process.exit(0)).keep()"),
    ":4:32: rule set 'x', rule 'a': process.exit: a rule file may not use the process (for bpf_map_lookup_elem)",
  ],
  [
    'console.log',
    set("rule('a').when((f) => { console.log(f.name); return true; }).keep()"),
    ":4:35: rule set 'x', rule 'a': console.log: a rule file may not write to standard output; console.error may be used (for bpf_map_lookup_elem)",
  ],
  [
    'chance',
    set("rule('a').when(() => Math.random() < 0.5).keep()"),
    ":4:29: rule set 'x', rule 'a': Math.random: the answer would change from call to call (for bpf_map_lookup_elem)",
  ],
];

describe('a mistake', () => {
  it.each(MISTAKES)('%s', async (what, text, says) => {
    const file = put(`${what.replaceAll(/\W/g, '-')}.ts`, text);
    for (const args of [
      ['rules', 'check', file],
      ['rules', 'show', file, '--json'],
      ['fuzz', '--rules', file, '--programs', '1', '--json'],
    ]) {
      const { exit, out, err } = await here(args);
      expect({ exit, err }).toEqual({ exit: 2, err: expect.stringMatching(/^swansong: [^\n]*\n$/) });
      expect(err).toContain(`${what.replaceAll(/\W/g, '-')}.ts${says}\n`);
      if (args.includes('--json')) expect(out === '' || 'error' in (JSON.parse(out) as object)).toBe(true);
      else expect(out).toBe('');
    }
  });

  it('names and rules that decide nothing are warned of, and --strict refuses them', async () => {
    const file = put(
      'idle.ts',
      set(
        "rule('all').keep(), rule('a').when((f) => f.name === 'bpf_sk_lookup_tpc').keep(),\n  rule('late').when((f) => f.releases).keep()",
      ),
    );
    const plain = await here(['rules', 'check', file, '--function', 'bpf_sk_release']);
    expect(plain.exit).toBe(0);
    expect(plain.out).toContain("idle.ts:4:23: warning: rule 'a' matches no function\n");
    expect(plain.out).toContain("idle.ts:5:3: warning: rule 'late' never decides: 'all' matches first\n");
    expect(plain.out).toContain(
      "warning: no helper or kfunc is called 'bpf_sk_lookup_tpc'; did you mean 'bpf_sk_lookup_tcp'?\n",
    );
    expect((await here(['rules', 'check', file, '--function', 'bpf_sk_release', '--strict'])).exit).toBe(2);
  });
});

describe('what people ask of a rule set', () => {
  it('one function, and one row where every call is the same', async () => {
    const rows = async (name: string) =>
      (await here(['rules', 'show', 'sound', '--function', name])).out
        .split('\n')
        .slice(1, -1)
        .map((line) => line.trim().split(/ {2,}/));
    expect(await rows('bpf_spin_lock')).toEqual([['bpf_spin_lock', 'keep', 'everything else runs']]);
    expect(await rows('bpf_sk_lookup_tcp')).toEqual([
      ['bpf_sk_lookup_tcp', 'stub: r0 = 0', 'what can be refused here is refused'],
    ]);
    expect(await rows('bpf_map_lookup_elem')).toEqual([
      ['bpf_map_lookup_elem', 'per call site', 'what can be refused here is refused'],
      ['bpf_map_lookup_elem', 'keep', 'everything else runs'],
    ]);
    expect(await here(['rules', 'show', 'sound', '--function', 'bpf_sing'])).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/^swansong: bpf_sing is neither a helper/),
    });
  });

  it('a rule that looks at the slot of a call is no row of its own', async () => {
    const file = put(
      'slot.ts',
      set("rule('odd').at((s) => s.slot % 2 === 1).stub({ r0: 1 }), rule('rest').keep()"),
    );
    const { out } = await here(['rules', 'show', file, '--function', 'bpf_ktime_get_ns', '--json']);
    expect(
      (JSON.parse(out) as { functions: { action: unknown }[] }).functions.map(({ action }) => action),
    ).toEqual([null, 'keep']);
  });

  it('a comparison says that nothing changed, and what it left out', async () => {
    const file = put(
      'same.ts',
      set("rule('a').at((s) => s.canFail).stub((_, s) => s.failure), rule('r').keep()"),
    );
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
        stdio: 'ignore',
      });
    git('init', '-q');
    git('add', 'same.ts');
    git('commit', '-q', '-m', 'one');
    const { exit, out } = await here(['rules', 'check', file, '--changed-since', 'HEAD']);
    expect([exit, out]).toEqual([
      0,
      expect.stringMatching(
        /^0 proven, 0 refuted, 0 unknown\nsince HEAD: none decided otherwise; none contract changed or new\nleft out: \d+ with the same contract and the same decision in every situation\n/,
      ),
    ]);
  });

  it('an installed set has no revision of its own: everything is checked, and it is said', () => {
    const root = resolve(import.meta.dirname, '../..');
    const project = join(folder, 'project');
    const installed = join(project, 'node_modules/swansong');
    mkdirSync(installed, { recursive: true });
    for (const name of ['dist', 'package.json'])
      cpSync(join(root, name), join(installed, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'));
    execFileSync('git', ['-C', project, 'init', '-q']);
    execFileSync('git', [
      '-C',
      project,
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@b',
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'x',
    ]);
    const main = join(installed, 'dist/src/cli/main.js');
    const out = execFileSync(
      process.execPath,
      [main, 'rules', 'check', 'sound', '--function', 'bpf_loop', '--changed-since', 'HEAD'],
      {
        cwd: dirname(installed),
        encoding: 'utf8',
      },
    );
    expect(out).toContain('since HEAD: every function is checked, because HEAD has no such rule file\n');
    expect(swansong(['rules', 'lst']).err).toMatch(/^swansong: rules: there is no 'lst'/);
  });
});
