/**
 * What people expect of a command line: completions that know what there is, examples that work, standard input and folders wherever files are
 * taken, colours only on a terminal and bytes never, a trace of what went wrong, and paths that hold when a file moves.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/cli.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { completionFor, nodesOf, SHELLS } from '../../src/cli/completion.js';
import { EXAMPLES } from '../../src/cli/examples.js';
import { hasColours, painted } from '../../src/cli/output/colour.js';
import { rangesInWords } from '../../src/report/campaign/run.js';
import { here, MAIN, scratch, swansong } from '../support/cli.js';
import { seeded } from '../support/seed.js';

const folder = scratch();
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const LOCK = 'corpus/rfc-v1-misuse-bpf_spin_lock-db4fca.bpf';

/** All commands, which do nothing here. */
async function tree(): Promise<Command> {
  const program = new Command('swansong').helpOption('-h, --help').version('0', '-V, --version');
  for (const load of Object.values(COMMANDS)) (await load())(program, async () => {});
  return program;
}

describe('completions', () => {
  it('name every command, option and choice', async () => {
    const program = await tree();
    const nodes = nodesOf(program);
    expect(nodes.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['', ...Object.keys(COMMANDS), 'rules check']),
    );
    for (const shell of SHELLS) {
      const script = completionFor(shell, program);
      for (const { path, commands, options } of nodes) {
        expect(script).toContain(`'${path}'`);
        for (const { name } of commands) expect(script).toMatch(new RegExp(`\\b${name}\\b`));
        for (const { long } of options)
          expect(script).toContain(shell === 'fish' ? `-l ${long!.slice(2)}` : long);
        for (const { argChoices } of options)
          for (const choice of argChoices ?? []) expect(script).toContain(choice);
      }
      const ran = await here(['completion', shell]);
      expect(ran).toEqual({ exit: 0, err: '', out: expect.stringContaining('swansong') });
    }
    expect(await here(['completion', 'tcsh'])).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/bash, zsh, fish/),
    });
  });

  it('are what bash offers', async ({ skip }) => {
    // The completion reads from a process (<(...)).
    if (!existsSync('/dev/fd')) skip('there is no /dev/fd here, by which bash reads from a process');
    const program = await tree();
    const nodes = nodesOf(program).filter(({ options }) => options.length > 0);
    const lines = nodes.map(({ path }) => `try swansong ${path} --`);
    const script = `${completionFor('bash', program)}
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _swansong; echo "\${COMPREPLY[*]}"; }
${lines.join('\n')}
try swansong pr
try swansong rules che
try swansong prove --format s
try swansong rules check LICEN
`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const offered = stdout.trimEnd().split('\n');
    nodes.forEach(({ options }, i) => {
      expect(offered[i]!.split(' ')).toEqual(expect.arrayContaining(options.map(({ long }) => long)));
    });
    expect(offered.slice(nodes.length)).toEqual(['prove prune', 'check', 'sarif', 'LICENSE']);
  });
});

describe('the help of each command', () => {
  it('has exit codes and examples whose commands and options there are', async () => {
    const leaves = nodesOf(await tree()).filter(({ path, commands }) => path !== '' && commands.length === 0);
    for (const { path, options } of leaves) {
      const { out } = await here([...path.split(' '), '--help']);
      for (const code of [0, 2, 3]) expect(out).toMatch(new RegExp(`^  ${code}  \\w`, 'm'));
      // A command that is new has no example yet.
      for (const line of EXAMPLES[path] ?? []) {
        const command = line.split('  # ')[0]!;
        expect(out).toContain(`  swansong ${command}`);
        expect(command.startsWith(path)).toBe(true);
        for (const [flag] of command.matchAll(/(?<= )--?[a-z][a-z-]*/g))
          expect(
            options.some(({ long, short }) => flag === long || flag === short),
            `${line}: ${flag}`,
          ).toBe(true);
      }
    }
    const paths = leaves.map(({ path }) => path);
    for (const path of Object.keys(EXAMPLES)) expect(paths).toContain(path);
  });
});

describe('standard input', () => {
  it('is what - stands for: a case, an object, raw insns', () => {
    const text = readFileSync(LOCK);
    const pipe = (args: readonly string[], input: Buffer) =>
      spawnSync(process.execPath, [MAIN, ...args], { input, encoding: 'utf8' });
    const ran = pipe(['replay', '-', '--json'], text);
    expect([ran.status, JSON.parse(ran.stdout)]).toMatchObject([0, { cases: [{ file: '-', ok: true }] }]);
    const { out: hex } = swansong(['asm', '--hex', LOCK]);
    expect(pipe(['asm', '--hex', '-'], text).stdout).toBe(hex);
    expect(pipe(['run', '-'], text).stdout).toBe(swansong(['run', LOCK]).out);
    expect(
      pipe(['disasm', '-'], Buffer.from('b700000000000000 9500000000000000'.replace(' ', ''), 'hex')).stdout,
    ).toContain('exit');
    expect(pipe(['disasm', '-'], readFileSync('corpus/objects/lock_counter.o')).stdout).toContain(
      'bpf_spin_lock',
    );
    const bad = pipe(['verify', '-'], Buffer.from('sing loud\n'));
    expect([bad.status, bad.stderr]).toEqual([2, expect.stringMatching(/^swansong: -:1:1: /)]);
  });
});

describe('folders', () => {
  it('are taken by asm and disasm, and undo each other', async () => {
    const [texts, bytes] = [join(folder, 'texts'), join(folder, 'bytes')];
    mkdirSync(texts);
    for (const name of ['a', 'b'])
      writeFileSync(join(texts, `${name}.bpf`), `.type xdp\n\n    r0 = ${name === 'a' ? 1 : 2}\n    exit\n`);
    expect(await here(['asm', texts])).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/-o DIR, or --hex/),
    });
    const { out } = await here(['asm', texts, '-o', bytes, '--json']);
    expect(JSON.parse(out)).toMatchObject({ programs: [{ insns: 2 }, { insns: 2 }] });
    expect(readdirSync(bytes)).toEqual(['a.bin', 'b.bin']);
    const back = await here(['disasm', bytes]);
    expect(back.out).toMatch(/# .*a\.bin\n[\s\S]*r0 = 1[\s\S]*# .*b\.bin\n[\s\S]*r0 = 2/);
  });
});

describe('a terminal', () => {
  const on = async (args: readonly string[], streams: { terminal?: boolean; colours?: boolean }) => {
    const out: (string | Uint8Array)[] = [];
    let err = '';
    const exit = await runCli(args, {
      out: async (text) => {
        out.push(text);
      },
      err: (line) => {
        err += line;
      },
      ...streams,
    });
    return { exit, err, out: Buffer.concat(out.map((one) => Buffer.from(one))) };
  };

  it('is not given bytes unasked', async () => {
    expect(await on(['asm', LOCK], { terminal: true })).toMatchObject({
      exit: 2,
      err: expect.stringMatching(/is a terminal.*-o.*--hex/),
    });
    const { exit, out } = await on(['asm', LOCK, '-o', '-'], { terminal: true });
    expect([exit, out.toString('hex')]).toEqual([0, (await here(['asm', '--hex', LOCK])).out.trim()]);
  });

  it('has colours unless told otherwise, and nothing else has', () => {
    const colours = (env: Record<string, string>, terminal = true): boolean => hasColours({ env, terminal });
    expect([colours({}), colours({}, false), colours({ TERM: 'dumb' })]).toEqual([true, false, false]);
    expect([
      colours({ NO_COLOR: '1' }),
      colours({ NO_COLOR: '' }),
      colours({ NO_COLOR: '1', FORCE_COLOR: '1' }),
    ]).toEqual([false, true, false]);
    expect([
      colours({ FORCE_COLOR: '1' }, false),
      colours({ FORCE_COLOR: '' }, false),
      colours({ FORCE_COLOR: '0' }),
    ]).toEqual([true, true, false]);
  });

  it('shows verdicts in colour, and the same text', async () => {
    const green = '\u001b[32m';
    const plain = await here(['replay', LOCK]);
    const shown = await on(['replay', LOCK], { colours: true });
    expect(shown.out.toString()).toContain(`${green}ok`);
    expect(stripVTControlCharacters(shown.out.toString())).toBe(plain.out);
    for (const args of [
      ['replay', LOCK, '--json'],
      ['replay', LOCK, '--format', 'junit'],
      ['disasm', LOCK],
    ])
      expect((await on(args, { colours: true })).out.toString()).not.toContain('\u001b');
    fc.assert(
      fc.property(fc.string(), (text) => {
        const words = `${stripVTControlCharacters(text)}\na  proven  1\n3 refuted, 0 unknown\n`;
        expect(stripVTControlCharacters(painted(words))).toBe(stripVTControlCharacters(words));
        expect(painted(words)).toContain('\u001b[31mrefuted');
        expect(painted('0 refuted\n')).toBe('0 refuted\n');
      }),
      seeded(100),
    );
  });
});

describe('run --kill all', () => {
  it('traces the first killed run that breaks a check, and tells each fault once', async () => {
    const { out, exit } = await here([
      'run',
      LOCK,
      '--kill',
      'all',
      '--trace',
      '--rules',
      'rfc-v1',
      '--json',
    ]);
    expect(exit).toBe(1);
    const { traced, trace, killed } = JSON.parse(out);
    const first = killed.find(({ checks }: { checks: unknown[] }) => checks.length > 0).at;
    expect(traced).toBe(first);
    expect(trace.filter((step: { killed: boolean }) => !step.killed)).toHaveLength(first);
    expect(trace.at(-1).killed).toBe(true);
    const text = (await here(['run', LOCK, '--kill', 'all', '--trace', '--rules', 'rfc-v1'])).out;
    expect(text).toContain(`killed before step ${first} `);
    expect(text.match(/bpf_spin_unlock without taking a lock/g)).toHaveLength(1);
    const sound = JSON.parse(
      (await here(['run', LOCK, '--kill', 'all', '--trace', '--rules', 'sound', '--json'])).out,
    );
    expect(sound.traced).toBe(null);
  });

  it('tells steps as ranges that can be read back', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 40 }), { minLength: 1 }), (numbers) => {
        const sorted = [...numbers].sort((a, b) => a - b);
        const read = rangesInWords(sorted)
          .split(', ')
          .flatMap((range) => {
            const [from, to = from] = range.split(' to ').map(Number) as [number, number?];
            return Array.from({ length: to - from + 1 }, (_, i) => from + i);
          });
        expect(read).toEqual(sorted);
        expect(rangesInWords(sorted).split(', ')).toHaveLength(
          sorted.filter((n) => !numbers.includes(n - 1)).length,
        );
      }),
      seeded(200),
    );
  });
});

describe('a case with a rule file', () => {
  it('names it from where the case is, so that it replays from anywhere', () => {
    const deep = join(folder, 'deep');
    mkdirSync(deep);
    writeFileSync(
      join(deep, 'bad.ts'),
      "import { rule, ruleSet } from 'swansong';\nexport default ruleSet('bad', [\n  rule('locks').when((f) => f.name === 'bpf_spin_lock').stub({ r0: 'void' }),\n  rule('rest').keep(),\n]);\n",
    );
    writeFileSync(join(deep, 'lock.bpf'), readFileSync(LOCK, 'utf8').replace('rfc-v1', 'bad.ts'));
    const made = swansong(['prove', 'lock.bpf', '--rules', 'bad.ts', '--out', '../witnesses', '--json'], {
      cwd: deep,
    });
    expect(made.exit).toBe(1);
    const [file] = readdirSync(join(folder, 'witnesses'));
    expect(readFileSync(join(folder, 'witnesses', file!), 'utf8')).toMatch(/^\.rules \.\.\/deep\/bad\.ts$/m);
    const smaller = swansong(['shrink', 'deep/lock.bpf', '-o', 'small.bpf', '--json'], { cwd: folder });
    expect(smaller.exit).toBe(0);
    for (const cwd of [folder, deep, '/'])
      expect(
        swansong(['replay', join(folder, 'witnesses'), join(folder, 'small.bpf')], { cwd }),
      ).toMatchObject({ exit: 0, err: '' });
  });
});

describe('prune', () => {
  it('lets cases go that show the same as a shorter one, and no others', async () => {
    const cases = join(folder, 'prune');
    mkdirSync(cases);
    const lock = readFileSync(LOCK, 'utf8');
    const write = (name: string, text: string): string => put(`prune/${name}.bpf`, text);
    const short = write('short', lock);
    const long = write(
      'long',
      lock.replace('at 5', 'at 6').replace('main:\n', 'main:\n    r0 = 7\n').replace(/#\d+/g, ''),
    );
    const other = write('other', readFileSync('corpus/rfc-v1-leak-bpf_sk_release-9df8a9.bpf', 'utf8'));
    const holds = write('holds', '.type xdp\n\n    r0 = 0\n    exit\n');
    const again = write('holds-too', '.type xdp\n\n    r0 = 0\n    exit\n');
    const lost = write('lost', lock.replace('.rules rfc-v1', '.rules sound'));
    const tried = await here(['prune', cases, '--dry-run', '--json']);
    expect(JSON.parse(tried.out)).toMatchObject({
      dropped: [{ file: long, sameAs: short }],
      unclear: [{ file: lost }],
      removed: false,
    });
    expect(existsSync(long)).toBe(true);
    const { exit, out } = await here(['prune', cases]);
    expect([exit, out]).toEqual([1, expect.stringMatching(/5 cases stay, 1 removed\n$/)]);
    expect(existsSync(long)).toBe(false);
    for (const file of [short, other, holds, again, lost]) expect(existsSync(file)).toBe(true);
  });
});
