/**
 * Whatever a person gets wrong is said in one clear line on standard error, with nothing on standard output but a document that says the same where one is asked for, and exit code 2: unknown options
 * and commands, missing files, files that are cut, damaged or something else.
 *
 * Damaged files are given to the readers in this process, since thousands of them are tried; that the command line makes one line of each
 * kind of error is tried on a few.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadPrograms } from '../../src/cli/input/files.js';
import { InputError } from '../../src/isa/errors.js';
import { CORPUS, here, type Ran, scratch, swansong } from '../support/cli.js';
import { seeded } from '../support/seed.js';

const folder = scratch();
const put = (name: string, content: string | Uint8Array): string => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};

/** The complaint of a run that must have been refused. With --json the same is a document on standard output. */
function complaint({ exit, out, err }: Ran): string {
  expect(exit).toBe(2);
  if (out !== '') {
    const { schema, error } = JSON.parse(out) as { schema: string; error: string };
    expect({ schema, line: `swansong: ${error}\n` }).toEqual({ schema: 'swansong/error/1', line: err });
  }
  expect(err).toMatch(/^swansong: \S[^\n]*\n$/);
  expect(err).not.toContain('internal error');
  expect(err).not.toMatch(/\n\s+at /);
  return err;
}

const GOOD = put('good.bpf', '.type xdp\n\n    r0 = 0\n    exit\n');
const OBJECT = join(CORPUS, 'objects', 'lock_counter.o');

describe('usage', () => {
  const cases: readonly [args: readonly string[], says: RegExp][] = [
    [[], /no command/],
    [['sing'], /unknown command 'sing'/],
    [['--sing'], /unknown option '--sing'/],
    [['rules'], /rules: choose one of list, show, check/],
    [['rules', 'sing'], /rules: there is no 'sing', choose one of list, show, check/],
    [['rules', 'chek', 'sound'], /rules: there is no 'chek'.*did you mean 'check'\?/],
    [['fuz'], /unknown command 'fuz' \(Did you mean fuzz\?\)/],
    [['fuzz', '--progams', '3'], /unknown option '--progams' \(Did you mean --programs\?\)/],
    [['run', GOOD, '--kill', 'step=999'], /step=999: the run ends after 2 steps; the last kill is step=1/],
    [['rules', 'show'], /missing required argument 'SET'/],
    [['rules', 'check', 'nobody'], /no rule set 'nobody'/],
    [['rules', 'check', 'sound', '--function', 'bpf_sing'], /bpf_sing is neither a helper/],
    [['rules', 'check', 'sound', '--changed-since', 'no-such-revision'], /no git revision/],
    [['fuzz', '--programs', 'many'], /'--programs <N>' argument 'many' is invalid/],
    [['fuzz', '--programs', '0'], /It must be a whole number from 1/],
    [['fuzz', '--programs', '1e3'], /whole number/],
    [['fuzz', '--seed', '-1'], /whole number/],
    [['fuzz', '--seed'], /argument missing/],
    [['fuzz', '--time', '10'], /a duration such as/],
    [['fuzz', '--rules', 'sound,nobody', '--programs', '1'], /nobody/],
    [['fuzz', '--rules', 'sound,sound'], /different names/],
    [['fuzz', '--rules', ''], /names between commas/],
    [['fuzz', '--sing'], /unknown option '--sing'/],
    [['fuzz', 'extra'], /extra: no such file/],
    [['prove'], /missing required argument 'FILE'/],
    [['prove', OBJECT, '--rules', 'nobody'], /no rule set 'nobody'/],
    [['prove', OBJECT, '--prog', 'nobody'], /no program is called 'nobody'/],
    [
      ['verify', OBJECT, '--profile', 'lax'],
      /It must be one of privileged, strict, .*there is no file 'lax'/,
    ],
    [['prove', OBJECT, '--profile', 'strict,privileged'], /one loader, one kernel, or one of each/],
    [['fuzz', '--profile', 'running,built-in'], /one loader, one kernel, or one of each/],
    [['agree', '--profile', ''], /one loader, one kernel, or one of each/],
    [['certify', OBJECT, '--profile', `strict,${join(folder, 'none.json')}`], /there is no file/],
    [['prove', OBJECT, '--profile', `strict,${GOOD}`], /expected a kernel profile, as JSON/],
    [['run'], /FILE is missing/],
    [['run', GOOD, '--kill', 'sometimes'], /--kill: expected step=N, .*all or random/],
    [['run', GOOD, '--unverified', '--kill', 'all'], /not verified cannot be killed/],
    [['run', GOOD, '--mem', 'xyz'], /not bytes in hex/],
    [['run', join(CORPUS, 'objects', 'tail_call.o')], /several programs, choose one with --prog/],
    [['shrink', GOOD], /nothing to shrink/],
    [['report'], /missing required argument 'PATHS'/],
    [['report', 'package.json'], /this is no JSON document of swansong/],
    [['report', folder], /bad-directive\.bpf:2:3: unknown directive/],
    [['report', join(folder, 'nowhere')], /no such file or directory/],
    [['asm', GOOD, '-o', join(folder, 'no', 'such', 'folder', 'a.bin')], /no such file or directory/],
    [['kernel', '--profile', GOOD], /expected a kernel profile, as JSON/],
    [['kernel', '--profile', join(folder, 'none.json')], /no such file or directory/],
  ];

  it.each(cases)('%j', async (args, says) => {
    const ran = await here(args);
    expect(complaint(ran)).toMatch(says);
    expect(ran.out).toBe('');
    // An option that lacks its argument would take --json for it.
    if (args.length > 1 && args.at(-1) !== '--seed') {
      const asked = await here([...args, '--json']);
      expect(complaint(asked)).toMatch(says);
      expect(asked.out).not.toBe('');
    }
  });

  it('is told by the program itself in the same way', () => {
    for (const [args, says] of cases.slice(0, 4)) expect(complaint(swansong(args))).toMatch(says);
    expect(complaint(swansong(['verify', join(folder, 'missing.o'), '--json']))).toMatch(
      /missing\.o: no such/,
    );
  });
});

describe('files', () => {
  const commands: readonly (readonly string[])[] = [
    ['verify'],
    ['prove'],
    ['run'],
    ['disasm'],
    ['asm'],
    ['shrink'],
    ['replay'],
    ['rules', 'show'],
    ['rules', 'check'],
  ];
  mkdirSync(join(folder, 'empty'));
  const bad: readonly [file: string, says: RegExp][] = [
    [join(folder, 'missing.bpf'), /missing\.bpf: no such/],
    [
      put('bad-directive.bpf', '.type xdp\n  .sing loud\n\nr0 = 0\nexit\n'),
      /:2:3: unknown directive '\.sing'/,
    ],
    [put('bad-insn.bpf', '.type xdp\n\n    r0 = 0\n    r0 =\n    exit\n'), /:4:\d+: /],
    [put('empty.bpf', ''), /empty\.bpf/],
    [
      put(
        'binary.bpf',
        Uint8Array.from({ length: 99 }, (_, i) => (i * 37) & 0xff),
      ),
      /binary\.bpf/,
    ],
    [put('unknown.xyz', 'sing loud'), /unknown\.xyz/],
  ];

  it.each(commands.flatMap((command) => bad.map(([file, says]) => ({ command, file, says }))))(
    '$command $file',
    async ({ command, file, says }) => {
      // A rule set is read as a rule file, whatever it is.
      const expected = command[0] === 'rules' ? /no rule set|no such rule file/ : says;
      expect(complaint(await here([...command, file]))).toMatch(expected);
    },
  );

  it.each([['verify'], ['prove'], ['replay']])('%s of a folder without files', async (command) => {
    expect(complaint(await here([command, join(folder, 'empty')]))).toMatch(/there is no .* file below/);
  });

  it('a cut object, an object of another machine, raw insns that are cut', async () => {
    const bytes = readFileSync(OBJECT);
    const big = Buffer.from(bytes);
    big[5] = 2;
    for (const [file, says] of [
      [put('cut.o', bytes.subarray(0, bytes.length / 2)), /cut\.o: /],
      [put('big-endian.o', big), /big-endian\.o: .*endian/],
      [put('cut.bin', Buffer.from('b70000000000', 'hex')), /cut\.bin: /],
      [put('undefined.bin', Buffer.from('ff00000000000000', 'hex')), /undefined\.bin: insn 0/],
      [put('empty.bin', ''), /empty\.bin: there are no insns/],
    ] as const) {
      expect(complaint(await here(['verify', file]))).toMatch(says);
      expect(complaint(await here(['disasm', file, '--json']))).toMatch(says);
    }
  });

  it('rule files that are wrong', async () => {
    const rules = (name: string, text: string): string => put(name, text);
    for (const [file, says] of [
      [rules('syntax.ts', 'export default ('), /syntax\.ts:1:\d+: /],
      [rules('none.ts', 'export default 3'), /none\.ts/],
      [rules('throws.js', "throw new Error('no luck')"), /throws\.js/],
      [
        rules(
          'stub.ts',
          "import { rule, ruleSet } from 'swansong';\nexport default ruleSet('s', [rule('a').stub({ r1: 0 })]);",
        ),
        /rule 'a'/,
      ],
      [
        rules(
          'word.ts',
          "import { rule, ruleSet } from 'swansong';\nexport default ruleSet('s', [rule('a').when((f: any) => f.sings).keep()]);",
        ),
        /rule 'a': when\(\) must answer true or false/,
      ],
    ] as const) {
      expect(complaint(await here(['rules', 'check', file]))).toMatch(says);
      expect(complaint(await here(['fuzz', '--rules', file, '--programs', '1']))).toMatch(says);
    }
  });

  it('a conformance program that is refused', () => {
    for (const stdin of ['', 'zz', 'ff00000000000000', 'b7000000']) {
      complaint(swansong(['run', '--conformance'], { stdin }));
    }
    complaint(swansong(['run', '--conformance', 'xx'], { stdin: 'b7000000000000009500000000000000' }));
  });

  it('a folder that keeps something else than this campaign', async () => {
    const out = join(folder, 'campaign');
    mkdirSync(out);
    for (const text of ['', '{', '[]', '{"version":"0"}']) {
      writeFileSync(join(out, 'campaign.json'), text);
      expect(complaint(await here(['fuzz', '--programs', '1', '--out', out]))).toMatch(
        /campaign\.json: this is not/,
      );
    }
  });
});

describe('damaged files', () => {
  /** Reads a file as the commands do; a refusal must be an InputError with its file and one line. */
  function survives(file: string): void {
    try {
      loadPrograms([file]);
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      const text = (error as InputError).describe();
      expect(text.startsWith(file)).toBe(true);
      expect(text.slice(file.length)).toMatch(/^(:\d+)*: [^\n]+$/);
    }
  }

  const objects = readdirSync(join(CORPUS, 'objects')).filter((name) => name.endsWith('.o'));
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });

  it('objects, cut anywhere or with bytes changed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...objects), fc.nat(), damage, fc.boolean(), (name, at, changes, cut) => {
        const bytes = Buffer.from(readFileSync(join(CORPUS, 'objects', name)));
        for (const [where, value] of changes) bytes[where % bytes.length] = value;
        survives(put('damaged.o', cut ? bytes.subarray(0, at % bytes.length) : bytes));
      }),
      seeded(600),
    );
  });

  it('random bytes, under every extension', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('o', 'bpf', 'bin'),
        (bytes, extension) => {
          survives(put(`random.${extension}`, bytes));
        },
      ),
      seeded(300),
    );
  });

  const line = fc.oneof(
    fc.constantFrom(
      '.type xdp',
      '.map m array key=4 value=16 entries=1 spin_lock@0',
      '.env bpf_map_lookup_elem#1=found',
      '.expect leak',
      '.kill step=1',
      'r1 = map m',
      'call bpf_map_lookup_elem',
      'if r0 == 0 goto out',
      'out:',
      'exit',
    ),
    fc.string({ maxLength: 30 }),
  );

  it('text of cases, shuffled and broken', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        survives(put('text.bpf', lines.join('\n')));
      }),
      seeded(500),
    );
  });
});
