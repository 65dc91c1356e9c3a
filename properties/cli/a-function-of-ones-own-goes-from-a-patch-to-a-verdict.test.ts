/**
 * From a patch to a verdict: `rules new --from-c` begins a rule file, `rules check` asks in one line for what is still to be said, proves right
 * rules and refutes wrong ones with a program that replays; a campaign aimed at the function finds the wrong rule; and a case that calls
 * declared functions has the same result in another process and another folder, without the file that declared them.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { here, scratch, swansong } from '../support/cli.js';
import { MADE_UP, type MadeUp, patchOf, withRule } from '../support/declare/made-up.js';
import { seeded } from '../support/seed.js';

const SEED = seeded(1).seed ?? 0;
const folder = scratch();
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const texts = new Map<string, string>();
/** The rule file that its patch begins. */
async function begun(one: MadeUp): Promise<string> {
  const known = texts.get(one.name);
  if (known !== undefined) return known;
  const made = await here(['rules', 'new', '--from-c', put(`${one.name}.diff`, patchOf(one.c, one.flags))]);
  expect([made.exit, made.out.includes('// WRONG')]).toEqual([0, false]);
  texts.set(one.name, made.out);
  return made.out;
}

/** The same with all said, and its right or its wrong rule. */
const finished = async (one: MadeUp, which: 'right' | 'wrong'): Promise<string> =>
  put(`${one.name}-${which}.ts`, withRule(await begun(one), one, one[which]));

/** Programs of a campaign, the second and third time only where fewer find nothing. */
const PROGRAMS = [4, 20, 200];

/** The functions whose turn it is: one in so many, others with another seed; all with SWANSONG_MADE_UP=all. */
const inTurn = (each: number): readonly (readonly [string, MadeUp])[] =>
  MADE_UP.filter((_, at) => process.env.SWANSONG_MADE_UP === 'all' || at % each === SEED % each).map(
    (one) => [one.name, one] as const,
  );

describe.each(inTurn(2))('%s', (name, one) => {
  it('is asked about in one line', async () => {
    const ran = await here(['rules', 'check', put(`${name}-begun.ts`, await begun(one)), '--function', name]);
    const open = Object.keys(one.answers).length > 0;
    expect(ran.exit).toBe(open ? 2 : ran.exit);
    if (open) expect(ran.err).toMatch(/^swansong: \S+: declaration \w+: still to be said: [^\n]+\n$/);
    else expect(ran.out).toContain(name);
  });

  it('has its right rule proven', async () => {
    const right = await finished(one, 'right');
    const { exit, out } = await here(['rules', 'check', right, '--function', name, '--json']);
    expect({ exit, summary: (JSON.parse(out) as { summary: unknown }).summary }).toEqual({
      exit: 0,
      summary: { proven: 1, refuted: 0, unknown: 0, unwitnessed: 0 },
    });
  });

  it('has its wrong rule refuted, with a program that replays', async () => {
    const wrong = await finished(one, 'wrong');
    const { exit, out } = await here(['rules', 'check', wrong, '--function', name, '--json']);
    const [{ verdict, witness }] = (
      JSON.parse(out) as { functions: [{ verdict: string; witness: { case?: string } }] }
    ).functions;
    expect([exit, verdict]).toEqual([1, 'refuted']);
    expect(witness.case).toContain(`.expect ${one.shows}`);
    const file = put(`${name}.bpf`, witness.case ?? '');
    expect((await here(['replay', file])).exit).toBe(0);
  });
});

// A campaign takes longer than all the rest.
describe.each(inTurn(3))('%s', (name, one) => {
  it('has its wrong rule found by a campaign that is aimed at it', async () => {
    const wrong = await finished(one, 'wrong');
    let checks: string[] = [];
    for (const programs of PROGRAMS) {
      const { out, err } = await here([
        ...[
          'fuzz',
          '--rules',
          wrong,
          '--function',
          name,
          '--programs',
          `${programs}`,
          '--no-proofs',
          '--quiet',
        ],
        ...['--workers', '1', '--corpus', join(folder, `found-${name}-${programs}`), '--json'],
      ]);
      expect(err).toBe('');
      const { accepted, findings, disagreements } = JSON.parse(out) as {
        accepted: number;
        findings: { check: string }[];
        disagreements: unknown[];
      };
      expect([accepted, disagreements]).toEqual([programs, []]);
      checks = findings.map(({ check }) => check);
      if (checks.includes(one.shows.split(' ')[0]!)) break;
    }
    expect(checks).toContain(one.shows.split(' ')[0]);
  });
});

/** Seconds that something takes. */
const seconds = (what: () => void): number => {
  const before = performance.now();
  what();
  return (performance.now() - before) / 1000;
};

it('takes less than a minute, each command in a process of its own', { timeout: 600_000 }, () => {
  // Where the program alone starts slowly (an emulated or busy machine) everything else may take longer as well.
  const slower = Math.max(1, seconds(() => swansong(['--version'])) / USUAL_START);
  expect(seconds(fromPatchToVerdict)).toBeLessThan(60 * slower);
});

/** Seconds in which the program starts on a machine that is not slow. */
const USUAL_START = 0.6;

function fromPatchToVerdict(): void {
  const one = MADE_UP[SEED % MADE_UP.length]!;
  const diff = put('anew.diff', patchOf(one.c, one.flags));
  const begun = swansong(['rules', 'new', '--from-c', '-'], { stdin: readFileSync(diff, 'utf8') });
  for (const [action, exit] of [
    [one.right, 0],
    [one.wrong, 1],
  ] as const) {
    const file = put(`anew-${exit}.ts`, withRule(begun.out, one, action));
    expect(swansong(['rules', 'check', file, '--function', one.name]).exit).toBe(exit);
  }
}

describe('a case that calls declared functions', () => {
  it('is replayed elsewhere, without the file that declares them', async () => {
    const declared = put(
      'declared.ts',
      "import { kfunc } from 'swansong';\nkfunc({ proto: 'struct bpf_node *bpf_node_get(u64 id)', flags: 'KF_ACQUIRE | KF_RET_NULL', types: ['xdp'] });\nkfunc({ proto: 'void bpf_node_put(struct bpf_node *node)', flags: 'KF_RELEASE', types: ['xdp'] });\n",
    );
    const found = join(folder, 'found');
    const { out } = await here([
      'fuzz',
      '--rules',
      'rfc-v1',
      '--functions',
      declared,
      '--function',
      'bpf_node_get',
      '--programs',
      '8',
      '--no-proofs',
      '--workers',
      '1',
      '--corpus',
      found,
      '--json',
    ]);
    expect((JSON.parse(out) as { findings: unknown[] }).findings.length).toBeGreaterThan(0);
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    const cases = readdirSync(found).filter((file) =>
      readFileSync(join(found, file), 'utf8').includes('.declare'),
    );
    expect(cases.length).toBeGreaterThan(0);
    for (const file of cases) writeFileSync(join(elsewhere, file), readFileSync(join(found, file)));
    const replayed = swansong(['replay', '.', '--json'], { cwd: elsewhere });
    expect(replayed.exit).toBe(0);
    // Shrunk, run and proven from the same text alone.
    for (const [command, exit] of [
      ['shrink', 0],
      ['run', 1],
      ['prove', 1],
      ['verify', 0],
    ] as const)
      expect([
        command,
        swansong([command, cases[0]!, ...(command === 'prove' ? ['--rules', 'rfc-v1'] : [])], {
          cwd: elsewhere,
        }).exit,
      ]).toEqual([command, exit]);
  });

  it('takes what is declared on the command line before what it declares itself', async () => {
    const file = put(
      'own.bpf',
      '.type xdp\n.declare kfunc {"proto":"int bpf_foo(u64 a)","flags":[],"types":["xdp"],"returns":"any","blocks":false}\n\nr1 = 1\ncall bpf_foo\nr0 = 2\nexit\n',
    );
    const other = put(
      'other.ts',
      "import { kfunc } from 'swansong';\nkfunc({ proto: 'int bpf_foo(u64 a)', flags: [], types: ['tc'], returns: 'any', blocks: false });\n",
    );
    const bare = put('bare.bpf', '.type tc\n\nr1 = 1\ncall bpf_foo\nr0 = 2\nexit\n');
    expect((await here(['verify', file])).exit).toBe(0);
    expect((await here(['verify', file, '--functions', other])).out).toContain(
      'calling kernel function bpf_foo is not allowed',
    );
    expect((await here(['verify', bare])).exit).toBe(2);
    expect((await here(['verify', bare, '--functions', other])).exit).toBe(0);
    expect((await here(['disasm', bare, '--functions', other])).out).toContain(
      '.declare kfunc {"proto":"int bpf_foo(u64 a)"',
    );
  });
});

describe('what cannot be', () => {
  it.each([
    [
      'a file that declares nothing',
      'export default 1;\n',
      /: it declares no function: expected kfunc\(\{\.\.\.\}\) or helper\(\{\.\.\.\}\)\n$/,
    ],
    [
      'a name that is taken',
      "import { kfunc } from 'swansong';\nkfunc({ proto: 'void bpf_task_release(struct task_struct *p)', flags: 'KF_RELEASE', types: 'xdp' });\n",
      /declaration bpf_task_release: bpf_task_release is modelled already/,
    ],
    [
      'two of a name',
      "import { kfunc } from 'swansong';\nfor (const types of ['xdp', 'tc'] as const) kfunc({ proto: 'u32 bpf_foo(void)', flags: [], types, blocks: false });\n",
      /declaration bpf_foo: there are two of this name/,
    ],
    [
      'a number that is taken',
      "import { helper } from 'swansong';\nhelper({ name: 'bpf_foo', id: 1, ret: 'RET_VOID', types: 'xdp', blocks: false });\n",
      /declaration bpf_foo: the number 1 is that of bpf_map_lookup_elem/,
    ],
    [
      'a misspelt field',
      "import { kfunc } from 'swansong';\nkfunc({ proto: 'u32 bpf_foo(void)', flag: [], types: 'xdp', blocks: false } as never);\n",
      /declaration bpf_foo: there is no field 'flag'; there are proto, flags,/,
    ],
  ])('%s', async (what, text, says) => {
    const file = put(`${what.replaceAll(' ', '-')}.ts`, text);
    const { exit, out, err } = await here(['verify', join(folder, 'own.bpf'), '--functions', file]);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toMatch(says);
    expect(err).toMatch(/^swansong: \S+\.ts(:\d+:\d+)?: [^\n]+\n$/);
  });

  it('a function that no program can call says why', async () => {
    const file = put(
      'lone.ts',
      "import { kfunc } from 'swansong';\nkfunc({ proto: 'struct bpf_lone *bpf_lone_get(void)', flags: 'KF_ACQUIRE', types: 'xdp' });\n",
    );
    const { exit, err } = await here([
      'fuzz',
      '--functions',
      file,
      '--function',
      'bpf_lone_get',
      '--programs',
      '1',
    ]);
    expect([exit, err]).toEqual([
      2,
      'swansong: no program that is made here can call bpf_lone_get: nothing that is declared or modelled gives struct bpf_lone back, or makes what it takes\n',
    ]);
  });
});
