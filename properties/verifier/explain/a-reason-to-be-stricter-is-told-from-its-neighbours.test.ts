/**
 * Each reason for which we refuse what Linux accepts is told from mistakes that have the same words and that both refuse: by the function that
 * is called, the insn, the type of the program. Otherwise a new difference would pass as a known one.
 */
import { describe, expect, it } from 'vitest';
import { loadProgram } from '../../../src/oracle/load.js';
import type { Profile } from '../../../src/verifier/state/profile.js';
import { inStricterWords, STRICTER, stricterLine } from '../../../src/verifier/stricter.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { describeKernel, messagesKnown } from '../../support/kernel/skip.js';
import { stricterCases } from '../../support/kernel/stricter.js';
import { hasRow } from '../../support/kernel/stricter-rows.js';
import { kinds } from '../../support/mended/index.js';

/** Mistakes that both refuse, in the words of a row that is about something else. */
const WRITTEN: readonly (readonly [string, string, Profile?])[] = [
  [
    'a record given back by its middle',
    `.type tc\n.map m ringbuf entries=4096\n r1 = map m\n r2 = 16\n r3 = 0\n call bpf_ringbuf_reserve\n if r0 == 0 goto out\n r1 = r0\n r1 += 8\n r2 = 0\n call bpf_ringbuf_submit\nout:\n r0 = 0\n exit\n`,
  ],
  ['a context read before its start', '.type xdp\n r0 = *(u32 *)(r1 -4)\n r0 = 0\n exit\n'],
  [
    'a tail call of the main program that holds a record',
    `.type tc\n.map m ringbuf entries=4096\n.map t prog_array key=4 value=4 entries=1\n r6 = r1\n r1 = map m\n r2 = 16\n r3 = 0\n call bpf_ringbuf_reserve\n if r0 == 0 goto out\n r7 = r0\n r1 = r6\n r2 = map t\n r3 = 0\n call bpf_tail_call\n r1 = r7\n r2 = 0\n call bpf_ringbuf_discard\nout:\n r0 = 0\n exit\n`,
  ],
  [
    'a helper that reads below the stack',
    `.type tc\n.map m hash key=8 value=8 entries=1\n r1 = map m\n r2 = r10\n r2 += -516\n call bpf_map_lookup_elem\n r0 = 0\n exit\n`,
  ],
  [
    'an acquire from the context into another register',
    '.type xdp\n r0 = load_acquire((u32 *)(r1 +0))\n r0 = 0\n exit\n',
  ],
  ['nothing for an object', '.type tc\n r1 = 0\n call bpf_task_release\n r0 = 0\n exit\n'],
  [
    'a pointer compared with a number',
    '.type socket_filter\n if r10 == 5 goto out\nout:\n r0 = 0\n exit\n',
    'strict',
  ],
  [
    'an iterator beside a slot',
    '.type tc\n r1 = r10\n r1 += -12\n r2 = 0\n r3 = 5\n call bpf_iter_num_new\n r0 = 0\n exit\n',
  ],
  [
    'the context for a key',
    '.type tc\n.map m hash key=8 value=8 entries=1\n r2 = r1\n r1 = map m\n call bpf_map_lookup_elem\n r0 = 0\n exit\n',
  ],
  [
    'two frames that do not fit together',
    '.type tc\n *(u64 *)(r10 -400) = 0\n call f\n r0 = 0\n exit\nf:\n *(u64 *)(r10 -400) = 0\n r0 = 0\n exit\n',
  ],
];

const NEIGHBOURS = WRITTEN.map(([name, text, profile = 'privileged']) => [name, text, profile] as const);

const refusedOf = (text: string, profile: Profile) => {
  const { program } = parseCase(text);
  const verdict = verify(program, { profile, facts: false });
  if (verdict.ok) throw new Error('accepted');
  return { program, verdict };
};

describe('a reason to be stricter', () => {
  it.each(NEIGHBOURS)('is not taken for %s', (_, text, profile) => {
    const { program, verdict } = refusedOf(text, profile);
    expect([verdict.lines, stricterLine(verdict, program)]).toEqual([verdict.lines, undefined]);
  });

  it('is what the words alone would give of most of these', () => {
    const alike = NEIGHBOURS.filter(([, text, profile]) => {
      const { verdict, program } = refusedOf(text, profile);
      return inStricterWords(verdict, program);
    });
    expect(alike.length).toBeGreaterThan(6);
  });

  const accepted = stricterCases.map(({ known, profile }) => ({
    name: known.name,
    program: known.program,
    profile,
  }));
  // Linux refuses some of the mended ones as well.
  const own = [
    ...accepted,
    ...Object.values(kinds).flatMap(({ bad }) =>
      bad.map(({ name, program }) => ({ name, program, profile: 'privileged' as const })),
    ),
  ];
  it('is found in the programs that show it, wherever its words are', () => {
    const shown = new Set<RegExp>();
    const missed: string[] = [];
    for (const { name, program, profile } of own) {
      const verdict = verify(program, { profile, facts: false });
      if (verdict.ok) throw new Error(`accepted: ${name}`);
      const line = stricterLine(verdict, program);
      for (const { words } of STRICTER) if (line !== undefined && words.test(line)) shown.add(words);
      const sought = accepted.some((one) => one.program === program) && inStricterWords(verdict, program);
      if (sought && line === undefined) missed.push(`${name}: ${verdict.message}`);
    }
    expect(missed).toEqual([]);
    expect(shown.size).toBeGreaterThan(12);
  });

  it('has a row', () => {
    for (const { name, program, profile } of own) {
      const verdict = verify(program, { profile, facts: false });
      const line = verdict.ok ? undefined : stricterLine(verdict, program);
      if (line !== undefined) expect([name, hasRow(line)]).toEqual([name, true]);
    }
  });
});

describeKernel('Linux', () => {
  it.each(NEIGHBOURS)('refuses %s, too', (_, text, profile) => {
    const result = loadProgram(parseCase(text).program, { strictCaps: profile === 'strict' });
    if (result.ok) result.close();
    if (messagesKnown()) expect(result.ok).toBe(false);
  });
});
