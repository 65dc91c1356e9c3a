/**
 * From a patch to a verdict: `rules new --from-c` begins a rule file, `rules check` asks in one line for what is still to be said, proves right
 * rules and refutes wrong ones with a program that replays; a campaign aimed at the function finds the wrong rule; and a case that calls
 * declared functions has the same result in another process and another folder, without the file that declared them.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { here, scratch, swansong } from '../support/cli.js';

const folder = scratch();
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

/** A function as a patch adds it, and what its author has to say besides. */
interface Added {
  readonly name: string;
  /** Definitions in C and their lines of flags. */
  readonly c: string;
  readonly flags: string;
  /** Answers, in place of the lines that ask. */
  readonly answers: Readonly<Record<string, string>>;
  readonly right: string;
  readonly wrong: string;
  /** Check and function that a program shows of the wrong rule. */
  readonly shows: string;
}

const NODE = `__bpf_kfunc struct bpf_node *bpf_node_get(u64 id)
{
	return NULL;
}

__bpf_kfunc void bpf_node_put(struct bpf_node *node)
{
}
`;
const NODE_FLAGS =
  'BTF_ID_FLAGS(func, bpf_node_get, KF_ACQUIRE | KF_RET_NULL)\nBTF_ID_FLAGS(func, bpf_node_put, KF_RELEASE)\n';

const ADDED: readonly Added[] = [
  {
    name: 'bpf_node_get',
    c: NODE,
    flags: NODE_FLAGS,
    answers: {},
    right: '.stub({ r0: NULL })',
    wrong: '.keep()',
    shows: 'acquire bpf_node_get',
  },
  {
    name: 'bpf_node_put',
    c: NODE,
    flags: NODE_FLAGS,
    answers: {},
    right: '.keep()',
    wrong: ".stub({ r0: 'void' })",
    shows: 'leak bpf_node_get',
  },
  {
    name: 'bpf_node_take',
    c: `${NODE}__bpf_kfunc struct bpf_node *bpf_node_take(void)\n{\n}\n`,
    flags: `${NODE_FLAGS}BTF_ID_FLAGS(func, bpf_node_take, KF_ACQUIRE)\n`,
    answers: {},
    right: '.keep()',
    wrong: '.stub({ r0: NULL })',
    shows: 'fault',
  },
  {
    name: 'bpf_node_give',
    c: `${NODE}__bpf_kfunc int bpf_node_give(struct bpf_node *node,\n\t\t\t      u64 to)\n{\n}\n`,
    flags: `${NODE_FLAGS}BTF_ID_FLAGS(func, bpf_node_give, KF_RELEASE)\n`,
    answers: { bpf_node_give: "returns: 'error'" },
    right: '.keep()',
    wrong: '.stub({ r0: -11 })',
    shows: 'leak bpf_node_get',
  },
  {
    name: 'bpf_clock_read',
    c: '__bpf_kfunc int bpf_clock_read(void *out, u32 out__sz)\n{\n}\n',
    flags: 'BTF_ID_FLAGS(func, bpf_clock_read)\n',
    answers: { bpf_clock_read: "writes: ['out'], returns: 'error', blocks: false" },
    right: '.stub({ r0: -95, writes: [0] })',
    wrong: '.stub({ r0: -95 })',
    shows: 'fault',
  },
  {
    name: 'bpf_node_lock',
    c: '__bpf_kfunc int bpf_node_lock(struct bpf_res_spin_lock *lock)\n{\n}\n__bpf_kfunc void bpf_node_unlock(struct bpf_res_spin_lock *lock)\n{\n}\n',
    flags: 'BTF_ID_FLAGS(func, bpf_node_lock)\nBTF_ID_FLAGS(func, bpf_node_unlock)\n',
    answers: {
      bpf_node_lock: "lock: 'tries', underLock: true",
      bpf_node_unlock: "lock: 'releases', underLock: true",
    },
    right: '.stub({ r0: -35 })',
    wrong: '.stub({ r0: 0 })',
    shows: 'misuse bpf_node_unlock',
  },
  {
    name: 'bpf_node_each',
    c: '__bpf_kfunc int bpf_node_each(int (*fn)(int), u32 n)\n{\n}\n',
    flags: 'BTF_ID_FLAGS(func, bpf_node_each)\n',
    answers: { bpf_node_each: "callback: { args: ['scalar'], returns: [0, 1] }" },
    right: '.stub({ r0: 0 })',
    wrong: ".stub({ r0: 'void' })",
    shows: 'fault',
  },
];

/** A patch that adds it. */
function patch({ c, flags }: Added): string {
  const lines =
    `${c}\nBTF_KFUNCS_START(ids)\n${flags}BTF_KFUNCS_END(ids)\nstatic const struct btf_kfunc_id_set set = {\n\t.owner = THIS_MODULE,\n\t.set = &ids,\n};\nint init(void)\n{\n\treturn register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &set);\n}`.split(
      '\n',
    );
  return `Subject: [PATCH] new\n---\ndiff --git a/f.c b/f.c\n--- a/f.c\n+++ b/f.c\n@@ -0,0 +1,${lines.length} @@\n${lines.map((line) => `+${line}`).join('\n')}\n`;
}

/** The rule file that was begun, with answers in place of what is marked and one rule for the function. */
function answered(text: string, { name, answers }: Added, action: string): string {
  let one = text.replace(/kfunc\(\{\n {2}proto: '([^']*)',[\s\S]*?\}\);\n/g, (whole, proto: string) => {
    const which = /(\w+)\(/.exec(proto)?.[1] ?? '';
    const said = answers[which];
    return whole
      .replace(/^ {2}\/\/ SAY .*\n/gm, '')
      .replace(/\}\);\n$/, said === undefined ? '});\n' : `  ${said},\n});\n`);
  });
  one = one.replace('import { kfunc', 'import { NULL, kfunc').replace(/export default[\s\S]*$/, '');
  return `${one}void NULL;\nexport default ruleSet('mine', [rule('mine').when((f) => f.name === '${name}')${action}, rule('others fail').when((f) => f.canFailWithoutEffect).stub((f) => f.failure)]);\n`;
}

describe.each(ADDED.map((one) => [one.name, one] as const))('%s', (name, one) => {
  const begun = () => {
    const diff = put(`${name}.diff`, patch(one));
    const { exit, out } = swansong(['rules', 'new', '--from-c', '-'], { stdin: readFileSync(diff, 'utf8') });
    expect(exit).toBe(0);
    return out;
  };
  const text = begun();

  it('is asked about in one line', async () => {
    const ran = await here(['rules', 'check', put(`${name}-begun.ts`, text), '--function', name]);
    const open = Object.keys(one.answers).length > 0;
    expect(ran.exit).toBe(open ? 2 : ran.exit);
    if (open) expect(ran.err).toMatch(/^swansong: \S+: declaration \w+: still to be said: [^\n]+\n$/);
    else expect(ran.out).toContain(name);
  });

  it('has its right rule proven', async () => {
    const right = put(`${name}-right.ts`, answered(text, one, one.right));
    const { exit, out } = await here(['rules', 'check', right, '--function', name, '--json']);
    expect({ exit, summary: (JSON.parse(out) as { summary: unknown }).summary }).toEqual({
      exit: 0,
      summary: { proven: 1, refuted: 0, unknown: 0, unwitnessed: 0 },
    });
  });

  it('has its wrong rule refuted, with a program that replays', async () => {
    const wrong = put(`${name}-wrong.ts`, answered(text, one, one.wrong));
    const { exit, out } = await here(['rules', 'check', wrong, '--function', name, '--json']);
    const [{ verdict, witness }] = (
      JSON.parse(out) as { functions: [{ verdict: string; witness: { case?: string } }] }
    ).functions;
    expect([exit, verdict]).toEqual([1, 'refuted']);
    // Only a program that reads what a call should have left shows that it is not there, and the first ones that are tried do not.
    if (one.shows === 'fault' && name !== 'bpf_node_take' && witness.case === undefined) return;
    expect(witness.case).toContain(`.expect ${one.shows}`);
    const file = put(`${name}.bpf`, witness.case ?? '');
    expect((await here(['replay', file])).exit).toBe(0);
  });

  it('has its wrong rule found by a campaign that is aimed at it', async () => {
    const wrong = join(folder, `${name}-wrong.ts`);
    const { out, err } = await here([
      'fuzz',
      '--rules',
      wrong,
      '--function',
      name,
      '--programs',
      '24',
      '--no-proofs',
      '--workers',
      '1',
      '--corpus',
      join(folder, `found-${name}`),
      '--json',
    ]);
    expect(err).toBe('');
    const { accepted, findings, disagreements } = JSON.parse(out) as {
      accepted: number;
      findings: { check: string }[];
      disagreements: unknown[];
    };
    expect([accepted, disagreements]).toEqual([24, []]);
    expect(findings.map(({ check }) => check)).toContain(one.shows.split(' ')[0]);
  });
});

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
