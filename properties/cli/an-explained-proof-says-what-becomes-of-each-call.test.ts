/**
 * `prove --explain` lists each insn once, with the bound of a run killed there, and under each call what a killed run does, by which rule, and why it may: a
 * stub names outcomes that the function really has and that acquire nothing. The way from the worst place has all its insns. `--hot` counts each insn that
 * was walked, and no other.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { programArbitrary } from '../../generators/program.js';
import { contractOf } from '../../src/kernel/catalog.js';
import { outcomeAcquires } from '../../src/kernel/describe.js';
import { readObject } from '../../src/object/load.js';
import type { Program } from '../../src/object/program.js';
import { RULE_SETS, shippedRuleSet } from '../../src/patch/sets/index.js';
import { explainedProof } from '../../src/report/programs/explained-proof.js';
import { hotInWords, hotLines } from '../../src/report/programs/hot-lines.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import type { ProgramProof } from '../../src/smt/proof.js';
import { Places } from '../../src/verifier/explain/place.js';
import { prepare } from '../../src/verifier/text/code.js';
import { verify } from '../../src/verifier/verify.js';
import { here } from '../support/cli.js';
import { seeded } from '../support/seed.js';

const OBJECTS = [
  'lock_counter',
  'ringbuf_event',
  'iter_num',
  'socket_tc',
  'loop_lookup',
  'kptr_stash',
  'global_func',
];
const programsOf = (name: string): readonly Program[] =>
  readObject(readFileSync(`corpus/objects/${name}.o`), name).programs;

function explained(program: Program, proof: ProgramProof): string {
  const code = prepare(program);
  const slots = code.ops.flatMap((op, slot) => (op === undefined ? [] : [slot]));
  return explainedProof({
    file: 'f',
    name: program.name,
    proof,
    places: new Places(program, code),
    slots,
    tailCalls: [],
  });
}

/** Slots and bounds of the listing, read back. */
const listed = (text: string): readonly (readonly [slot: number, bound: string])[] =>
  [...text.matchAll(/^ {2} *(\S+|no bound) {2,}(\d+): /gm)].map(([, bound, slot]) => [Number(slot), bound!]);

function holds(program: Program, proof: ProgramProof): void {
  const text = explained(program, proof);
  const { ops } = prepare(program);
  const rows = listed(text);
  expect(rows.map(([slot]) => slot)).toEqual(ops.flatMap((op, slot) => (op === undefined ? [] : [slot])));
  for (const [slot, bound] of rows) {
    const exact = proof.bounds.get(slot);
    const timed = proof.timeLimits.get(slot);
    if (exact !== undefined) expect(bound).toBe(`${exact}`);
    else if (timed !== undefined) expect(bound).toBe(`${timed.ms}ms+${timed.insns}`);
    else if (!proof.bounds.has(slot)) expect(bound).toBe('-');
  }
  // What stands under the insn of each call.
  const under = text.split(/^ {2} *(?:\S+|no bound) {2,}(?=\d+: )/m).slice(1);
  for (const { slot, action, rule, stub, why } of proof.sites) {
    const part = under.find((one) => one.startsWith(`${slot}: `))!.replace(/\s+/g, ' ');
    expect(part).toContain(`> why: ${why}`);
    expect(part).toContain(rule === undefined ? '(no rule matches)' : `(rule '${rule}')`);
    if (action === 'stub')
      expect(part).toContain(`> stub: ${stub!.r0 === 'void' ? 'nothing' : `r0 = ${stub!.r0}`}`);
    if (action === 'keep') expect(part).toContain('> kept (');
  }
  expect(text.match(/> why: /g) ?? []).toHaveLength(proof.sites.length);
  for (const { slot, may } of proof.kept) {
    const part = under.find((one) => one.startsWith(`${slot}: `))!.replace(/\s+/g, ' ');
    expect(part).toContain(`it may ${may.map((one) => (one === 'slow' ? 'be slow' : one)).join(', ')}`);
  }
  // The way has all its insns, from the worst place on.
  const [first] = proof.worstPath;
  if (first === undefined) {
    expect(text).toContain('no worst place');
    return;
  }
  expect(text).toContain(`the worst place to be killed at: insn ${first} in`);
  const parts = [...text.matchAll(/^ +(\d+) {2}insns? (\d+)/gm)];
  expect(Number(parts[0]![2])).toBe(first);
  if (!/^ {2}\.\.\. \d+ more$/m.test(text))
    expect(parts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(proof.worstPath.length);
}

/** Each outcome that a stub is said to look like is one of the function, and one that a stub may be. */
function whysHold({ declared }: Program, { sites }: ProgramProof): number {
  let named = 0;
  for (const { function: name, settled, action, why } of sites) {
    expect(why).not.toBe('');
    if (settled !== 'outcome') continue;
    expect(action).toBe('stub');
    const { outcomes } = contractOf(name, declared)!;
    const said = [...why.matchAll(/'(\w+)'/g)].map(([, one]) => one!);
    for (const one of said) {
      const outcome = outcomes.find((other) => other.name === one)!;
      expect([name, one, outcome !== undefined, outcome?.blocks]).toEqual([name, one, true, undefined]);
      if (!outcome.effects.some((effect) => effect.kind === 'init_dynptr' && effect.null === true))
        expect(outcomeAcquires(outcome)).toBe(false);
    }
    if (said.length > 0) named++;
  }
  return named;
}

describe.each(RULE_SETS.map(({ name }) => name))('under %s', (rules) => {
  it('the proofs of objects', async () => {
    let named = 0;
    for (const program of OBJECTS.flatMap(programsOf)) {
      const proof = await proveProgram(program, shippedRuleSet(rules)!, { maxRuns: 1 });
      holds(program, proof);
      named += whysHold(program, proof);
    }
    if (rules === 'sound') expect(named).toBeGreaterThan(8);
  });
});

it('the proofs of generated programs', async () => {
  await fc.assert(
    fc.asyncProperty(programArbitrary(), async ({ program }) => {
      const proof = await proveProgram(program, shippedRuleSet('sound')!, { hot: true });
      if (proof.refusal !== undefined) return;
      holds(program, proof);
      whysHold(program, proof);
      walksHold(program, proof);
    }),
    seeded(25),
  );
});

const sum = (counts: Uint32Array): number => counts.reduce((all, one) => all + one, 0);

/** Each walked insn is counted, once for each time. */
function walksHold(program: Program, { hot, walked, bounds }: ProgramProof): void {
  const { verified, patched } = hot!;
  expect([sum(verified), sum(patched)]).toEqual([walked.verified, walked.patched]);
  const { ops } = prepare(program);
  for (const [slot, op] of ops.entries()) {
    if (op === undefined) expect([verified[slot], patched[slot]]).toEqual([0, 0]);
    // What can be killed was walked.
    if (bounds.has(slot)) expect(verified[slot]).toBeGreaterThan(0);
  }
  const lines = hotLines(new Places(program, prepare(program)), hot!);
  expect(lines.reduce((all, one) => all + one.walked + one.patched, 0)).toBe(
    walked.verified + walked.patched,
  );
  const order = lines.map((one) => one.walked + one.patched);
  expect(order).toEqual([...order].sort((a, b) => b - a));
}

describe('a heat map', () => {
  it('of objects has C lines, of programs without lines insns', async () => {
    for (const program of OBJECTS.flatMap(programsOf)) {
      const proof = await proveProgram(program, shippedRuleSet('sound')!, { hot: true });
      walksHold(program, proof);
      const lines = hotLines(new Places(program, prepare(program)), proof.hot!);
      expect(lines.every(({ line, insn }) => line !== undefined && insn === undefined)).toBe(true);
      expect(new Set(lines.map(({ file, line }) => `${file}:${line}`)).size).toBe(lines.length);
    }
    const { out } = await here(['verify', 'corpus/design/tail-call.bpf', '--hot']);
    expect(out).toMatch(/5 insns walked, by insn\n[\s\S]* 3: call bpf_tail_call#12\n/);
  });

  it('of a program that is too large tells where the insns went', async () => {
    const loop =
      '.type xdp\n    r0 = 0\nagain:\n    r0 += 1\n    if r0 < 100000 goto again\n    r0 = 1\n    exit\n';
    const { parseCase } = await import('../../src/vm/case/case.js');
    const { program } = parseCase(loop, 'loop.bpf');
    const verdict = verify(program, { facts: false, budget: 1000, tally: true });
    expect(verdict.ok).toBe(false);
    const walked = [...verdict.walkedAt!];
    expect(walked[0]).toBe(1);
    expect(walked[1]! + walked[2]!).toBeGreaterThan(990);
    expect(walked.slice(3)).toEqual([0, 0]);
    expect(
      hotInWords(
        'x',
        hotLines(new Places(program, prepare(program)), {
          verified: verdict.walkedAt!,
          patched: new Uint32Array(5),
        }),
      ),
    ).toMatch(/500 +0 +50\.0% +#+ +1: r0 \+= 1\n/);
  });

  it('is in documents where it is asked for', async () => {
    const ask = async (...args: string[]) =>
      (JSON.parse((await here([...args, '--json'])).out) as { programs: [{ hot?: unknown[] }] }).programs[0];
    expect((await ask('prove', 'corpus/objects/lock_counter.o')).hot).toBeUndefined();
    for (const command of ['prove', 'verify'])
      expect((await ask(command, 'corpus/objects/lock_counter.o', '--hot')).hot![0]).toMatchObject({
        file: './lock_counter.c',
        line: expect.any(Number),
        walked: expect.any(Number),
      });
  });
});

it('from the command line, above and below the table', async () => {
  const { out } = await here(['prove', 'corpus/objects/lock_counter.o', '--explain']);
  expect(out).toMatch(/^program .*\n.*lock_counter\.o\n {2}lock_counter +proven/);
  expect(out).toContain('> takes time: it may spin');
  expect(out).toMatch(
    /; \.\/lock_counter\.c:26: bpf_spin_lock\(&entry->lock\);\n[\s\S]*call bpf_spin_lock#93\n +> kept/,
  );
  expect(out).toMatch(/the way from there:\n +\d+ {2}insns? \d+/);
  // What is not verified has its refusal, and no call to tell of.
  expect((await here(['prove', 'corpus/objects/lock_counter.o'])).out).not.toContain('> why');
});
