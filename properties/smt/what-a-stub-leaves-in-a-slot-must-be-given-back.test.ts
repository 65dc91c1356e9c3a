/**
 * A stub that leaves a null dynptr in a slot leaves something to be given back. In programs that reserve a record as a dynptr in every
 * place and give it back in every way, under rules that keep, stub or skip each of these calls: the proof, the walk of the fast path, killed runs, the two-mode text in
 * our verifier and in Linux say what a plain reading says. A skipped release leaks, whatever the slot holds; a slot left unwritten is misused
 * by the release that follows.
 */
import { describe, expect, it } from 'vitest';
import { loadProgram } from '../../src/oracle/load.js';
import { rule, ruleSet } from '../../src/patch/define.js';
import { callSites, fastPath } from '../../src/patch/fast-path.js';
import type { Rule, RuleSet } from '../../src/patch/rule.js';
import { twoMode } from '../../src/patch/two-mode/two-mode.js';
import { walkPatched } from '../../src/smt/patched.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { killEverywhere } from '../../src/vm/kill.js';
import { seededChooser } from '../../src/vm/state/chooser.js';
import { EMPTY } from '../../src/vm/state/environment.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const reserve = (at = -16): string => ` r1 = map rb
 r2 = 8
 r3 = 0
 r4 = r10
 r4 += ${at}
 call bpf_ringbuf_reserve_dynptr
`;
const give = (how: 'submit' | 'discard', at = -16): string => ` r1 = r10
 r1 += ${at}
 r2 = 0
 call bpf_ringbuf_${how}_dynptr
`;
const DONE = ' r0 = 0\n exit\n';
const LOOP = ` r1 = 2
 r2 = func round
 r3 = 0
 r4 = 0
 call bpf_loop
`;

/** A program that holds one dynptr or two. */
interface Holding {
  readonly text: string;
  /** The functions by which it gives them back. */
  readonly by: readonly string[];
  /** Those of them that work on the slot where the reservation returned -12; all unless told. */
  readonly failed?: readonly string[];
  /** Those that work on it where the reservation returned 0; all unless told. */
  readonly done?: readonly string[];
  /** A run that is killed before its first insn never reserves anything. */
  readonly inCallback?: true;
}

const PROGRAMS: Readonly<Record<string, Holding>> = {
  'in a line': { text: `main:\n${reserve()}${give('submit')}${DONE}`, by: ['submit'] },
  'as r0 tells': {
    text: `main:\n${reserve()} if r0 != 0 goto none\n${give('submit')}${DONE}none:\n${give('discard')}${DONE}`,
    by: ['submit', 'discard'],
    failed: ['discard'],
    done: ['submit'],
  },
  'as r0 tells, signed': {
    text: `main:\n${reserve()} if r0 s< 0 goto none\n${give('discard')}${DONE}none:\n${give('submit')}${DONE}`,
    by: ['submit', 'discard'],
    failed: ['submit'],
    done: ['discard'],
  },
  'two, the first one last': {
    text: `main:\n${reserve(-16)}${reserve(-32)}${give('submit', -32)}${give('discard', -16)}${DONE}`,
    by: ['submit', 'discard'],
  },
  'two, one after the other': {
    text: `main:\n${reserve()}${give('discard')}${reserve()}${give('discard')}${DONE}`,
    by: ['discard'],
  },
  'in a function': {
    text: `main:\n call one\n${DONE}one:\n${reserve()}${give('submit')}${DONE}`,
    by: ['submit'],
  },
  'around a function': {
    text: `main:\n${reserve()} call one\n${give('submit')}${DONE}one:\n call bpf_get_prandom_u32\n${DONE}`,
    by: ['submit'],
  },
  'in a callback': {
    text: `main:\n${LOOP}${DONE}round:\n${reserve()}${give('discard')}${DONE}`,
    by: ['discard'],
    inCallback: true,
  },
  'around a callback': {
    text: `main:\n${reserve()}${LOOP}${give('submit')}${DONE}round:\n${DONE}`,
    by: ['submit'],
  },
  'given back as its clone': {
    text: `main:\n${reserve()} r1 = r10\n r1 += -16\n r2 = r10\n r2 += -32\n call bpf_dynptr_clone\n${give('submit', -32)}${DONE}`,
    by: ['submit'],
    failed: ['submit', 'clone'],
  },
  'in a slot used before': {
    text: `main:\n *(u64 *)(r10 -16) = 7\n *(u64 *)(r10 -8) = 7\n${reserve()}${give('discard')}${DONE}`,
    by: ['discard'],
  },
};

const slot = [{ arg: 3, as: 'null_dynptr' as const }];
const RESERVED = {
  kept: (start) => start.keep(),
  'stubbed with a null dynptr': (start) => start.stub({ r0: -12, slots: slot }),
  'stubbed with a null dynptr and 0': (start) => start.stub({ r0: 0, slots: slot }),
  'stubbed without': (start) => start.stub({ r0: -12 }),
} as const satisfies Readonly<Record<string, (start: ReturnType<typeof rule>) => Rule>>;
type Reserved = keyof typeof RESERVED;
const RELEASES = ['submit', 'discard'] as const;

interface Choice {
  readonly reserved: Reserved;
  /** Releases that are skipped. */
  readonly skipped: readonly string[];
  readonly rules: RuleSet;
}

const CHOICES: readonly Choice[] = (Object.keys(RESERVED) as Reserved[]).flatMap((reserved) =>
  [[], ['submit'], ['discard'], ['submit', 'discard']].map((skipped) => ({
    reserved,
    skipped,
    rules: ruleSet('slots', [
      RESERVED[reserved](rule('reserve').when((f) => f.name === 'bpf_ringbuf_reserve_dynptr')),
      ...RELEASES.filter((how) => skipped.includes(how)).map((how) =>
        rule(how)
          .when((f) => f.name === `bpf_ringbuf_${how}_dynptr`)
          .stub({ r0: 'void' }),
      ),
      rule('loops end')
        .when((f) => f.name === 'bpf_loop')
        .stub({ r0: 0 }),
      rule('all else').keep(),
    ]),
  })),
);

/** The checks that some killed run breaks, as a plain reading of the rules has it. */
function expected({ reserved, skipped }: Choice, { by, failed = by }: Holding): ReadonlySet<string> {
  const checks = new Set<string>();
  if (reserved === 'kept') checks.add('acquire');
  if (by.some((how) => skipped.includes(how))) checks.add('leak');
  if (reserved === 'stubbed without' && failed.some((how) => !skipped.includes(how))) checks.add('misuse');
  return checks;
}

/** The same of a run that is killed before its first insn: what it holds is what stubs left. */
function expectedAtOnce(
  { reserved, skipped }: Choice,
  { by, failed = by, done = by, inCallback }: Holding,
): readonly string[] {
  if (inCallback === true) return [];
  switch (reserved) {
    case 'kept':
      return ['acquire', ...(by.some((how) => skipped.includes(how)) ? ['leak'] : [])];
    case 'stubbed without':
      return failed.some((how) => !skipped.includes(how)) ? ['misuse'] : [];
    case 'stubbed with a null dynptr':
      return failed.some((how) => skipped.includes(how)) ? ['leak'] : [];
    case 'stubbed with a null dynptr and 0':
      return done.some((how) => skipped.includes(how)) ? ['leak'] : [];
  }
}

/** Where r0 decides who gives it back, -12 always leads to one of them and 0 to the other. */
const SEEDS = 12;

function prepared(text: string) {
  const { program } = parseCase(`.type tc\n.map rb ringbuf entries=4096\n${text}`);
  const verified = verify(program);
  if (!verified.ok) throw new Error(verified.message);
  return { program, verified };
}

const CASES = Object.entries(PROGRAMS);

describe('what a stub leaves in a slot must be given back', () => {
  it.each(CASES)('%s', async (_, holding) => {
    const { text } = holding;
    const { program, verified } = prepared(text);
    for (const choice of CHOICES) {
      const { rules, reserved, skipped } = choice;
      const name = `${reserved}, ${skipped.join(' and ')} skipped`;
      const path = fastPath(program, verified.facts, rules);
      const broken = new Set<string>();
      const atOnce = new Set<string>();
      for (let seed = 0; seed < SEEDS; seed++) {
        const { violations } = killEverywhere(program, path, EMPTY, {
          facts: verified.facts,
          chooser: seededChooser(seed),
        });
        for (const { check, at } of violations) {
          broken.add(check);
          if (at === 0) atOnce.add(check);
        }
      }
      const wanted = expected(choice, holding);
      expect([name, [...broken].sort()]).toEqual([name, [...wanted].sort()]);
      expect([name, [...atOnce].sort()]).toEqual([name, expectedAtOnce(choice, holding)]);
      const proof = await proveProgram(program, rules, { verified, maxRuns: 100 });
      expect([name, proof.verdict]).toEqual([name, wanted.size === 0 ? 'proven' : 'refuted']);
      // A kept call that acquires is no fault of the text.
      const faultless = [...wanted].every((check) => check === 'acquire');
      expect([name, verify(written(text, rules)).ok]).toEqual([name, faultless]);
      const { code, facts, lastId, profile } = verified;
      const options = { profile, budget: 10_000, failures: 100 };
      const { failures } = walkPatched(program, code, facts, path, lastId, options);
      expect([name, failures.length === 0]).toEqual([name, faultless]);
      if (reserved === 'kept' || expectedAtOnce(choice, holding).length === 0) continue;
      // Of a kill before a reservation the walk finds what the stub left, where no fact of a failed reservation covers that.
      const alone: typeof facts = Object.create(facts, { heads: { value: undefined } });
      const { failures: ofThis } = walkPatched(program, code, alone, path, lastId, options);
      const isReservation = (at: number): boolean =>
        code.contracts[at]?.name === 'bpf_ringbuf_reserve_dynptr';
      const found = ofThis.some(({ killed }) => isReservation(killed.slot));
      expect([name, found]).toEqual([name, true]);
    }
  });
});

function written(text: string, rules: RuleSet) {
  const { program, verified } = prepared(text);
  const sites = callSites(program, verified.facts, rules);
  return twoMode(program, verified, sites, { points: 'needed', by: 'compare' }).program;
}

describeKnownKernel('Linux says the same of the two-mode text', () => {
  it.each(CASES)('%s', (_, holding) => {
    for (const choice of CHOICES) {
      const faultless = [...expected(choice, holding)].every((check) => check === 'acquire');
      const result = loadProgram(written(holding.text, choice.rules));
      if (result.ok) result.close();
      expect([choice.reserved, choice.skipped, result.ok]).toEqual([
        choice.reserved,
        choice.skipped,
        faultless,
      ]);
    }
  });
});
