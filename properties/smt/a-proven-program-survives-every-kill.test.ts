/**
 * A program that is proven breaks no check wherever it is killed, and dies within its bound; one that is refuted has a witness that
 * replays, and that is harmless when nobody kills it. Under `sound` every generated program is proven.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ruleSetArbitrary } from '../../generators/rule.js';
import { sample } from '../../generators/sample.js';
import { smallestCall } from '../../generators/smallest-call.js';
import type { Program } from '../../src/object/program.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import type { ProgramProof } from '../../src/smt/proof.js';
import { parseCase } from '../../src/vm/case/case.js';
import { seeded } from '../support/seed.js';
import { contradiction, type Subject, subjectOf } from '../support/smt/every-kill.js';
import { WRONG_RULES } from '../support/wrong-rules.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const PROGRAMS = 90;
const prove = (one: Subject, rules: RuleSet): Promise<ProgramProof> =>
  proveProgram(one.program, rules, { verified: one.verified, maxRuns: 20 });

const subject = (program: Program): Subject => subjectOf(program);

function subjects(count: number, maxInsns: number): readonly Subject[] {
  return Array.from({ length: count }, (_, i) => subject(sample(SEED, i, { maxInsns }).program));
}

describe('programs of a campaign', () => {
  const programs = subjects(PROGRAMS, 70);
  test.each(['sound', 'rfc-v1', 'rfc-v2', 'rfc-v3', 'naive'])('under %s', async (name) => {
    const rules = shippedRuleSet(name)!;
    const counts = { proven: 0, refuted: 0, unknown: 0 };
    for (const [index, one] of programs.entries()) {
      const proof = await prove(one, rules);
      counts[proof.verdict]++;
      expect([index, contradiction(one, rules, proof)]).toEqual([index, undefined]);
      if (name === 'sound') expect([index, proof.verdict, proof.reason]).toEqual([index, 'proven', '']);
    }
    if (name !== 'sound') expect(Math.min(counts.proven, counts.refuted)).toBeGreaterThan(0);
  });
});

test('programs under rules of any kind', async () => {
  const programs = subjects(40, 50);
  const verdicts = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...programs), ruleSetArbitrary(), async (one, rules) => {
      const proof = await prove(one, rules);
      verdicts.add(proof.verdict);
      expect(contradiction(one, rules, proof)).toBeUndefined();
    }),
    seeded(40),
  );
  expect([...verdicts]).toContain('proven');
});

test('programs that call what a wrong rule is wrong about', async () => {
  let refuted = 0;
  for (const { rules, function: name } of WRONG_RULES) {
    const one = subject(smallestCall(name)!);
    const proof = await prove(one, rules);
    if (proof.verdict === 'refuted') refuted++;
    expect([rules.name, contradiction(one, rules, proof)]).toEqual([rules.name, undefined]);
  }
  expect(refuted).toBeGreaterThan(WRONG_RULES.length / 2);
});

describe('programs that one part of the proof is there for', () => {
  const wrong = (name: string): RuleSet => WRONG_RULES.find(({ rules }) => rules.name === name)!.rules;
  const shipped = (name: string): RuleSet => shippedRuleSet(name)!;
  const calling = (name: string): readonly Subject[] =>
    Array.from({ length: 30 }, (_, i) => subject(sample(SEED, i, { only: [name], maxInsns: 60 }).program));
  const anything = subjects(60, 70);
  /** A killed run that makes one of the calls, whichever, has its buffer filled. */
  const read = `
    r1 = r10
    r1 += -8
    r2 = 8
    r3 = 0
    call bpf_probe_read_kernel`;
  const twiceRead = subject(
    parseCase(`.type tracepoint\n${read}${read}\n    r0 = *(u64 *)(r10 - 8)\n    r0 = 0\n    exit\n`).program,
  );

  const PARTS: readonly (readonly [part: string, rules: RuleSet, programs: () => readonly Subject[]])[] = [
    ['a kept call that acquires', wrong('task-acquired'), () => calling('bpf_task_from_pid')],
    ['a kept tail call', wrong('next-program-runs'), () => calling('bpf_tail_call')],
    ['guards at the call site', shipped('sound'), () => calling('bpf_refcount_acquire_impl')],
    ['a second stub after the kill', wrong('read-leaves-its-buffer-alone'), () => [twiceRead]],
    [
      'memory that a stub leaves unwritten',
      wrong('read-leaves-its-buffer-alone'),
      () => calling('bpf_probe_read_kernel'),
    ],
    ['callbacks that are called after the kill', shipped('rfc-v2'), () => calling('bpf_for_each_map_elem')],
    ['calls of global subprograms, and their callers', shipped('sound'), () => anything],
    ['rounds of a loop', wrong('iterator-goes-on'), () => calling('bpf_iter_num_next')],
  ];

  test.each(PARTS)('%s', async (_part, rules, programs) => {
    for (const [index, one] of programs().entries()) {
      const proof = await prove(one, rules);
      if (rules.name === 'sound') expect([index, proof.verdict, proof.reason]).toEqual([index, 'proven', '']);
      expect([index, contradiction(one, rules, proof)]).toEqual([index, undefined]);
    }
  });
});
