/**
 * Two findings have one cause exactly if rule set, check, functions to blame and kind of message are the same; the kind is the message
 * without what differs from hit to hit. A cause's file name is as stable as the cause.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cause, causeKey, groupKey, isSameOrPart, kindOf } from '../../../src/campaign/kill/cause.js';
import { caseName } from '../../../src/campaign/storage/corpus.js';
import { CHECKS } from '../../../src/vm/state/trap.js';
import { causes } from '../../support/campaign/reports.js';
import { seeded } from '../../support/seed.js';

const same = (a: Cause, b: Cause, members: readonly (keyof Cause)[]): boolean =>
  members.every((member) => a[member] === b[member]);

describe('two causes', () => {
  it('are one exactly if all but the rule is the same, and have one file name then', () => {
    fc.assert(
      fc.property(causes, causes, (a, b) => {
        const one = same(a, b, ['rules', 'check', 'function', 'kind']);
        expect(causeKey(a) === causeKey(b)).toBe(one);
        expect(caseName(a) === caseName(b)).toBe(one);
        expect(groupKey(a) === groupKey(b)).toBe(same(a, b, ['rules', 'check', 'rule']));
      }),
      seeded(2000),
    );
  });

  it('hang together exactly if one blames no function that the other does not', () => {
    fc.assert(
      fc.property(causes, causes, (a, b) => {
        const functions = a.function.split('+').every((name) => b.function.split('+').includes(name));
        expect(isSameOrPart(a, b)).toBe(same(a, b, ['rules', 'check', 'kind']) && functions);
      }),
      seeded(2000),
    );
  });

  it('differ in file name where their readable part is cut', () => {
    const long = { rules: 'r', check: 'leak', rule: 'a', kind: 'k' } as const;
    const [a, b] = ['a', 'b'].map((end) => caseName({ ...long, function: `${'x'.repeat(200)}${end}` }));
    expect(a).not.toBe(b);
    expect(a!.slice(0, 100)).toBe(b!.slice(0, 100));
    expect(a!.length).toBe(107);
  });
});

it('the file name of a cause stays what it is', () => {
  const cause: Cause = {
    rules: 'rfc-v1',
    check: 'misuse',
    rule: 'void helpers become 0',
    function: 'bpf_spin_lock',
    kind: 'a function without taking a lock',
  };
  expect(caseName(cause)).toBe('rfc-v1-misuse-bpf_spin_lock-db4fca');
  expect(caseName({ ...cause, rules: './my rules.ts', function: 'bpf_a+bpf_b' })).toMatch(
    /^\._my_rules\.ts-misuse-bpf_a\+bpf_b-[0-9a-f]{6}$/,
  );
});

interface Place {
  readonly slot: number;
  readonly off: number;
  readonly address: bigint;
  readonly reg: number;
  readonly name: string;
}

describe('the kind of a message', () => {
  const message = (text: string) => kindOf({ check: 'leak', message: text, slot: 3, step: 4 });

  it.each([
    ['insn 3: r10 is no number', 'insn N: a register is no number'],
    ['r1 at 12 and w9 at 3', 'a register and a register'],
    ['r11 and xr1 stay', 'r11 and xr1 stay'],
    ['bpf_sk_lookup_tcp gives back 0xdEAd0000 or -4095', 'a function gives back N or N'],
    ['access of 8 bytes at offset -16', 'access of N bytes at offset N'],
    ['bpf_a#1', 'a function#N'],
  ])('%s', (text, kind) => {
    expect(message(text)).toBe(kind);
  });

  it('is the same wherever it was met, whichever function it was, and another for other words', () => {
    const places: fc.Arbitrary<Place> = fc.record({
      slot: fc.nat(),
      off: fc.integer(),
      address: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      reg: fc.integer({ min: 0, max: 10 }),
      name: fc.constantFrom('bpf_a', 'bpf_sk_lookup_tcp', 'bpf_2'),
    });
    const text = (word: string, { slot, off, address, reg, name }: Place): string =>
      `${name} ${word} r${reg} ${off} bytes of 0x${address.toString(16)} at ${slot}`;
    fc.assert(
      fc.property(places, places, (a, b) => {
        expect(message(text('reads', a))).toBe(message(text('reads', b)));
        expect(message(text('reads', a))).not.toBe(message(text('writes', b)));
      }),
      seeded(300),
    );
  });
});

it('every check has causes of its own', () => {
  const all = CHECKS.map((check) => causeKey({ rules: 'r', check, rule: 'a', function: 'f', kind: 'k' }));
  expect(new Set(all).size).toBe(CHECKS.length);
});
