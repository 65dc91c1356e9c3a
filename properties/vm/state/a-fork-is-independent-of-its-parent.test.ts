/**
 * A fork and its parent share what neither has changed since. Whatever one of them does afterwards, the other must not see it: for every
 * kind of state that a run has (support/vm/state-cases.ts), all along a run, in both directions.
 */
import { describe, expect, test } from 'vitest';
import type { Program } from '../../../src/object/program.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import { verify } from '../../../src/verifier/verify.js';
import { runsLater } from '../../../src/vm/call/later.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { Vm } from '../../../src/vm/vm.js';
import { padProgram, WITH_PADS, withPad } from '../../support/pads/pads.js';
import { LOCKS_VALUE } from '../../support/texts.js';
import { fingerprint } from '../../support/vm/runs.js';
import { SAMPLES } from '../../support/vm/sample-cases.js';
import { BROKEN, STATE_CASES } from '../../support/vm/state-cases.js';

const LIMIT = 400;
/** So many insns are looked at one by one. */
const SLOWLY = 16;
const options = (seed: number) => ({
  maxSteps: LIMIT,
  bound: LIMIT,
  env: { choices: runsLater(3), cpu: { current: 0, count: 2 } },
  // Seed 0: everything goes well, so that each program runs through.
  ...(seed === 0 ? {} : { chooser: seededChooser(seed) }),
});

/** A function that leaves its caller in a landing pad. */
const PADS = padProgram(withPad('    r6 = 1'));
/** A lock that the fast path does not take is given back: a killed run goes on behind that. */
const LOCKS = parseCase(LOCKS_VALUE).program;

const PROGRAMS: readonly (readonly [string, Program])[] = [
  ...STATE_CASES,
  ['a broken check', BROKEN],
  ['a landing pad', PADS],
  ['a lock that is skipped', LOCKS],
  ...[...SAMPLES].map(([name, { program }]) => [name, program] as const),
];

/** A run of the program, which `verify` accepts, with the stubs of a rule set that skips locks where the program has one. */
function start(program: Program, seed: number): Vm {
  if (program !== LOCKS) return new Vm(program, options(seed));
  const verified = verify(program);
  if (!verified.ok) throw new Error(verified.message);
  return new Vm(program, {
    ...options(seed),
    fastPath: fastPath(program, verified.facts, shippedRuleSet('rfc-v1')!),
  });
}

describe('what one side does, the other does not see', () => {
  test.each(PROGRAMS)('%s', (_name, program) => {
    expect(verify(program, { kernel: WITH_PADS }).ok).toBe(program !== BROKEN);
    for (const [seed, every] of [
      [0, 2],
      [3, 5],
    ] as const) {
      const run = start(program, seed);
      const end = start(program, seed);
      end.run();
      const whole = fingerprint(end);
      let last: { readonly fork: Vm; readonly was: unknown } | undefined;
      for (; run.running && run.machine.steps < LIMIT; run.advance(run.machine.steps + every)) {
        // The run itself has gone on since it was forked last.
        if (last !== undefined) expect(fingerprint(last.fork)).toEqual(last.was);
        const here = fingerprint(run);
        last = { fork: run.fork(), was: here };
        const parent = run.fork();
        const child = parent.fork();
        const grandchild = child.fork();
        // The parent goes on first.
        parent.run();
        expect(fingerprint(parent)).toEqual(whole);
        expect(fingerprint(child)).toEqual(here);
        // Then the child, killed, and a fork of it.
        child.kill();
        const killed = child.fork();
        child.run();
        killed.run();
        expect(fingerprint(killed)).toEqual(fingerprint(child));
        expect(fingerprint(parent)).toEqual(whole);
        expect(fingerprint(grandchild)).toEqual(here);
        // A fork of a fork ends as the run itself.
        grandchild.run();
        expect(fingerprint(grandchild)).toEqual(whole);
        expect(fingerprint(run)).toEqual(here);
      }
    }
  });
});

/** Members that begin() sets before the first insn and that no insn changes. */
const CONSTANT: ReadonlySet<string> = new Set(['ctx', 'functions', 'cpu', 'inOrder']);

test('every member of a run changes in some of these programs', () => {
  const changed = new Set<string>(CONSTANT);
  const members = new Set<string>();
  for (const [, program] of PROGRAMS) {
    const vm = start(program, 0);
    const before = fingerprint(vm) as Record<string, unknown>;
    vm.advance(LIMIT / 2);
    if (vm.running) vm.kill();
    vm.run();
    const killed = start(program, 0);
    killed.advance(4);
    killed.kill();
    const after = [fingerprint(vm), fingerprint(killed)] as Record<string, unknown>[];
    killed.run();
    after.push(fingerprint(killed) as Record<string, unknown>);
    // Some members have another value for one insn only.
    for (const seed of [0, 1, 2]) {
      const slow = start(program, seed);
      for (let steps = 1; steps < SLOWLY && slow.running; steps++) {
        slow.advance(steps);
        after.push(fingerprint(slow) as Record<string, unknown>);
      }
    }
    for (const name of Object.keys(before)) {
      members.add(name);
      if (after.some((one) => JSON.stringify(one[name], text) !== JSON.stringify(before[name], text)))
        changed.add(name);
    }
  }
  expect([...members].filter((name) => !changed.has(name))).toEqual([]);
});

const text = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);
