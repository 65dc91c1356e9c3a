/**
 * A program that takes more time, memory or insns than it may is unknown, with its reason and a way on; the programs around it have the rows that they have
 * alone. Ctrl-C ends in order: what is known is told, what is not is an unknown row, in text and in JSON.
 */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { judgeAll } from '../../src/cli/judge/drive.js';
import { lostRow, type ProofRow } from '../../src/report/programs/proofs.js';
import { here, MAIN, type Ran, scratch, swansong } from '../support/cli.js';
import { troubleWith } from '../support/report/documents.js';

const folder = scratch();
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const short = put('short.bpf', '.type xdp\n    r0 = 2\n    exit\n');
const last = put('last.bpf', '.type xdp\n    r0 = 1\n    exit\n');
/** Takes both verifiers about a million insns, so a second or more. */
const long = put(
  'long.bpf',
  '.type xdp\n    r1 = 0\nagain:\n    r1 += 1\n    r2 = r1\n    if r1 < 240000 goto again\n    r0 = 2\n    exit\n',
);

type Row = Pick<ProofRow, 'file' | 'name' | 'verdict' | 'reason' | 'advice' | 'bound' | 'ms'>;
const rowsIn = (out: string): readonly Row[] => (JSON.parse(out) as { programs: readonly Row[] }).programs;

const ENTRY = pathToFileURL(join(dirname(MAIN), 'judge/thread.js'));
const quiet = {
  json: true,
  quiet: true,
  show: async () => {},
  note: () => {},
  complain: () => {},
};

function proofsOf(
  paths: readonly string[],
  options: { readonly timeout?: number; readonly memory?: number; readonly effort?: number },
  show: (row: ProofRow) => void = () => {},
) {
  expect(existsSync(ENTRY)).toBe(true);
  return judgeAll<ProofRow>(
    { command: 'prove', paths, options: { rules: 'sound', ...options } as object, entry: ENTRY },
    {
      lost: ({ loss, ...one }) => lostRow(one, loss, options),
      leftOut: async () => {},
      show: async ({ row }) => show(row),
    },
    quiet,
  );
}

describe('a program over its time', () => {
  it('is unknown, and those before and behind it are proven', async () => {
    const shown: string[] = [];
    const done = await proofsOf([short, long, last], { timeout: 0.3 }, ({ file }) => shown.push(file));
    expect(done.rows.map(({ file, verdict, bound }) => [file, verdict, bound])).toEqual([
      [short, 'proven', 2],
      [long, 'unknown', null],
      [last, 'proven', 2],
    ]);
    expect(shown).toEqual([short, long, last]);
    expect(done.interrupted).toBeUndefined();
    const [, lost] = done.rows;
    expect(lost!.reason).toContain('0.3 s');
    expect(lost!.advice).toContain('--timeout');
    expect(lost!.ms).toBeGreaterThanOrEqual(290);
    expect(lost!.ms).toBeLessThan(5000);
  });

  it('is not one that has time enough', async () => {
    const done = await proofsOf([short, last], { timeout: 100 });
    expect(done.rows.map(({ verdict }) => verdict)).toEqual(['proven', 'proven']);
  });

  it('makes the exit 3, in every form', () => {
    const { exit, out } = swansong(['prove', short, long, '--timeout', '0.3', '--json']);
    expect(exit).toBe(3);
    expect(rowsIn(out).map(({ verdict }) => verdict)).toEqual(['proven', 'unknown']);
    const verified = swansong(['verify', long, short, '--timeout', '0.1', '--json']);
    expect(verified.exit).toBe(3);
    expect(rowsIn(verified.out).map(({ verdict }) => verdict)).toEqual(['stopped', 'accepted']);
  });
});

describe('a thread', () => {
  /** One that does with each of its programs what the program's name says. */
  const thread = pathToFileURL(
    put(
      'thread.mjs',
      `import { parentPort } from 'node:worker_threads';
const names = ['lives', 'eats', 'dies', 'fails', 'unheard', 'lives'];
const programs = names.map((name) => ({ name, insns: 1 }));
parentPort.on('message', ({ ask, program }) => {
  if (ask === 'open') {
    parentPort.postMessage({ say: 'opened', opened: { programs, others: [], skipped: [], unjudged: [] } });
    return;
  }
  if (names[program] === 'unheard') throw new Error('a bug, before anything was said');
  parentPort.postMessage({ say: 'begun' });
  const eaten = [];
  if (names[program] === 'eats') for (;;) eaten.push(new Array(10_000).fill({ at: eaten.length }));
  if (names[program] === 'dies') process.exit(1);
  if (names[program] === 'fails') throw new Error('a bug');
  parentPort.postMessage({ say: 'judged', judged: { row: { name: names[program] }, below: '' } });
});
parentPort.postMessage({ say: 'ready', profile: { kernel: 'k', release: 'r', digest: 'd', loader: null } });
`,
    ),
  );

  it('that takes too much memory, ends or falls over costs one program its verdict', async () => {
    const rows: string[] = [];
    const done = await judgeAll<string>(
      { command: 'prove', paths: [short], options: { memory: 64 }, entry: thread },
      {
        lost: ({ name, loss }) => `${name}: ${loss}`,
        leftOut: async () => {},
        show: async ({ row }) => {
          rows.push(typeof row === 'string' ? row : (row as { name: string }).name);
        },
      },
      quiet,
    );
    expect(rows).toEqual(['lives', 'eats: memory', 'dies: died', 'fails: died', 'unheard: died', 'lives']);
    expect(done.rows).toHaveLength(6);
    for (const loss of ['memory', 'died', 'timeout', 'interrupted'] as const) {
      const { verdict, reason, advice } = lostRow({ file: short, name: 'x', insns: 1 }, loss, { timeout: 3 });
      expect([loss, verdict, reason === '', advice === '']).toEqual([loss, 'unknown', false, false]);
    }
  });

  it('that cannot begin is an error', async () => {
    const broken = pathToFileURL(put('broken.mjs', 'throw new Error("no thread");'));
    const rows = { lost: () => '', leftOut: async () => {}, show: async () => {} };
    await expect(
      judgeAll<string>({ command: 'prove', paths: [short], options: {}, entry: broken }, rows, quiet),
    ).rejects.toThrow('no thread');
  });
});

describe('a program over its effort', () => {
  it('is unknown, the same every time, and less effort never proves what more does not', async () => {
    const verdictWith = async (effort: number): Promise<string> => {
      const { out } = await here(['prove', short, '--effort', `${effort}`, '--json']);
      const [row] = rowsIn(out);
      if (row!.verdict === 'unknown')
        expect([row!.reason, row!.advice]).toEqual([
          expect.stringContaining(`${effort} insns`),
          expect.stringContaining('--effort'),
        ]);
      return row!.verdict;
    };
    expect(await verdictWith(1)).toBe('unknown');
    expect(await verdictWith(100)).toBe('proven');
    const { out, exit } = await here(['prove', short, long, last, '--effort', '1000', '--json']);
    expect(exit).toBe(3);
    expect(rowsIn(out).map(({ verdict }) => verdict)).toEqual(['proven', 'unknown', 'proven']);
    const verified = await here(['verify', long, short, '--effort', '1000', '--json']);
    expect(rowsIn(verified.out).map(({ verdict }) => verdict)).toEqual(['budget', 'accepted']);
  });

  it('is not searched for a counterexample with what is spent', async () => {
    // Under rfc-v1 the unlock is refuted by a run that costs few insns, if there are any left.
    const args = ['prove', 'corpus/objects/lock_counter.o', '--rules', 'rfc-v1', '--json', '--effort'];
    const [few] = rowsIn((await here([...args, '60'])).out);
    const [many] = rowsIn((await here([...args, '100000'])).out);
    expect([few!.verdict, many!.verdict]).toEqual(['unknown', 'refuted']);
    expect(few!.advice).toContain('--effort');
  });
});

describe('Ctrl-C', () => {
  /** Runs until `text` is on standard output, then interrupts. */
  const interruptedAfter = (args: readonly string[], text: string, wait: number): Promise<Ran> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [MAIN, ...args]);
      let out = '';
      let err = '';
      const interrupt = (): void => void setTimeout(() => child.kill('SIGINT'), wait);
      if (text === '') interrupt();
      child.stdout.on('data', (piece) => {
        if (!out.includes(text) && (out + String(piece)).includes(text)) interrupt();
        out += String(piece);
      });
      child.stderr.on('data', (piece) => {
        err += String(piece);
      });
      child.on('close', (exit) => resolve({ exit, out, err }));
    });

  it('loses what is under way and what comes behind it, and nothing else', async () => {
    const shown: string[] = [];
    const done = await proofsOf([short, long, last], {}, ({ file }) => {
      shown.push(file);
      setTimeout(() => process.emit('SIGINT'), 100);
    });
    expect(shown).toEqual([short]);
    expect(done.interrupted).toEqual([
      { file: long, name: 'case' },
      { file: last, name: '' },
    ]);
    expect(done.rows.map(({ file, verdict }) => [file, verdict])).toEqual([
      [short, 'proven'],
      [long, 'unknown'],
      [last, 'unknown'],
    ]);
    expect(process.listenerCount('SIGINT')).toBe(0);
  });

  it('prints what is known, and says of what nothing is', async () => {
    const { exit, out, err } = await interruptedAfter(['prove', short, long, last], 'short.bpf', 200);
    expect([exit, err]).toEqual([3, '']);
    expect(out).toMatch(/short\.bpf\n {2}case +proven/);
    expect(out).toMatch(new RegExp(`interrupted; not judged: case, ${last}\\n$`));
  });

  it('leaves an honest document', async () => {
    const wait = 2500;
    const { exit, out } = await interruptedAfter(
      ['prove', short, long, long, long, long, last, '--json'],
      '',
      wait,
    );
    expect(exit).toBe(3);
    expect(troubleWith(out)).toBeUndefined();
    const document = JSON.parse(out) as { interrupted: boolean; programs: readonly Row[] };
    expect(document.interrupted).toBe(true);
    const { programs } = document;
    expect(programs).toHaveLength(6);
    const at = programs.findIndex(({ verdict }) => verdict === 'unknown');
    expect(programs.slice(0, at).every(({ verdict }) => verdict === 'proven')).toBe(true);
    for (const one of programs.slice(at))
      expect([one.verdict, one.reason]).toEqual(['unknown', expect.stringContaining('interrupted')]);
  });
});
