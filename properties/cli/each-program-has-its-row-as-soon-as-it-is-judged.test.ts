/**
 * `prove` prints a row for each program, as soon as there is one. A program that is left out has a row too, and the whole is then not "holds". A row says
 * what its bound is, and an unknown one what to do.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../../src/cli/cli.js';
import { here, scratch } from '../support/cli.js';
import { describeKernel } from '../support/kernel/skip.js';
import { objectBytes } from '../support/objects/files.js';

const folder = scratch();
const put = (name: string, text: string | Uint8Array): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const straight = put('straight.bpf', '.type xdp\n    r0 = 2\n    exit\n');
const timed = put(
  'timed.bpf',
  '.type xdp\nagain:\n    may_goto over\n    goto again\nover:\n    r0 = 2\n    exit\n',
);
const slow = put(
  'slow.bpf',
  `.type xdp\n.license GPL\n    r1 = r10\n    r1 += -8\n    *(u64 *)(r10 -8) = 0\n    r2 = 8\n    call bpf_trace_printk\n    r0 = 2\n    exit\n`,
);
const unverified = put('unverified.bpf', '.type xdp\n    r0 = r3\n    exit\n');

/** An object of two programs, of which one replaces a function of another program. */
const half = (): string => {
  const bytes = Buffer.from(objectBytes('global_func.o'));
  for (let at = bytes.indexOf('kprobe/do_nanosleep'); at >= 0; at = bytes.indexOf('kprobe/do_nanosleep'))
    bytes.write('freplace/some_other', at);
  return put('half.o', bytes);
};

interface Row {
  readonly name: string;
  readonly verdict: string;
  readonly reason: string;
  readonly advice: string;
  readonly bound: number | null;
  readonly boundKind: string | null;
  readonly kept: readonly { readonly function: string; readonly may: readonly string[] }[];
}

async function rowsOf(args: readonly string[]): Promise<{ exit: number | null; rows: readonly Row[] }> {
  const { exit, out } = await here(['prove', ...args, '--json']);
  return { exit, rows: (JSON.parse(out) as { programs: readonly Row[] }).programs };
}

it('the rows come one by one, in order, below one head', async () => {
  const pieces: string[] = [];
  const exit = await runCli(['prove', straight, timed, unverified], {
    out: async (text) => {
      pieces.push(String(text));
    },
    err: () => {},
  });
  expect(exit).toBe(3);
  expect(pieces.filter((piece) => piece !== '').map((piece) => piece.match(/(\w+)\.bpf$/m)?.[1])).toEqual([
    'straight',
    'timed',
    'unverified',
  ]);
  expect(pieces[0]!.startsWith('program')).toBe(true);
  expect(pieces.join('').match(/^program/gm)).toHaveLength(1);
  expect(pieces[1]).toContain('250ms+');
  expect((await here(['prove', straight, '--quiet'])).out).toBe('');
});

it('a program that is left out has a row, and makes the exit 3', async () => {
  const file = half();
  const { exit, rows } = await rowsOf([file]);
  expect(exit).toBe(3);
  expect(rows.filter(({ reason }) => reason.startsWith('left out'))).toMatchObject([
    {
      name: 'global_func_kprobe',
      verdict: 'unknown',
      reason: expect.stringContaining("replaces the function 'some_other'"),
      bound: null,
    },
  ]);
  expect(rows.some(({ verdict }) => verdict === 'proven')).toBe(true);
  expect((await here(['prove', file])).out).toContain('--attach global_func_kprobe=FILE:FUNCTION');
  // Where another program is asked for, nothing is left out.
  const other = rows.find(({ verdict }) => verdict === 'proven')!.name;
  expect((await rowsOf([file, '--prog', other])).exit).toBe(0);
});

describeKernel('certify', () => {
  it('does not say that all holds where a program was left out', async () => {
    const file = half();
    const { exit, out } = await here(['certify', file, '--json']);
    const { programs, skipped } = JSON.parse(out);
    const verdicts = programs.map(({ verdict }: { verdict: string }) => verdict);
    expect(skipped).toHaveLength(1);
    expect([exit, verdicts.includes('refused')]).toEqual(
      verdicts.includes('refused') ? [1, true] : [3, false],
    );
  });
});

it('a row has its kind of bound, and the calls that bound says nothing of', async () => {
  const { exit, rows } = await rowsOf([straight, timed, slow, '--rules', 'rfc-v1']);
  expect(exit).toBe(0);
  expect(rows).toMatchObject([
    { bound: 2, boundKind: 'exact', kept: [] },
    { bound: null, boundKind: 'time-limited', timeLimit: { ms: 250, insns: expect.any(Number) } },
    { boundKind: 'exact', kept: [{ slot: 4, function: 'bpf_trace_printk', may: ['spin', 'slow'] }] },
  ]);
});

it('what is unknown names what to do; nothing else does', async () => {
  const { rows } = await rowsOf([straight, unverified]);
  expect(rows.map(({ verdict, advice }) => [verdict, advice !== ''])).toEqual([
    ['proven', false],
    ['unknown', true],
  ]);
  expect(rows[1]).toMatchObject({ bound: null, boundKind: null });
});
