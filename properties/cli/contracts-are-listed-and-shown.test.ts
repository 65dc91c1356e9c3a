/**
 * `contracts list` has every function of the tables once, with a contract or with a reason; `contracts show` says of each contract all its
 * arguments, outcomes and program types, and what a stub may do; a name that nobody has is answered with the nearest.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/isa/nearest.js';
import { contractOf, contracts, knownFunctions } from '../../src/kernel/catalog.js';
import { imitableOutcomes } from '../../src/kernel/describe.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';
import { argInWords, outcomeInWords, r0InWords } from '../../src/report/rules/contracts.js';
import { here } from '../support/cli.js';
import { seeded } from '../support/seed.js';

interface Listed {
  readonly functions: readonly { name: string; kind: string; modelled: boolean; reason?: string }[];
  readonly summary: { functions: number; modelled: number };
}

async function listed(...args: string[]): Promise<Listed> {
  const ran = await here(['contracts', 'list', ...args, '--json']);
  expect(ran).toMatchObject({ exit: 0, err: '' });
  return JSON.parse(ran.out) as Listed;
}

describe('the list', () => {
  it('has every function once, with a contract or with a reason', async () => {
    const { functions, summary } = await listed();
    expect(functions.map(({ name }) => name)).toEqual([...HELPERS, ...KFUNCS].map(({ name }) => name));
    for (const { name, kind, modelled, reason } of functions) {
      expect(modelled, name).toBe(contractOf(name) !== undefined);
      expect(kind, name).toBe(HELPERS.some((row) => row.name === name) ? 'helper' : 'kfunc');
      if (modelled) expect(reason, name).toBeUndefined();
      else expect(reason, name).toMatch(/^not modelled: \S.*[^.]$/);
    }
    expect(summary).toEqual({ functions: HELPERS.length + KFUNCS.length, modelled: contracts().length });
  });

  it('is cut to what has none with --missing, and still counts all', async () => {
    const { functions, summary } = await listed('--missing');
    expect(functions.map(({ name }) => name)).toEqual(
      knownFunctions()
        .map(({ name }) => name)
        .filter((name) => contractOf(name) === undefined),
    );
    expect(summary.modelled).toBe(contracts().length);
    const text = await here(['contracts', 'list', '--missing']);
    expect(text.out.split('\n').length - 2).toBe(functions.length);
    expect(text.out).toMatch(/^\d+ of 211 helpers and \d+ of \d+ kfuncs are modelled\n/);
  });
});

describe('a contract is shown', () => {
  it('with its arguments, outcomes, program types and stubs', async () => {
    for (const c of contracts().filter((_, i) => i % 5 === 0)) {
      const { exit, out } = await here(['contracts', 'show', c.name]);
      expect(exit, c.name).toBe(0);
      for (const [i, arg] of c.args.entries()) expect(out).toContain(`    ${i + 1}: ${argInWords(arg)}\n`);
      for (const one of c.outcomes) expect(out).toContain(`    ${one.name}: ${outcomeInWords(one)}\n`);
      for (const flag of c.flags) expect(out).toContain(flag);
      const imitable = imitableOutcomes(c).map(({ name }) => name);
      expect(out).toMatch(imitable.length === 0 ? /no stub may stand for it/ : /a stub may imitate/);
      for (const name of imitable) expect(out).toContain(`'${name}'`);
    }
  });

  it('as other words than a contract that differs', () => {
    const texts = new Map<string, string>();
    for (const outcome of contracts().flatMap((c) => c.outcomes)) {
      const { name: _, usual: __, ...told } = outcome;
      const key = JSON.stringify(told, (___, value: unknown) =>
        typeof value === 'bigint' ? `${value}` : value,
      );
      const words = outcomeInWords(outcome);
      expect(texts.get(words) ?? key, words).toBe(key);
      texts.set(words, key);
    }
    const args = new Map<string, string>();
    for (const arg of contracts().flatMap((c) => c.args)) {
      // What a callback is given is not told.
      if (arg.kind === 'callback') continue;
      expect(args.get(argInWords(arg)) ?? JSON.stringify(arg)).toBe(JSON.stringify(arg));
      args.set(argInWords(arg), JSON.stringify(arg));
    }
    expect(r0InWords({ kind: 'scalar', min: -1n, max: 4n })).toBe('r0 from -1 to 4');
  });

  it('in JSON', async () => {
    const { exit, out } = await here(['contracts', 'show', 'res_spin_lock', '--json']);
    expect(exit).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: expect.stringContaining('res_spin_lock') });
    const ran = await here(['contracts', 'show', 'ringbuf_reserve', '--json']);
    expect(JSON.parse(ran.out)).toMatchObject({
      name: 'bpf_ringbuf_reserve',
      kind: 'helper',
      id: 131,
      stubs: ['null'],
      outcomes: [{ name: 'null' }, { name: 'reserved', does: /acquires ringbuf_record/ }],
      variants: [],
    });
  });
});

describe('a name that nobody has', () => {
  it.each([
    ['bpf_sk_lookup_tpc', "did you mean 'bpf_sk_lookup_tcp'?"],
    ['bpf_res_spin_lokc', "did you mean 'bpf_res_spin_lock'?"],
    ['bpf_ktime_get', "did you mean 'bpf_ktime_get_ns'?"],
  ])('%s is answered with the nearest', async (name, words) => {
    const ran = await here(['contracts', 'show', name]);
    expect(ran).toMatchObject({ exit: 2, out: '' });
    expect(ran.err).toContain(`${name} is neither a helper nor a kfunc`);
    expect(ran.err).toContain(words);
    expect(ran.err.trim().split('\n')).toHaveLength(1);
  });

  it('is left at that where none is near', async () => {
    const ran = await here(['contracts', 'show', 'zzzzzzzzzz']);
    expect(ran.exit).toBe(2);
    expect(ran.err).not.toMatch(/did you mean/);
    expect((await here(['contracts'])).err).toMatch(/choose one of list, show, check/);
  });
});

describe('the distance of two words', () => {
  const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
  it('is a distance, and never more than one edit per letter', () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const edits = editDistance(a, b);
        expect(edits).toBe(editDistance(b, a));
        expect(edits === 0).toBe(a === b);
        expect(edits).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(edits).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
      seeded(300),
    );
  });

  it('is one for one edit', () => {
    fc.assert(
      fc.property(word, fc.nat(7), (a, at) => {
        const i = at % (a.length + 1);
        expect(editDistance(a, `${a.slice(0, i)}x${a.slice(i)}`)).toBe(1);
        if (a.length > 1 && i + 1 < a.length && a[i] !== a[i + 1])
          expect(editDistance(a, `${a.slice(0, i)}${a[i + 1]}${a[i]}${a.slice(i + 2)}`)).toBe(1);
        expect(nearest(`${a}xyz`, [`${a}xy`, `${a}x`, 'q'])).toEqual(
          a.length < 1 ? nearest('xyz', ['xy', 'x', 'q']) : [`${a}xy`],
        );
      }),
      seeded(300),
    );
  });
});
