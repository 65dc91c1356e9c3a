/**
 * What verifiers of 2026 accepted and should not have, faults or breaks a check in a run of some world. Where no run can show it, the table
 * says why.
 */
import { describe, expect, test } from 'vitest';
import type { Program } from '../../src/object/program.js';
import { type Environment, parseHex } from '../../src/vm/state/environment.js';
import { Vm } from '../../src/vm/vm.js';
import { kinds } from '../support/mended/index.js';

/** Why no run shows it: of a kind, or of single programs by a part of their name. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  'the low half of the frame pointer':
    'a frame begins, and does not end, where the low half of addresses is zero',
  'memory of nothing':
    'the VM gives every cast memory of its own, for in Linux a read of any address is safe there',
  'for the context of a callback': 'the callback does not look at its context',
  'main: named and not called': 'nothing calls it',
  'main: by a timer': 'no timer fires while the program runs',
  'fastcall: a jump to the load': 'only Linux takes the stores and loads out that the jump leads between',
  'fastcall: a jump to the call': 'only Linux takes the stores and loads out that the jump leads between',
  'fastcall: a jump to the second load':
    'only Linux takes the stores and loads out that the jump leads between',
  'fastcall: a jump past the second store':
    'only Linux takes the stores and loads out that the jump leads between',
  'section: ': 'nothing else runs in the VM that could free what the section protects',
};

const notShown = (name: string): string | undefined =>
  Object.entries(NOT_SHOWN).find(([part]) => name.includes(part))?.[1];

/** A world as a case writes it: choices, and the packet if it is not the usual one. */
interface World {
  readonly choices?: Readonly<Record<string, string>>;
  readonly packet?: string;
}

/** The random numbers of a run: the first ones, then always the same. */
const random = (first: readonly number[], then: number): World['choices'] =>
  Object.fromEntries(
    Array.from({ length: 90 }, (_, n) => [`bpf_get_prandom_u32#${n + 1}`, `${first[n] ?? then}`]),
  );

const WORLDS: readonly World[] = [
  {},
  { choices: { 'bpf_map_lookup_elem#2': 'null' } },
  { choices: { 'bpf_map_lookup_elem#1': 'null' } },
  { choices: { 'bpf_probe_read_kernel#1': '-14', 'bpf_probe_read_kernel_str#1': '-14' } },
  // The way that is walked later, and the number that it has.
  { choices: random([1], 7) },
  { choices: random([127, 1], 0) },
  { choices: random([], 1000) },
  // A packet load of classic BPF ends the function.
  { packet: '' },
];

/** Map `m` has as many entries as it takes, two at the most. */
function worldOf({ maps }: Program, { choices = {}, packet }: World, addresses: string): Environment {
  const count = Math.min(2, maps.find(({ name }) => name === 'm')?.maxEntries ?? 0);
  const entries = Array.from({ length: count }, (_, n) => [`0${n}000000`, ''] as const);
  return {
    choices: new Map([...Object.entries(choices), ['addresses#1', addresses]]),
    maps: new Map([['m', new Map(entries)]]),
    ...(packet === undefined ? {} : { packet: parseHex(packet) }),
  };
}

/** What a run of the program breaks first, in each world that it breaks something in. */
function broken(program: Program, addresses: '0' | '1'): readonly string[] {
  return WORLDS.flatMap((world) => {
    const [first] = new Vm(program, { env: worldOf(program, world, addresses) }).run().violations;
    return first === undefined ? [] : [`${first.check}: ${first.message}`];
  });
}

const everywhere = (program: Program): readonly string[] => [
  ...broken(program, '0'),
  ...broken(program, '1'),
];

const all = Object.values(kinds);
const bad = all.flatMap(({ bad }) => bad.map(({ name, program }) => [name, program] as const));
const good = all.flatMap(({ good }) => good.map(({ name, program }) => [name, program] as const));

describe('a run shows', () => {
  test.each(bad.filter(([name]) => notShown(name) === undefined))('%s', (_, program) => {
    expect(everywhere(program)).not.toEqual([]);
  });
});

describe('no run shows', () => {
  test.each(bad.filter(([name]) => notShown(name) !== undefined))('%s', (name, program) => {
    expect([notShown(name), everywhere(program)]).toEqual([notShown(name), []]);
  });

  test('what the table has no program for', () => {
    for (const part of Object.keys(NOT_SHOWN))
      expect(
        bad.some(([name]) => name.includes(part)),
        part,
      ).toBe(true);
  });

  test.each(good)('anything of a near neighbour: %s', (_, program) => {
    expect(everywhere(program)).toEqual([]);
  });
});

describe('what is taken for NULL by its low half', () => {
  const LOW_HALF = bad.filter(([name]) => /^not NULL: the low half of (one|a filled)/.test(name));

  test.each(LOW_HALF)('is seen where the address has such a half, and not elsewhere: %s', (_, program) => {
    const seen = [broken(program, '0').length > 0, broken(program, '1').length > 0];
    expect(new Set(seen)).toEqual(new Set([true, false]));
  });
});
