/**
 * A call that a rule lets end in its landing pad goes there just where the function that makes it has one; the walk of the fast path, the bound
 * and killed runs agree on programs that are made for the places where they could differ.
 */
import { describe, expect, it } from 'vitest';
import { NULL, rule, ruleSet } from '../../src/patch/define.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { BOTH_WAYS, holding, lookUp, padProgram, WITH_PADS } from '../support/pads/pads.js';
import { contradiction, subjectOf } from '../support/smt/every-kill.js';

const sound = shippedRuleSet('sound')!;

/** What gives nothing back ends in its pad; `sound` does the rest. */
const PADS_FIRST = ruleSet('pads-first', [
  rule('to the pad')
    .when((f) => !f.releases)
    .at((site) => site.hasPad)
    .unwind(),
  ...sound.rules,
]);

/** The same, asked of no site: where there is no pad, the call is kept. */
const PADS_OR_KEPT = ruleSet('pads-or-kept', [
  rule('lookups fail')
    .when((f) => f.name === 'bpf_sk_lookup_tcp')
    .stub({ r0: NULL }),
  rule('to the pad')
    .when((f) => !f.releases && f.iterator === undefined)
    .unwind(),
]);

const NEXT_TOO = ruleSet('next-too', [
  rule('the next element')
    .when((f) => f.iterator === 'next')
    .unwind(),
]);

interface Expected {
  readonly rules: RuleSet;
  readonly verdict: 'proven' | 'refuted' | 'unknown';
  readonly reason?: RegExp;
  /** Function and what is settled, for calls that a rule lets end in a pad. */
  readonly sites?: readonly string[];
  readonly bound?: number;
}

/** The caller holds a socket across a call of `work`, which ends in a pad that gives it back. */
const HOLDING = holding('    r1 = r6\n    call bpf_sk_release');

/** `work` itself holds a socket while it makes a call: nothing gives it back when it is left there. */
const LEAKY = `main:
    call work
    unwind_goto pad
pad:
    r0 = 0
    exit
work:
    r9 = r1${lookUp('r6', 'out')}
    call bpf_ktime_get_ns
    r1 = r6
    call bpf_sk_release
    call bpf_get_prandom_u32
    if r0 > 7 goto away
out:
    r0 = 0
    exit
away:
    r0 = 0
    unwind_exit
`;

/** A callback makes a call itself, and one in a function of its own, which has a pad. */
const CALLBACK = `main:
    r1 = 3
    r2 = func round
    r3 = 0
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
round:
    call bpf_ktime_get_ns
    call work
    unwind_goto end
    r0 = 0
    exit
end:
    r0 = 1
    exit
${BOTH_WAYS}`;

/** One call of the global function has a pad, the other has none: the call that it makes is kept in one and ends in the other. */
const GLOBAL = (second: string): string => `.global work
main:
    r6 = 7
    call work
    unwind_goto pad
    call work
${second}    r0 = 0
    exit
pad:
    r0 = r6
    r0 = 0
    exit
work:
    call bpf_ktime_get_ns
    r0 = 0
    exit
`;

/** The pad goes back to the call, so that a killed run goes round for ever once the iterator no longer moves on. */
const ROUND = `main:
    r1 = r10
    r1 += -8
    r2 = 0
    r3 = 3
    call bpf_iter_num_new
again:
    r1 = r10
    r1 += -8
    call work
    unwind_goto again
    if r0 == 0 goto done
    goto again
done:
    r1 = r10
    r1 += -8
    call bpf_iter_num_destroy
    r0 = 0
    exit
work:
    call bpf_iter_num_next
    if r0 == 0 goto none
    call bpf_get_prandom_u32
    if r0 > 7 goto away
    r0 = 1
    exit
none:
    r0 = 0
    exit
away:
    r0 = 1
    unwind_exit
`;

/** A function that is called with a pad and without one; the second call comes in a way in which it never unwinds. */
const TWICE = `main:
    r1 = 1
    call work
    unwind_goto pad
    r1 = 0
    call work
    r0 = 0
    exit
pad:
    r0 = 0
    exit
work:
    r6 = r1
    call bpf_ktime_get_ns
    if r6 == 0 goto plain
    if r0 > 7 goto away
plain:
    r0 = 0
    exit
away:
    r0 = 0
    unwind_exit
`;

/** A pad that leaves its frame as well, so that the outermost one gives back what is held. */
const CHAIN = `main:
    r9 = r1${lookUp('r6', 'out')}
    call outer
    unwind_goto pad
pad:
    r1 = r6
    call bpf_sk_release
out:
    r0 = 0
    exit
outer:
    call work
    unwind_goto on
    r0 = 0
    exit
on:
    unwind_exit
${BOTH_WAYS}`;

/** The function is left by exit alone, so the pad is dead code, and wrong at that. */
const DEAD = `main:
    call work
    unwind_goto pad
    r0 = 0
    exit
pad:
    r0 = r3
    exit
work:
    call bpf_ktime_get_ns
    r0 = 0
    exit
`;

/** The pad uses r0 as an offset into its stack: it is -8 in ordinary runs, and 0 where a killed call led there. */
const USES_R0 = `main:
    call work
    unwind_goto pad
    r0 = 0
    exit
pad:
    r0 += -8
    r1 = r10
    r1 += r0
    *(u8 *)(r1 + 0) = 1
    r0 = 0
    exit
work:
    call bpf_get_prandom_u32
    if r0 > 7 goto away
    r0 = 0
    exit
away:
    r0 = -8
    unwind_exit
`;

const EXPECTED: Readonly<Record<string, readonly [text: string, ...expected: readonly Expected[]]>> = {
  'a caller that holds something': [
    HOLDING,
    { rules: sound, verdict: 'proven' },
    { rules: PADS_FIRST, verdict: 'proven', sites: ['bpf_get_prandom_u32 pad'] },
    {
      rules: PADS_OR_KEPT,
      verdict: 'proven',
      sites: ['bpf_get_prandom_u32 pad'],
    },
  ],
  'a function that holds something itself': [
    LEAKY,
    { rules: sound, verdict: 'proven' },
    { rules: PADS_FIRST, verdict: 'refuted', reason: /sock.* is not given back/ },
  ],
  'a callback, whose own calls have no pad': [
    CALLBACK,
    { rules: PADS_FIRST, verdict: 'proven', sites: ['bpf_get_prandom_u32 pad'] },
    {
      rules: PADS_OR_KEPT,
      verdict: 'proven',
      sites: ['bpf_loop lasting', 'bpf_ktime_get_ns kept', 'bpf_get_prandom_u32 pad'],
    },
  ],
  'a global function that is called with a pad and without': [
    GLOBAL(''),
    { rules: PADS_FIRST, verdict: 'proven', sites: [] },
    { rules: PADS_OR_KEPT, verdict: 'proven', sites: ['bpf_ktime_get_ns kept'] },
  ],
  'a global function that is called with a pad each time': [
    GLOBAL('    unwind_goto pad\n'),
    { rules: PADS_FIRST, verdict: 'proven', sites: ['bpf_ktime_get_ns pad'] },
  ],
  'a function that is called with a pad and without': [
    TWICE,
    { rules: PADS_FIRST, verdict: 'proven', sites: [] },
    { rules: PADS_OR_KEPT, verdict: 'proven', sites: ['bpf_ktime_get_ns kept'] },
  ],
  'a pad that goes back to the call': [
    ROUND,
    { rules: sound, verdict: 'proven' },
    {
      rules: NEXT_TOO,
      verdict: 'unknown',
      reason: /a loop is neither ended by the rules nor bounded by Linux/,
      sites: ['bpf_iter_num_next pad'],
    },
  ],
  'a pad that leaves its frame too': [
    CHAIN,
    { rules: PADS_FIRST, verdict: 'proven', sites: ['bpf_get_prandom_u32 pad'] },
  ],
  'a pad that no ordinary run comes to': [
    DEAD,
    { rules: PADS_FIRST, verdict: 'proven', sites: [] },
    { rules: PADS_OR_KEPT, verdict: 'proven', sites: ['bpf_ktime_get_ns kept'] },
  ],
  'a pad that uses r0': [
    USES_R0,
    { rules: PADS_FIRST, verdict: 'proven', sites: ['bpf_get_prandom_u32 pad'] },
  ],
};

describe.each(Object.entries(EXPECTED))('%s', (_, [text, ...expected]) => {
  const one = subjectOf(padProgram(text), WITH_PADS);
  it.each(expected.map((each) => [each.rules.name, each] as const))('under %s', async (_name, each) => {
    const { rules, verdict, reason, sites, bound } = each;
    const proof = await proveProgram(one.program, rules, {
      kernel: WITH_PADS,
      verified: one.verified,
      explain: true,
    });
    expect([proof.verdict, verdict === 'proven' ? proof.reason : '']).toEqual([verdict, '']);
    expect(contradiction(one, rules, proof)).toBeUndefined();
    if (reason !== undefined) expect(proof.reason).toMatch(reason);
    if (bound !== undefined) expect(proof.bound).toBe(bound);
    if (sites !== undefined)
      expect(
        proof.sites
          .filter(({ action }) => action === 'unwind')
          .map(({ function: name, settled }) => `${name} ${settled}`),
      ).toEqual(sites);
    if (verdict === 'refuted')
      expect(proof.witnessPath!.events.map(({ event }) => event)).toContain('unwound');
  });
});

it('a global function that is left for the pad holds what it must give back', async () => {
  const text = `.global work
main:
    call work
    unwind_goto pad
    r0 = 0
    exit
pad:
    r0 = 0
    exit
work:
    call bpf_rcu_read_lock
    call bpf_ktime_get_ns
    call bpf_rcu_read_unlock
    r0 = 0
    exit
`;
  const one = subjectOf(padProgram(text), WITH_PADS);
  const rules = ruleSet('one', [
    rule('to the pad')
      .when((f) => f.name === 'bpf_ktime_get_ns')
      .unwind(),
  ]);
  const proof = await proveProgram(one.program, rules, { kernel: WITH_PADS, verified: one.verified });
  expect([proof.verdict, proof.reason]).toEqual([
    'refuted',
    expect.stringMatching(/rcu.* is not given back/i),
  ]);
  expect(contradiction(one, rules, proof)).toBeUndefined();
});
