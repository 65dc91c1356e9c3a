/** A simulated run has as many rounds as its loops have, counted by hand: jumps back and callbacks, and no call, return or jump ahead. */
import { expect, it } from 'vitest';
import { profilesOf } from '../../src/policy/simulate/profile.js';
import { EMPTY } from '../../src/vm/state/environment.js';
import { accepted, plainCosts } from '../support/cost/plain.js';

/** A loop that counts r6 down to nothing: a jump back less than it has rounds. */
const counted = (n: number, label = 'again'): string => ` r6 = ${n}
${label}:
 r6 += -1
 if r6 != 0 goto ${label}
`;

const END = ' r0 = 0\n exit\n';
const looped = (n: number): string => ` r1 = ${n}\n r2 = func each\n r3 = 0\n r4 = 0\n call bpf_loop\n`;

const PROGRAMS: readonly (readonly [string, string, number])[] = [
  ['nothing', `main:\n${END}`, 0],
  ['a jump ahead', 'main:\n r0 = 0\n if r1 != 0 goto out\n r0 = 1\nout:\n exit\n', 0],
  ['a counted loop', `main:\n${counted(7)}${END}`, 6],
  ['of one round', `main:\n${counted(1)}${END}`, 0],
  ['two loops', `main:\n${counted(3)}${counted(4, 'more')}${END}`, 2 + 3],
  ['a function behind', `main:\n call f\n${END}f:\n r0 = 0\n exit\n`, 0],
  ['called twice', `main:\n call f\n call f\n${END}f:\n${counted(5)} r0 = 0\n exit\n`, 2 * 4],
  [
    'a function calls one before it',
    `main:\n call g\n${END}f:\n r0 = 0\n exit\ng:\n call f\n r0 = 0\n exit\n`,
    0,
  ],
  ['callbacks', `main:\n${looped(9)}${END}each:\n r0 = 0\n exit\n`, 9],
  ['one callback', `main:\n${looped(1)}${END}each:\n r0 = 0\n exit\n`, 1],
  ['no callback', `main:\n${looped(0)}${END}each:\n r0 = 0\n exit\n`, 0],
  ['the first ends it', `main:\n${looped(9)}${END}each:\n r0 = 1\n exit\n`, 1],
  ['callbacks that loop', `main:\n${looped(3)}${END}each:\n${counted(4)} r0 = 0\n exit\n`, 3 + 3 * 3],
  ['callbacks that call', `main:\n${looped(3)}${END}each:\n call f\n r0 = 0\n exit\nf:\n r0 = 0\n exit\n`, 3],
  [
    'in a function',
    `main:\n call f\n call f\n${END}f:\n${looped(2)} r0 = 0\n exit\neach:\n r0 = 0\n exit\n`,
    4,
  ],
  [
    'loops in loops',
    `main:\n${looped(3)}${END}each:\n r1 = 2\n r2 = func inner\n r3 = 0\n r4 = 0\n call bpf_loop\n r0 = 0\n exit\ninner:\n r0 = 0\n exit\n`,
    3 + 3 * 2,
  ],
  ['a loop after callbacks', `main:\n${looped(2)}${counted(3)}${END}each:\n r0 = 0\n exit\n`, 2 + 2],
];

it.each(PROGRAMS)('%s', (_, text, rounds) => {
  const { program, verified } = accepted(text);
  const [profile] = profilesOf({
    program,
    verified,
    prepared: undefined,
    costs: plainCosts(),
    env: EMPTY,
    seeds: [],
  });
  expect(profile!.rounds).toBe(rounds);
});
