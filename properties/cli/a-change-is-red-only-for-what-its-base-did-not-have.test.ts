/**
 * What failed before a change does not make it red, and what the change broke does, in every command that judges; the files in docs/ci that people
 * copy do what they say: the job of a change is run from its first to its last step in a repository with a regression.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { compareWithBaseline, isNew } from '../../src/report/compare/baseline.js';
import { type Judged, judgedKey, type Standing } from '../../src/report/compare/judged.js';
import { CORPUS, here, MAIN, scratch } from '../support/cli.js';
import { seeded } from '../support/seed.js';

const CI = resolve(import.meta.dirname, '../../docs/ci');
const folder = scratch();
const isOpen = ({ standing }: Judged): boolean => standing === 'failed' || standing === 'unknown';

describe('a baseline', () => {
  const judged: fc.Arbitrary<Judged> = fc.record({
    of: fc.constantFrom('a.o', 'b.o'),
    name: fc.constantFrom('x', 'y', 'z'),
    standing: fc.constantFrom<Standing>('holds', 'failed', 'unknown', 'warned', 'left out'),
    what: fc.constantFrom('leak', 'misuse', 'unknown'),
    message: fc.constant('m'),
  });
  const lists = fc.array(judged, { maxLength: 6 });

  it('hides what it has, and nothing else', () => {
    fc.assert(
      fc.property(lists, lists, (now, base) => {
        const compared = compareWithBaseline(now, { file: 'base.json', judged: base });
        const open = now.filter(isOpen);
        // Each thing that is open is either new or known.
        expect(compared.new.length + compared.known.length).toBe(open.length);
        // Nothing is new beside itself, and everything is beside nothing.
        expect(now.filter((one) => isNew(one, now))).toEqual([]);
        expect(now.filter((one) => isNew(one, []))).toEqual(open);
        for (const one of open) {
          const then = base.filter(
            (other) => isOpen(other) && other.of === one.of && other.name === one.name,
          );
          if (then.length === 0) expect(isNew(one, base)).toBe(true);
          if (then.some((other) => judgedKey(other) === judgedKey(one))) expect(isNew(one, base)).toBe(false);
          // To fail is worse than to be unknown, and to fail otherwise is another thing.
          if (one.standing === 'failed' && then.every(({ what }) => what !== one.what))
            expect(isNew(one, base)).toBe(true);
        }
        const was = base.filter(isOpen).length;
        expect(compared.mended.length + compared.missing.length).toBeLessThanOrEqual(was);
        for (const { of, name } of compared.missing)
          expect(now.some((one) => one.of === of && one.name === name)).toBe(false);
      }),
      seeded(400),
    );
  });

  const CASES = ['rfc-v1-misuse-bpf_spin_lock-db4fca.bpf', 'rfc-v1-leak-bpf_sk_release-9df8a9.bpf'];
  const put = (name: string, rules: string): string => {
    const file = join(folder, 'cases', name);
    mkdirSync(join(folder, 'cases'), { recursive: true });
    writeFileSync(file, readFileSync(join(CORPUS, name), 'utf8').replace(/^\.rules .*$/m, `.rules ${rules}`));
    return file;
  };

  it('is the document of an earlier run: known failures are told and are not red', async () => {
    const [first, second] = CASES.map((name, i) => put(name, i === 0 ? 'sound' : 'rfc-v1'));
    const cases = join(folder, 'cases');
    const base = join(folder, 'base.json');
    expect((await here(['replay', cases, '--format', `json=${base}`])).exit).toBe(1);
    const known = await here(['replay', cases, '--baseline', base]);
    expect(known.exit).toBe(0);
    expect(known.out).toMatch(/0 new, 1 known, 0 mended, 0 not judged now\n$/);
    put(CASES[1]!, 'sound');
    const both = await here(['replay', cases, '--baseline', base]);
    expect(both.exit).toBe(1);
    expect(both.out).toMatch(new RegExp(`^new: .*${CASES[1]!.slice(0, 20)}`, 'm'));
    const { out, exit } = await here(['replay', second!, '--baseline', base, '--json']);
    expect([exit, JSON.parse(out)]).toMatchObject([
      1,
      { baseline: { new: [{ name: CASES[1] }], known: [], missing: [{ name: CASES[0] }] } },
    ]);
    put(CASES[0]!, 'rfc-v1');
    expect((await here(['replay', first!, '--baseline', base])).out).toMatch(/1 mended/);
  });

  it('must be of the same command', async () => {
    const file = put(CASES[0]!, 'rfc-v1');
    for (const [text, says] of [
      ['{', /not JSON/],
      ['{}', /has no schema/],
      ['{"schema":"swansong/prove/1"}', /this is 'swansong\/prove\/1'/],
      ['{"schema":"swansong/replay/1"}', /members of it are missing/],
    ] as const) {
      const base = join(folder, 'wrong.json');
      writeFileSync(base, text);
      expect(await here(['replay', file, '--baseline', base])).toMatchObject({
        exit: 2,
        err: expect.stringMatching(says),
      });
    }
  });
});

/** Runs a command in a folder; its output, both kinds. */
function run(cwd: string, command: string, args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 290_000,
  });
  return { exit: status, out: `${stdout}${stderr}` };
}

const rulesWith = (more: string): string =>
  `import { rule, ruleSet } from 'swansong';
export default ruleSet('ours', [
  rule('submit is forgotten').when((f) => f.name === 'bpf_ringbuf_submit').stub({ r0: 'void' }),
${more}  rule('rest').keep(),
]);
`;

describe('the job of a change', () => {
  const repository = join(folder, 'repository');
  const git = (...args: string[]): string => {
    const { exit, out } = run(repository, 'git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
    if (exit !== 0) throw new Error(out);
    return out;
  };
  const change = (env: Record<string, string> = {}) =>
    run(repository, join(CI, 'change.sh'), ['base'], {
      SWANSONG: `${process.execPath} ${MAIN}`,
      RULES: 'my-rules.ts',
      CORPUS: 'corpus',
      PROGRAMS: '2',
      CHECK_ARGS: '--function bpf_spin_lock',
      GITHUB_ACTIONS: 'false',
      ...env,
    });

  it('is green for what the base has, and red for a regression, which it names', () => {
    mkdirSync(join(repository, 'corpus'), { recursive: true });
    cpSync(join(CORPUS, 'rfc-v1-misuse-bpf_spin_lock-db4fca.bpf'), join(repository, 'corpus', 'lock.bpf'));
    // The base has a case that fails, and a wrong rule.
    writeFileSync(
      join(repository, 'corpus', 'old.bpf'),
      readFileSync(join(repository, 'corpus', 'lock.bpf'), 'utf8').replace('.rules rfc-v1', '.rules sound'),
    );
    writeFileSync(join(repository, 'my-rules.ts'), rulesWith(''));
    writeFileSync(join(repository, '.gitignore'), 'results\n');
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '-m', 'base');
    git('tag', 'base');
    writeFileSync(
      join(repository, 'my-rules.ts'),
      rulesWith(
        "  rule('locks are skipped').when((f) => f.name === 'bpf_spin_lock').stub({ r0: 'void' }),\n",
      ),
    );
    git('commit', '--quiet', '-am', 'skip locks');
    const { exit, out } = change({ GITHUB_ACTIONS: 'true' });
    expect(exit).toBe(1);
    expect(out).toMatch(/^::warning file=corpus\/old\.bpf,/m);
    expect(out).toMatch(/^::error file=my-rules\.ts,line=4,.*::ours: bpf_spin_lock: /m);
    expect(out).not.toMatch(/^::error file=corpus/m);
    expect(out).toMatch(/^rules: exit 1$/m);
    for (const name of ['replay', 'rules', 'fuzz'])
      for (const kind of ['json', 'xml', 'sarif'])
        expect(existsSync(join(repository, 'results', `${name}.${kind}`))).toBe(true);
    // Nothing is left behind.
    expect(git('worktree', 'list').trim().split('\n')).toHaveLength(1);
    expect(git('status', '--porcelain')).toBe('');
  }, 300_000);
});

describe('the files to copy', () => {
  const files = readdirSync(CI);
  const text = (name: string): string => readFileSync(join(CI, name), 'utf8');
  const workflows = files.filter((name) => name.endsWith('.yml'));

  it('are scripts that the shell can read', () => {
    const scripts = files.filter((name) => name.endsWith('.sh'));
    expect(scripts.length).toBe(2);
    for (const name of scripts) expect(run(CI, 'bash', ['-n', name])).toEqual({ exit: 0, out: '' });
  });

  it('are workflows in which each job has a machine, a limit and steps that each do one thing', () => {
    expect(workflows).toEqual(['change.yml', 'night.yml', 'prune.yml']);
    for (const name of workflows) {
      const lines = text(name).split('\n');
      expect(text(name)).not.toMatch(/\t| $/m);
      const top = lines.flatMap((line) => /^(\w+):/.exec(line)?.[1] ?? []);
      expect(top).toEqual(expect.arrayContaining(['name', 'on', 'permissions', 'jobs']));
      for (const word of top) expect(['name', 'on', 'permissions', 'concurrency', 'jobs']).toContain(word);
      const job = lines.flatMap((line) => /^ {4}([\w-]+):/.exec(line)?.[1] ?? []);
      expect(job).toEqual(expect.arrayContaining(['runs-on', 'timeout-minutes', 'steps']));
      for (const word of job) expect(['runs-on', 'timeout-minutes', 'env', 'steps']).toContain(word);
      const steps = text(name)
        .split(/^ {6}- /m)
        .slice(1);
      expect(steps.length).toBeGreaterThan(3);
      for (const step of steps) {
        const words = [...`        ${step}`.matchAll(/^ {8}([\w-]+):/gm)].map(([, word]) => word!);
        for (const word of words)
          expect(['id', 'if', 'uses', 'run', 'with', 'continue-on-error']).toContain(word);
        expect(words.filter((word) => word === 'uses' || word === 'run')).toHaveLength(1);
        const action = /uses: (\S+)/.exec(step)?.[1];
        if (action !== undefined) expect(action).toMatch(/^[\w-]+\/[\w-]+(\/[\w-]+)*@v\d+$/);
        // What a stranger may choose, such as the name of a branch, is no part of a script.
        if (words.includes('run')) expect(step).not.toContain('${{');
      }
    }
    // One of those that write to the corpus at a time.
    for (const name of ['night.yml', 'prune.yml'])
      expect(text(name)).toMatch(/^concurrency:\n {2}group: corpus\n/m);
    expect(text('change.yml')).not.toMatch(/contents: write/);
  });

  it('call commands and options that there are', async () => {
    const program = new Command();
    for (const load of Object.values(COMMANDS)) (await load())(program, async () => {});
    const calls = files.flatMap((name) =>
      [
        ...text(name)
          .replace(/\\\n/g, ' ')
          .matchAll(
            /(?:npx swansong|"\$\{swansong\[@\]\}"|^check \w+ \S+|&& check \w+ "\S+") ([a-z][^\n|]*)/gm,
          ),
      ].map(([, line]) => line!),
    );
    expect(calls.length).toBeGreaterThan(5);
    for (const line of calls) {
      const [first, second] = line.split(' ');
      const command = program.commands.find((one) => one.name() === first);
      const sub = command?.commands.find((one) => one.name() === second) ?? command;
      expect(sub, line).toBeDefined();
      for (const [option] of line.matchAll(/--[a-z-]+/g))
        expect(
          sub!.options.map(({ long }) => long),
          line,
        ).toContain(option);
    }
  });
});
