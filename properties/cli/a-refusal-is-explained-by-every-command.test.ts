/**
 * A program that our verifier refuses is explained alike by `verify`, `prove` and `certify`: the same fields in JSON, the same words in text, short
 * unless the whole is asked for. What Linux refuses shows the end of its log, each insn with where it comes from.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { here, scratch } from '../support/cli.js';
import { describeKernel, itKernel } from '../support/kernel/skip.js';

const folder = scratch();
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

/** A record that is never given back, behind more branches than are told in short. */
const LEAK = put(
  'leak.bpf',
  `.type xdp
.map ring ringbuf key=0 value=0 entries=4096
    r1 = map ring
    r2 = 16
    r3 = 0
    call bpf_ringbuf_reserve
    r6 = *(u32 *)(r10 -4)
${Array.from({ length: 12 }, (_, n) => `    if r6 == ${n} goto out\n`).join('')}out:
    r0 = 0
    exit
`,
);
const LOCKED = 'corpus/objects/lock_counter.o';

const FIELDS = ['message', 'lines', 'slot', 'explanation'] as const;
type Row = Readonly<Record<string, unknown>>;

async function rowOf(args: readonly string[]): Promise<Row> {
  const { out } = await here([...args, '--json']);
  return (JSON.parse(out) as { programs: readonly Row[] }).programs[0]!;
}

async function wordsOf(args: readonly string[]): Promise<string> {
  const { out } = await here(args);
  // Below the table each explanation begins with what it explains.
  const at = out.search(/^\S+:\w+: /m);
  return at < 0 ? '' : out.slice(at);
}

const commands = (file: string): string[][] => [
  ['prove', file],
  ['certify', file, '--profile', 'built-in'],
];

itKernel('with the same fields, and in the same words', async () => {
  const verified = await rowOf(['verify', LEAK]);
  for (const field of FIELDS) expect(verified[field]).toBeDefined();
  const [short, whole] = [await wordsOf(['verify', LEAK]), await wordsOf(['verify', LEAK, '--explain'])];
  expect(short).toMatch(/refused in main at insn \d+: exit\n.*Unreleased reference id=\d+ alloc_insn=4\n/);
  expect(short).toContain('--explain');
  expect(whole.split('\n').length).toBeGreaterThan(short.split('\n').length);
  for (const args of commands(LEAK)) {
    const row = await rowOf(args);
    for (const field of FIELDS.slice(1)) expect([args[0], row[field]]).toEqual([args[0], verified[field]]);
    expect(row.message).toContain(verified.message);
    expect([args[0], await wordsOf(args)]).toEqual([args[0], short]);
    expect([args[0], await wordsOf([...args, '--explain'])]).toEqual([args[0], whole]);
  }
});

it('a refuted program tells the way of its witness where the whole is asked for', async () => {
  const { witness } = (await rowOf(['prove', LOCKED, '--rules', 'rfc-v1'])) as {
    witness: { kill: number; path: { events: { event: string; step: number; at: { line?: number } }[] } };
  };
  const { events } = witness.path;
  expect(events.find(({ event }) => event === 'killed')?.step).toBe(witness.kill);
  expect(events.at(-1)).toMatchObject({ event: 'broken', check: 'misuse', at: { line: expect.any(Number) } });
  expect(await wordsOf(['prove', LOCKED, '--rules', 'rfc-v1'])).toBe('');
  const words = await wordsOf(['prove', LOCKED, '--rules', 'rfc-v1', '--explain']);
  expect(words).toMatch(/KILLED before the insn in lock_counter .*lock_counter\.c:\d+/);
  expect(words).toMatch(/call replaced .*bpf_spin_lock.*\n +r0 = .* \(rule '/);
  expect(words).toMatch(
    /BREAKS misuse .*bpf_spin_unlock.*\n +bpf_spin_unlock without taking a lock\n.*: what a killed run does; /,
  );
});

describeKernel('a refusal by Linux', () => {
  it('shows the end of its log', async () => {
    const row = (await rowOf(['certify', LOCKED, '--rules', 'rfc-v1'])) as {
      message: string;
      at: { slot: number };
      log: { text: string; mode?: string; at?: { slot: number } }[];
    };
    expect(row.message.endsWith(row.log.at(-1)!.text)).toBe(true);
    // The last insn of the log is the one that was refused, and is told as one of the program.
    const last = row.log.findLast(({ at }) => at !== undefined);
    expect([last?.mode, last?.at?.slot]).toEqual(['patched', row.at.slot]);
    const short = await wordsOf(['certify', LOCKED, '--rules', 'rfc-v1']);
    const whole = await wordsOf(['certify', LOCKED, '--rules', 'rfc-v1', '--explain']);
    // Each load has addresses of its own.
    const plain = (text: string): string => text.replace(/0x[0-9a-f]{16}/g, 'ADDRESS');
    for (const { text } of row.log) expect(plain(whole)).toContain(`    ${plain(text)}\n`);
    expect(short).toContain(`    ${row.log.at(-1)!.text}\n`);
    expect(whole.split('\n').length).toBeGreaterThan(short.split('\n').length);
  });
});
