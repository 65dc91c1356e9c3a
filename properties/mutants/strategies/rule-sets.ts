/** Mutants of the shipped rule sets as strategies: the fast path under each is one, so each has at least three. */
import { type Mutant, mutantsOf } from '../mutant.js';

const PINNED = 'strategies/kills-of-known-programs-are-as-pinned';

export const RULE_SET_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/patch/sets/rfc-v1.ts',
    [PINNED],
    [
      {
        name: 'the-first-posting-patches-kfuncs',
        inside: 'default',
        node: "f.kind === 'kfunc'",
        becomes: "f.kind === 'kfunc' && f.returnsVoid",
        wrong: 'The first posting replaces calls of kfuncs.',
      },
      {
        name: 'integer-helpers-of-the-first-posting-succeed',
        inside: 'default',
        node: '{ r0: -1 }',
        becomes: '{ r0: 0 }',
        wrong: 'The first posting answers 0 in the place of -1.',
      },
      {
        name: 'the-first-posting-skips-no-unlock',
        inside: 'RELEASES',
        node: "'bpf_spin_unlock'",
        becomes: "'bpf_spin_unlocked'",
        wrong: 'The first posting replaces bpf_spin_unlock.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/sets/rfc-v2.ts',
    [PINNED],
    [
      {
        name: 'helpers-of-the-second-posting-run',
        inside: 'default',
        node: "f.kind === 'helper' && f.mayReturnNull",
        becomes: 'false',
        wrong: 'The second posting makes the calls of helpers that may return NULL.',
      },
      {
        name: 'kfuncs-of-the-second-posting-run',
        inside: 'default',
        node: "f.flags.includes('KF_RET_NULL')",
        becomes: 'false',
        wrong: 'The second posting makes the calls of kfuncs that may return NULL.',
      },
      {
        name: 'loops-of-the-second-posting-run',
        inside: 'default',
        node: "f.name === 'bpf_loop'",
        becomes: 'false',
        wrong: 'The second posting makes the calls of bpf_loop.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/sets/rfc-v3.ts',
    [PINNED],
    [
      {
        name: 'helpers-of-the-third-posting-run',
        inside: 'default',
        node: "f.kind === 'helper' && f.mayReturnNull",
        becomes: 'false',
        wrong: 'The third posting makes the calls of helpers that may return NULL.',
      },
      {
        name: 'kfuncs-of-the-third-posting-run',
        inside: 'default',
        node: "f.flags.includes('KF_RET_NULL')",
        becomes: 'false',
        wrong: 'The third posting makes the calls of kfuncs that may return NULL.',
      },
      {
        name: 'loops-of-the-third-posting-run',
        inside: 'default',
        node: "f.name === 'bpf_loop'",
        becomes: 'false',
        wrong: 'The third posting makes the calls of bpf_loop.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/sets/sound.ts',
    [PINNED],
    [
      {
        name: 'sound-refuses-nothing',
        inside: 'default',
        node: 'site.canFail',
        becomes: 'false',
        wrong: 'The sound rules make every call.',
      },
      {
        name: 'sound-refuses-only-what-is-by-a-kfunc',
        inside: 'default',
        node: '(site) => site.canFail',
        becomes: "(site, f) => site.canFail && f.kind === 'kfunc'",
        wrong: 'The sound rules make every call of a helper.',
      },
      {
        name: 'sound-makes-calls-end-in-pads',
        inside: 'default',
        node: "rule('everything else runs').keep()",
        becomes: "rule('everything else ends in its pad').unwind()",
        wrong: 'The sound rules leave functions for their pads, also where these hold something.',
      },
    ],
  ),
];
