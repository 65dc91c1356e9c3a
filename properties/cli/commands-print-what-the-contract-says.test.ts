/**
 * With --json standard output is one JSON document with the members that scripts rely on, without --json it is text; the exit code tells
 * whether it holds (0), a check failed (1) or it is unknown (3). No output names a path that was not asked for.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelAvailable } from '../../src/oracle/available.js';
import { documentIn } from '../../src/report/page/html.js';
import { here, MAIN, scratch, swansong } from '../support/cli.js';
import { itKernel } from '../support/kernel/skip.js';

const folder = scratch();
const objects = 'corpus/objects';
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

/** Socket looked up and released: safe under `sound`, leaks under rfc-v1, which stubs the release. */
const SOCKET = `
    r2 = r10
    r2 += -16
    r3 = 12
    r4 = -1
    r5 = 0
    *(u64 *)(r10 -16) = 0
    *(u64 *)(r10 -8) = 0
    call bpf_sk_lookup_tcp
    if r0 == 0 goto out
    r1 = r0
    call bpf_sk_release
out:
    r0 = 2
    exit
`;
const good = put('socket.bpf', `.type xdp\n${SOCKET}`);
const refused = put('refused.bpf', '.type xdp\n\n    r0 = *(u64 *)(r3 +0)\n    exit\n');
const leak = put(
  'leak.bpf',
  `# found by hand\n.type xdp\n.rules rfc-v1\n.kill step=8\n.env bpf_sk_lookup_tcp#1=found\n.expect leak bpf_sk_lookup_tcp\n${SOCKET}`,
);
const wrong = put('wrong.bpf', `.type xdp\n.rules sound\n.kill step=8\n.expect leak\n${SOCKET}`);

type Json = Record<string, unknown>;

/** Runs with --json; the output is one document, ended by a line break, without paths of this machine. */
async function json(args: readonly string[], exit: number): Promise<Json> {
  const ran = await here([...args, '--json']);
  // What a campaign finds is told on standard error the moment it is known.
  expect(ran.err.replace(/^\S+Z found: .*\n/gm, '')).toBe('');
  expect(ran.exit).toBe(exit);
  const document = JSON.parse(ran.out) as Json;
  expect(ran.out.endsWith('}\n')).toBe(true);
  noForeignPaths(ran.out, args);
  return document;
}

function noForeignPaths(text: string, args: readonly string[]): void {
  const asked = args.reduce((rest, arg) => rest.replaceAll(arg, ''), text.replaceAll(folder, ''));
  expect(asked).not.toContain(resolve('.'));
  expect(asked).not.toMatch(/\/(root|home|tmp|work)\//);
}

async function text(args: readonly string[], exit: number): Promise<string> {
  const ran = await here(args);
  expect(ran).toMatchObject({ exit, err: '' });
  noForeignPaths(ran.out, args);
  const quiet = await here([...args, '--quiet']);
  expect(quiet).toEqual({ exit, out: '', err: '' });
  return ran.out;
}

describe('verify', () => {
  it('says verdict, message, insns, states, time', async () => {
    const { programs } = await json(['verify', good, refused], 1);
    expect(programs).toMatchObject([
      { file: good, name: 'case', verdict: 'accepted', message: '', insns: 13 },
      { file: refused, verdict: 'rejected', message: expect.stringMatching(/r3|R3/), slot: 0 },
    ]);
    for (const one of programs as Json[]) {
      expect(one).toMatchObject({
        states: expect.any(Number),
        walked: expect.any(Number),
        ms: expect.any(Number),
      });
    }
    expect(await text(['verify', good], 0)).toMatch(/accepted/);
    expect(await text(['verify', refused], 1)).toMatch(/rejected/);
  });

  itKernel('says beside it what the kernel says', async () => {
    const { programs } = await json(['verify', '--kernel', good, refused], 1);
    expect(programs).toMatchObject([
      { verdict: 'accepted', kernel: { verdict: 'accepted', message: '', ms: expect.any(Number) } },
      { verdict: 'rejected', kernel: { verdict: 'rejected', message: expect.stringMatching(/R3/) } },
    ]);
  });
});

describe('prove', () => {
  it('says verdict, points, bound, sites, queries', async () => {
    const { programs } = await json(['prove', good], 0);
    expect(programs).toMatchObject([
      {
        file: good,
        name: 'case',
        insns: 13,
        verdict: 'proven',
        points: expect.any(Number),
        queries: expect.any(Number),
      },
    ]);
    const [one] = programs as unknown as [{ bound: number; sites: unknown[]; points: number }];
    expect(one.points).toBeGreaterThanOrEqual(13);
    expect(one.bound).toBeGreaterThan(0);
    expect(one.sites).toHaveLength(2);
    expect(await text(['prove', good], 0)).toMatch(/proven/);
  });

  it('refutes with a witness that replays', async () => {
    const out = join(folder, 'witnesses');
    const { programs } = await json(['prove', good, '--rules', 'rfc-v1', '--out', out], 1);
    const [one] = programs as unknown as [{ verdict: string; witness: { file: string; case: string } }];
    expect(one.verdict).toBe('refuted');
    expect(readFileSync(one.witness.file, 'utf8')).toBe(one.witness.case);
    expect(await json(['replay', out], 0)).toMatchObject({ cases: [{ file: one.witness.file, ok: true }] });
  });

  it('does not call proven what it cannot verify', async () => {
    expect(await json(['prove', refused], 3)).toMatchObject({
      programs: [{ verdict: 'unknown', bound: null }],
    });
  });
});

describe('rules', () => {
  it('list and show', async () => {
    const { sets } = await json(['rules', 'list'], 0);
    expect((sets as { name: string }[]).map(({ name }) => name)).toEqual([
      'sound',
      'rfc-v1',
      'rfc-v2',
      'rfc-v3',
      'naive',
    ]);
    expect(await text(['rules', 'list'], 0)).toContain('rfc-v1');
    const { functions } = await json(['rules', 'show', 'rfc-v1'], 0);
    expect(functions).toContainEqual(
      expect.objectContaining({ name: 'bpf_spin_lock', action: 'stub', rule: expect.any(String) }),
    );
    expect(await text(['rules', 'show', 'sound'], 0)).toContain('bpf_sk_release');
  });

  it('check: proven', async () => {
    const { functions, summary } = await json(['rules', 'check', 'sound'], 0);
    expect(summary).toMatchObject({ refuted: 0, unknown: 0 });
    expect((functions as unknown[]).length).toBeGreaterThan(100);
    for (const one of functions as Json[]) {
      expect(one).toMatchObject({ name: expect.any(String), verdict: 'proven', rule: expect.any(String) });
      expect(['helper', 'kfunc']).toContain(one.kind);
      expect(['keep', 'stub']).toContain(one.action);
      expect(one).toMatchObject({ file: 'src/patch/sets/sound.ts', line: expect.any(Number) });
    }
  });

  it('check: refuted, with the smallest program and its trace', async () => {
    const args = ['rules', 'check', 'rfc-v1', '--function', 'bpf_spin_lock'];
    const { functions, summary } = await json(args, 1);
    expect(summary).toEqual({ proven: 0, refuted: 1, unknown: 0, unwitnessed: 0 });
    const [{ witness }] = functions as unknown as [
      { witness: { case: string; insns: number; trace: string[] } },
    ];
    expect(witness.insns).toBeLessThanOrEqual(15);
    expect(witness.trace.join('\n')).toContain('[stub]');
    const file = put('spin.bpf', witness.case);
    expect(await json(['replay', file], 0)).toMatchObject({ cases: [{ ok: true }] });
    expect(await text(args, 1)).toMatch(/bpf_spin_lock: misuse[\s\S]*\[stub\]/);
  });
});

describe('replay', () => {
  it('says what was expected and what came', async () => {
    expect(await json(['replay', leak], 0)).toEqual({
      schema: 'swansong/replay/1',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      profile: { kernel: 'built-in', release: 'built-in', digest: 'built-in', loader: null },
      cases: [
        {
          file: leak,
          expected: 'leak bpf_sk_lookup_tcp',
          got: 'leak bpf_sk_lookup_tcp',
          ok: true,
          line: 6,
          breaks: ['leak bpf_sk_lookup_tcp at 12'],
        },
      ],
    });
    expect(await json(['replay', leak, wrong], 1)).toMatchObject({
      cases: [{ ok: true }, { file: wrong, expected: 'leak', got: 'holds', ok: false }],
    });
    expect(await text(['replay', leak], 0)).toMatch(/^ok/);
    expect(await text(['replay', wrong], 1)).toMatch(/^FAILED/);
  });

  it('does not take a program for a case that our verifier refuses', async () => {
    const file = put('refused-case.bpf', `.rules sound\n.expect fault\n${readFileSync(refused, 'utf8')}`);
    expect(await json(['replay', file], 1)).toMatchObject({
      cases: [{ ok: false, got: expect.stringMatching(/^refused/) }],
    });
  });
});

describe('run', () => {
  it('says r0, steps, what is held, and of each kill the checks', async () => {
    expect(await json(['run', good], 0)).toMatchObject({
      r0: 2,
      steps: 13,
      held: [],
      killed: [],
      end: 'exit',
    });
    const all = await json(['run', good, '--kill', 'all'], 0);
    expect(all.killed).toHaveLength(13);
    expect((all.killed as { at: number }[]).map(({ at }) => at)).toEqual(
      Array.from({ length: 13 }, (_, i) => i),
    );
    const { killed } = await json(['run', good, '--kill', 'step=8', '--rules', 'rfc-v1'], 1);
    expect(killed).toMatchObject([{ at: 8, steps: expect.any(Number), checks: [{ check: 'leak' }] }]);
    expect(await text(['run', good, '--kill', 'all', '--rules', 'rfc-v1'], 1)).toMatch(
      /killed at steps 0 to 10: leak at insn 12: socket/,
    );
    const random = await json(['run', good, '--kill', 'random', '--seed', '3'], 0);
    expect((random.killed as unknown[]).length).toBeGreaterThan(0);
  });

  it('shows what a program does that our verifier refuses, if asked to', async () => {
    const file = join(folder, 'low-half.bpf');
    const one = '.type tc\n.map m array key=4 value=8 entries=1\n.env addresses#1=WAY\n';
    const insns = 'r1 = mapvalue m\nif w1 != 0 goto out\nr0 = r5\nout:\nr0 = 0\nexit\n';
    const exits: (number | null)[] = [];
    for (const way of ['0', '1']) {
      writeFileSync(file, `${one.replace('WAY', way)}${insns}`);
      const refused = await here(['run', file]);
      expect([refused.exit, refused.err]).toEqual([
        2,
        expect.stringMatching(/refuses it: insn 3: R5 !read_ok/),
      ]);
      const { exit, out } = await here(['run', file, '--unverified']);
      if (exit === 1) expect(out).toContain('fault at insn 3: read of r5, which was not written');
      exits.push(exit);
    }
    expect(exits.sort()).toEqual([0, 1]);
  });

  it('traces every insn', async () => {
    const { trace } = await json(['run', good, '--trace'], 0);
    expect(trace).toHaveLength(13);
    expect((trace as Json[])[7]).toMatchObject({
      slot: 7,
      insn: expect.stringContaining('bpf_sk_lookup_tcp'),
    });
    expect(await text(['run', good, '--trace'], 0)).toMatch(/held: socket/);
  });

  it('takes a packet', async () => {
    const file = put('length.bpf', '.type tc\n\n    r0 = *(u32 *)(r1 +0)\n    exit\n');
    expect(await json(['run', file, '--mem', 'ff'.repeat(77)], 0)).toMatchObject({ r0: 77 });
  });

  it('speaks the conformance protocol', () => {
    const run = (args: readonly string[], stdin: string) =>
      swansong(['run', '--conformance', ...args], { stdin });
    // r0 = -1 as 32 bits; exit.
    expect(run([], 'b400000 0ffffffff 9500000000000000'.replaceAll(' ', ''))).toMatchObject({
      exit: 0,
      out: 'ffffffff\n',
    });
    // r0 = *(u8 *)(r1 + 1); exit.
    expect(run(['aabb'], '7110010000000000 9500000000000000')).toMatchObject({ exit: 0, out: 'bb\n' });
    expect(run(['aabb'], '7110020000000000 9500000000000000').exit).not.toBe(0);
  });
});

describe('shrink', () => {
  it('writes the smallest case with the same verdict', async () => {
    const made = await json(['shrink', leak], 0);
    expect(made).toMatchObject({
      from: 13,
      to: expect.any(Number),
      file: join(folder, 'leak.min.bpf'),
      check: 'leak',
    });
    expect(made.to).toBeLessThan(13);
    expect(await json(['replay', String(made.file)], 0)).toMatchObject({ cases: [{ ok: true }] });
    expect(readFileSync(String(made.file), 'utf8')).toContain('# found by hand');
    const again = join(folder, 'again.bpf');
    expect(await json(['shrink', String(made.file), '-o', again], 0)).toMatchObject({
      from: made.to,
      to: made.to,
    });
  });
});

describe('asm and disasm', () => {
  it('kernel: a profile beside the built-in one, and one from a file', async () => {
    const same = await json(['kernel', '--profile', 'built-in'], 0);
    expect(same).toMatchObject({ release: 'built-in', digest: 'built-in', differences: [] });
    const profile = { ...(same.profile as Json), release: '6.19', types: { bpf_loop: ['xdp'] } };
    const file = put('profile.json', JSON.stringify({ profile }));
    const other = await json(['kernel', '--profile', file], 0);
    expect(other).toMatchObject({
      release: '6.19',
      differences: [{ what: 'types of bpf_loop', running: 'xdp' }],
    });
    const { out } = await here(['kernel', '--profile', file]);
    expect(out).toMatch(/types of bpf_loop +32 types +not tc socket_filter tracepoint and 28 more\n/);
    const poor = { ...profile, types: { bpf_loop: [], bpf_bind: ['cgroup_sock_addr', 'xdp'] } };
    const { out: text } = await here(['kernel', '--profile', put('poor.json', JSON.stringify(poor))]);
    expect(text).toMatch(/types of bpf_bind +1 types +also xdp\n/);
    expect(text).toContain('not here (1): bpf_loop\n');
    if (kernelAvailable().ok)
      expect(await json(['kernel'], 0)).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('undo each other', async () => {
    const bin = join(folder, 'socket.bin');
    const { bytes } = await json(['asm', good, '-o', bin], 0);
    expect(readFileSync(bin).toString('hex')).toBe(bytes);
    expect((await here(['asm', good, '--hex'])).out).toBe(`${String(bytes)}\n`);
    expect(Buffer.from((await here(['asm', good])).out, 'latin1').toString('hex')).toBe(bytes);
    const back = put('back.bpf', (await here(['disasm', bin])).out);
    expect((await json(['asm', back], 0)).bytes).toBe(bytes);
  });

  it('print objects so that they can be read back', async () => {
    const files: string[] = [];
    for (const name of readdirSync(objects).filter((each) => each.endsWith('.o'))) {
      const { err } = await here(['disasm', join(objects, name)]);
      // Some are relocated against the kernel's types, where it shows them.
      if (!err.includes('/sys/kernel/btf/vmlinux cannot be read')) files.push(join(objects, name));
    }
    expect(files.length).toBeGreaterThan(10);
    const { programs } = await json(['disasm', ...files], 0);
    mkdirSync(join(folder, 'objects'));
    for (const { file, name, text: printed } of programs as unknown as {
      file: string;
      name: string;
      text: string;
    }[]) {
      const path = put(`objects/${name}.bpf`, printed);
      const again = await json(['disasm', path], 0);
      expect((again.programs as { text: string }[])[0]!.text, file).toBe(printed);
    }
  });
});

describe('fuzz', () => {
  it('says what the campaign was and what it found', async () => {
    const report = await json(
      ['fuzz', '--programs', '6', '--seed', '5', '--corpus', join(folder, 'corpus')],
      0,
    );
    expect(report).toMatchObject({
      seed: 5,
      rules: ['sound'],
      programs: 6,
      accepted: 6,
      killedEverywhere: 6,
      proven: 6,
      unknown: 0,
      kernelAccepted: null,
      kernelRejected: null,
      findings: [],
      disagreements: [],
      finished: true,
      points: expect.any(Number),
      programsPerSecond: expect.any(Number),
      coverage: { functions: expect.any(Object), held: expect.any(Object), checks: expect.any(Object) },
    });
  });
});

describe('report', () => {
  it('writes the page of a campaign, which holds every finding', async () => {
    const out = join(folder, 'kept');
    const args = [
      'fuzz',
      '--programs',
      '12',
      '--rules',
      'naive',
      '--no-proofs',
      '--worlds',
      '1',
      '--out',
      out,
    ];
    const { findings } = await json(args, 1);
    expect(await json(['report', out], 0)).toMatchObject({ file: join(out, 'index.html'), programs: 12 });
    const html = readFileSync(join(out, 'index.html'), 'utf8');
    const page = documentIn(html);
    const cases = readdirSync(join(out, 'findings')).filter((name) => name.endsWith('.bpf'));
    expect((findings as unknown[]).length).toBeGreaterThan(0);
    for (const file of cases) expect(page).toContain(`replay findings/${file}`);
    expect(html + page).not.toContain(folder);
    expect(await text(['report', out], 0)).toBe(`${join(out, 'index.html')}\n`);
  });
});

it('a reader that goes away does no harm', () => {
  const line = `"${process.execPath}" "${MAIN}" rules show sound --json | head -n 1; exit "\${PIPESTATUS[0]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '{\n', stderr: '' });
});
