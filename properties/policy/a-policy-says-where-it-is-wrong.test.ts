/** A policy file is read as it says, or refused in one line: the file, the line, what was expected and what was found. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { limitOf, matches, parsePolicy } from '../../src/policy/policy.js';
import { nanoseconds } from '../../src/policy/reader.js';
import { bytesOf } from '../../src/policy/simulate/map-words.js';
import { seeded } from '../support/seed.js';

const told = (text: string): string => {
  try {
    parsePolicy(text, 'p.toml');
    return 'accepted';
  } catch (error) {
    if (error instanceof InputError) return error.describe();
    throw error;
  }
};
const LIMIT = '[[limit]]\ntime = "1us"\naction = "kill"\n';
const LOAD = '[simulate]\nduration = "1ms"\n';
const HOOK = '[[simulate.hook]]\nname = "a"\nwork = "1us"\nclients = 1\n';

describe('a policy says where it is wrong', () => {
  const wrong: readonly [what: string, text: string, message: RegExp][] = [
    ['no TOML', '[[limit]\n', /^p\.toml:1:\d+: /],
    ['nothing', '', /limit: expected at least one \[\[limit\]\], or a load to \[simulate\]/],
    [
      'a limit without a time',
      '[[limit]]\naction = "kill"\n',
      /^p\.toml:1: limit\.time: expected a duration such as .*missing/,
    ],
    [
      'a time without a unit',
      `${LIMIT}\n[[limit]]\ntime = "10"\naction = "kill"\n`,
      /^p\.toml:6: limit\.time: .*found "10"/,
    ],
    ['a time of nothing', '[[limit]]\ntime = "0us"\naction = "kill"\n', /^p\.toml:2: limit\.time: .*above 0/],
    [
      'an action',
      '[[limit]]\ntime = "1us"\naction = "kil"\n',
      /^p\.toml:3: limit\.action: expected one of .*did you mean.*found "kil"/,
    ],
    [
      'a member of another action',
      `${LIMIT}after = 3\n`,
      /^p\.toml:4: limit\.after: .*for action = "detach"/,
    ],
    [
      'an unknown member',
      `${LIMIT}tme = "1us"\n`,
      /^p\.toml:4: there is no 'limit\.tme', expected one of .*time/,
    ],
    ['a load without hooks', LOAD, /simulate\.hook: expected at least one/],
    ['a hook with both', `${LOAD}${HOOK}rate = 5\n`, /either clients .* or rate/],
    [
      'a hook with neither',
      `${LOAD}[[simulate.hook]]\nname = "a"\nwork = "1us"\n`,
      /either clients .* or rate/,
    ],
    [
      'a fraction of a CPU',
      `[simulate]\nduration = "1ms"\ncpus = 1.5\n${HOOK}`,
      /^p\.toml:3: simulate\.cpus: expected a whole number from 1/,
    ],
    [
      'an axis that is not swept',
      `[simulate]\nduration = "1ms"\nx = "work"\n${HOOK}`,
      /^p\.toml:3: simulate\.x: expected a member of/,
    ],
    [
      'a strategy',
      `${LOAD}${HOOK}[simulate.sweep]\nstrategy = ["nothing"]\n`,
      /^p\.toml:8: simulate\.sweep\.strategy: expected strategies/,
    ],
    [
      'an empty sweep',
      `${LOAD}${HOOK}[simulate.sweep]\nwork = []\n`,
      /simulate\.sweep\.work: expected a list/,
    ],
  ];
  it.each(wrong)('%s', (_what, text, message) => {
    expect(told(text)).toMatch(message);
  });

  it('what is right is read with what is usual', () => {
    const { limits, load, rules, scale } = parsePolicy(
      `${LIMIT}${LOAD}${HOOK}[simulate.sweep]\nwork = [1, 2]\n`,
      'p.toml',
    );
    expect(limits).toEqual([
      { hook: '*', program: '*', time: 1000, action: 'kill', for: 1e7, backOff: 2, atMost: 6e10, after: 1 },
    ]);
    expect([rules, scale, load?.strategy, load?.cpus, load?.watchdog]).toEqual([
      'sound',
      1,
      'fast-path',
      1,
      0,
    ]);
    expect([...load!.sweep]).toEqual([['work', [1, 2]]]);
  });

  it('the first limit that matches counts, by type or by section', () => {
    const at = (time: number, hook: string, program = '*') =>
      ({ ...parsePolicy(LIMIT, 'p.toml').limits[0]!, time, hook, program }) as const;
    const limits = [at(1, 'tc', 'a_*'), at(2, 'tracepoint/*'), at(3, 'tc'), at(4, '*', '*_b')];
    const found = (name: string, type: string, section?: string) =>
      limitOf(limits, { name, type, ...(section === undefined ? {} : { section }) })?.time;
    expect(found('a_1', 'tc')).toBe(1);
    expect(found('b_1', 'tc')).toBe(3);
    expect(found('x', 'tracepoint', 'tracepoint/sched/switch')).toBe(2);
    expect(found('x_b', 'xdp')).toBe(4);
    expect(found('x', 'xdp')).toBeUndefined();
  });

  it('a star stands for any text, and nothing else for anything', () => {
    const word = fc.stringMatching(/^[a-z.+()/]{0,6}$/);
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(matches(`${a}*${c}`, a + b + c)).toBe(true);
        expect(matches(a, b)).toBe(a === b);
      }),
      seeded(200),
    );
  });

  it('durations and contents of maps', () => {
    expect(['5ns', '1.5us', '2ms', '1s', '1min'].map(nanoseconds)).toEqual([5, 1500, 2e6, 1e9, 6e10]);
    expect(['5', '5 m', '-1s', 'us'].map(nanoseconds)).toEqual([undefined, undefined, undefined, undefined]);
    const variables = new Map([['work', 258]]);
    expect(bytesOf('u32 $work, u8 7, u64 0x10', variables)).toBe('02010000071000000000000000');
    expect(() => bytesOf('u8 $work', variables)).toThrow('258 does not fit into u8');
    expect(() => bytesOf('u32 $wrk', variables)).toThrow('there is no $wrk; there are $work');
    expect(() => bytesOf('u33 1', variables)).toThrow("found 'u33 1'");
  });
});
