/**
 * A fork and its parent share what neither has changed since. Whatever one of them does afterwards, the other must not see it: for every
 * kind of state that a run has (support/vm/state-cases.ts), all along a run, in both directions.
 */
import { describe, expect, test } from 'vitest';
import type { Program } from '../../src/object/program.js';
import { verify } from '../../src/verifier/verify.js';
import { seededChooser } from '../../src/vm/chooser.js';
import { Vm } from '../../src/vm/vm.js';
import { fingerprint } from '../support/vm/runs.js';
import { SAMPLES } from '../support/vm/sample-cases.js';
import { BROKEN, STATE_CASES } from '../support/vm/state-cases.js';

const LIMIT = 400;
const options = (seed: number) => ({
  maxSteps: LIMIT,
  bound: LIMIT,
  env: { choices: new Map(), cpu: { current: 0, count: 2 } },
  // Seed 0: everything goes well, so that each program runs through.
  ...(seed === 0 ? {} : { chooser: seededChooser(seed) }),
});

const PROGRAMS: readonly (readonly [string, Program])[] = [
  ...STATE_CASES,
  ['a broken check', BROKEN],
  ...[...SAMPLES].map(([name, { program }]) => [name, program] as const),
];

describe('what one side does, the other does not see', () => {
  test.each(PROGRAMS)('%s', (_name, program) => {
    expect(verify(program).ok).toBe(program !== BROKEN);
    for (const [seed, every] of [
      [0, 2],
      [3, 5],
    ] as const) {
      const run = new Vm(program, options(seed));
      const end = new Vm(program, options(seed));
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
const CONSTANT: ReadonlySet<string> = new Set(['ctx', 'functions', 'cpu']);

test('every member of a run changes in some of these programs', () => {
  const changed = new Set<string>(CONSTANT);
  const members = new Set<string>();
  for (const [, program] of PROGRAMS) {
    const vm = new Vm(program, options(0));
    const before = fingerprint(vm) as Record<string, unknown>;
    vm.advance(LIMIT / 2);
    if (vm.running) vm.kill();
    vm.run();
    const killed = new Vm(program, options(0));
    killed.advance(4);
    killed.kill();
    const after = [fingerprint(vm), fingerprint(killed)] as Record<string, unknown>[];
    for (const name of Object.keys(before)) {
      members.add(name);
      if (after.some((one) => JSON.stringify(one[name], text) !== JSON.stringify(before[name], text)))
        changed.add(name);
    }
  }
  expect([...members].filter((name) => !changed.has(name))).toEqual([]);
});

const text = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);
