/** Ways through and out of a program: loops with a count, loops with a budget, early exits, tail calls, exceptions. */
import fc from 'fast-check';
import { and, exit, ja, jmp, mayGoto, mov, r0, r1, r2, r3, registers, sub } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import { spillArbitrary, type Test, testArbitrary } from '../choices.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided } from '../compile/frame.js';
import { JUMPS } from '../compile/maps.js';
import { returns } from '../compile/program.js';
import { emitScalar } from '../compile/touch.js';
import { type Fragment, fragment } from '../fragment.js';
import { type Body, emitTest } from './values.js';

/** The verifier walks every round of a counted loop, so nested counts multiply; beyond this no further loop is opened. */
const MOST_ROUNDS = 12;

/** A loop that counts down from a constant. */
export function countedLoopArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({ rounds: fc.integer({ min: 1, max: 5 }), spill: spillArbitrary, body })
    .map(({ rounds, spill, body }) =>
      fragment(`loop of ${rounds}`, body, (c) => {
        const repeats = c.context.repeats * rounds;
        if (repeats > MOST_ROUNDS) throw new Elided('too many rounds');
        c.withHome(spill, (home) => {
          c.emit(mov(r0, rounds));
          c.store(home, r0);
          const again = c.fresh();
          c.emit(label(again));
          c.within({ repeats, loops: c.context.loops + 1 }, () => c.body(body));
          if ('reg' in home) {
            const counter = registers[home.reg]!;
            c.emit(sub(counter, 1), jmp('ne', counter, 0, again));
          } else {
            c.load(r0, home);
            c.emit(sub(r0, 1));
            c.store(home, r0);
            c.emit(jmp('ne', r0, 0, again));
          }
        });
      }),
    );
}

/** A loop that goes on while its budget lasts (may_goto), or until a test holds. */
export function budgetLoopArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc.record({ stop: fc.option(testArbitrary, { nil: undefined }), body }).map(({ stop, body }) =>
    fragment('may_goto loop', body, (c) => {
      const again = c.fresh();
      const out = c.fresh();
      c.emit(label(again), mayGoto(out));
      c.within({ loops: c.context.loops + 1 }, () => {
        c.body(body);
        if (stop !== undefined) emitTest(c, stop, out);
      });
      c.emit(ja(again), label(out));
    }),
  );
}

/** Gives back all that the function holds and leaves it, when a test holds. */
export function leaveArbitrary(): fc.Arbitrary<Fragment> {
  return fc
    .record({ test: testArbitrary, value: fc.nat({ max: 7 }), scalar: fc.boolean() })
    .map(({ test, value, scalar }) =>
      fragment('leave early', [], (c) => {
        const on = c.fresh();
        emitTest(c, test, on);
        if (scalar && c.kind === 'main') {
          c.closeAll();
          emitScalar(c, r0, 2 * value);
          c.emit(and(r0, 1), exit());
        } else c.leave(value);
        c.emit(label(on));
      }),
    );
}

/** The test behind which the program ends early, and a number for what it returns. */
export interface EndChoices {
  readonly test: Test | undefined;
  readonly value: number;
}

/** A tail call: falls through when there is no program at the index. */
export function emitTailCall(c: Compiler, { test, value }: EndChoices): void {
  // The frames before one that makes tail calls may have 256 bytes together (check_max_stack_depth).
  const near = c.kind === 'main' || (c.kind === 'static' && c.depth === 2);
  if (!near || c.inCallback) throw new Elided('tail calls are made by the main program and what it calls');
  if (c.type === 'syscall') throw new Elided('a sleepable program cannot use a program array');
  c.usable('bpf_tail_call');
  const on = c.fresh();
  if (test !== undefined) emitTest(c, test, on);
  c.loadCtx(r1);
  c.loadMap(r2, JUMPS);
  c.emit(mov(r3, value % JUMPS.maxEntries));
  c.call('bpf_tail_call');
  c.emit(label(on));
}

/** An exception, when the test holds. `handler`: writes the exception callback, unless there is one already. */
export function emitThrow(c: Compiler, { test, value }: EndChoices, handler?: () => void): void {
  if (c.kind !== 'main' && c.kind !== 'static') throw new Elided('exceptions are not thrown here');
  if (c.inCallback) throw new Elided('callbacks may not throw');
  // Linux 6.18 stops with "verifier bug: scc exit: no visit info" where a loop is left by an exception.
  if (c.context.loops > 0) throw new Elided('in a loop');
  c.usable('bpf_throw');
  if (handler !== undefined && c.units.every(({ kind }) => kind !== 'exception')) {
    c.func('exception', [{ reg: r1, as: 'scalar' }], returns(c.type), () => {
      handler();
      c.result(value);
    });
  }
  const on = c.fresh();
  if (test !== undefined) emitTest(c, test, on);
  c.emit(mov(r1, value % 2));
  c.call('bpf_throw');
  // The call does not return, so r0 still holds the number that was tested.
  c.emit(label(on), mov(r1, r0));
}

/** Early ends behind a test of a number: a tail call, or an exception, which may have a handler made from `body`. */
export function endArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc.oneof(
    fc.record({ test: testArbitrary, value: fc.nat({ max: 7 }) }).map((choices) =>
      fragment('tail call', [], (c) => {
        emitTailCall(c, choices);
      }),
    ),
    fc
      .record({
        test: testArbitrary,
        value: fc.nat({ max: 7 }),
        handler: fc.option(body, { nil: undefined }),
      })
      .map(({ handler, ...choices }) =>
        fragment('throw', handler ?? [], (c) => {
          emitThrow(c, choices, handler && (() => c.body(handler)));
        }),
      ),
  );
}
