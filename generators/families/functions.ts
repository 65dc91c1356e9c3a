/** Subprograms: static ones, which are verified where they are called, and global ones, which are verified alone. */
import fc from 'fast-check';
import { callSub, exit, ja, jmp, mov, r0, r1, r2, r3, unwindGoto } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import { contractOf } from '../../src/kernel/catalog.js';
import {
  oneIn,
  pickArbitrary,
  picksArbitrary,
  spillArbitrary,
  type Test,
  testArbitrary,
} from '../choices.js';
import { pickFrom, withCalled } from '../compile/call.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided } from '../compile/frame.js';
import { resultOf } from '../compile/names.js';
import { closing } from '../compile/release.js';
import type { Thing } from '../compile/scope.js';
import { emitScalar } from '../compile/touch.js';
import type { Param } from '../compile/unit.js';
import { type Fragment, fragment } from '../fragment.js';
import { type Body, emitTest } from './values.js';

/** The free choices in a call of a new subprogram. `twice`: it is called a second time; `value`: a number for what it returns. */
export interface SubprogramChoices {
  readonly global: boolean;
  readonly twice: boolean;
  readonly which: number;
  readonly value: number;
  readonly spill: boolean;
}

/** A landing pad of a call: the test behind which the subprogram leaves by unwind_exit, and what is written in the pad. */
export interface Pad {
  readonly test: Test;
  readonly write: () => void;
}

/**
 * Writes a subprogram with `inner` as its body, and its call; what it returns is a scalar for `after`. With a pad, the subprogram may leave by
 * unwind_exit, and its caller then gives back what it holds and leaves too.
 */
export function emitSubprogram(
  c: Compiler,
  choices: SubprogramChoices,
  inner: () => void,
  after: () => void,
  pad?: Pad,
): void {
  const { global, twice, which, value, spill } = choices;
  // A global function may not be called under a lock, and is verified as if it could be called from anywhere.
  if (global && c.context.locks.length > 0) throw new Elided('a lock is held');
  const things = global ? [] : c.things.filter((thing) => thing.kind !== 'dynptr');
  const thing = things[things.length - 1 - (which % Math.max(1, things.length))];
  const params: Param[] = [];
  if (!global && c.hasCtx) params.push({ reg: r1, as: 'ctx', spill });
  if (thing !== undefined) params.push({ reg: r2, as: (home): Thing => ({ ...thing, home }) as Thing });
  params.push({ reg: global ? r1 : r3, as: 'scalar', spill });
  const { label: target, reads } = c.func(global ? 'global' : 'static', params, [0, 7], () => {
    inner();
    if (pad !== undefined) {
      const on = c.fresh();
      emitTest(c, pad.test, on);
      c.closeAll();
      c.emit(mov(r0, value), { kind: 'unwind_exit' }, label(on));
    }
    const scalar = c.scalar(which);
    if (scalar === undefined || value % 2 === 0) c.result(value);
    else {
      c.load(r0, scalar.home);
      c.emit(exit());
    }
  });
  const landing = c.fresh();
  for (let calls = twice ? 2 : 1; calls > 0; calls--) {
    params.forEach(({ reg, as }, i) => {
      if (reads[i] !== true) return;
      if (as === 'ctx') c.loadCtx(reg);
      else if (as === 'scalar') emitScalar(c, reg, which + calls);
      else if (thing !== undefined) c.load(reg, thing.home);
    });
    c.emit(callSub(target), ...(pad === undefined ? [] : [unwindGoto(landing)]));
  }
  c.keep(spill, (home) => c.withScalar(home, after));
  if (pad === undefined) return;
  const on = c.fresh();
  c.emit(ja(on), label(landing));
  pad.write();
  c.leave(value);
  c.emit(label(on));
}

/**
 * Calls of a new subprogram, every third of them global, and sometimes called twice. `body` makes what runs inside and what follows
 * the call.
 */
export function subprogramArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      global: oneIn(3),
      twice: oneIn(4),
      which: pickArbitrary,
      value: fc.nat({ max: 7 }),
      spill: spillArbitrary,
      inner: body,
      after: body,
    })
    .map(({ inner, after, ...choices }) =>
      fragment(choices.global ? 'global function' : 'subprogram', [...inner, ...after], (c) =>
        emitSubprogram(
          c,
          choices,
          () => c.body(inner),
          () => c.body(after),
        ),
      ),
    );
}

/** Calls of a new subprogram that have a landing pad, every third of them global. For kernels with landing pads only. */
export function paddedCallArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      global: oneIn(3),
      twice: oneIn(4),
      which: pickArbitrary,
      value: fc.nat({ max: 7 }),
      spill: spillArbitrary,
      test: testArbitrary,
      inner: body,
      pad: body,
      after: body,
    })
    .map(({ inner, pad, after, test, ...choices }) =>
      fragment('call with a landing pad', [...inner, ...pad, ...after], (c) =>
        emitSubprogram(
          c,
          choices,
          () => c.body(inner),
          () => c.body(after),
          { test, write: () => c.body(pad) },
        ),
      ),
    );
}

/** Three global functions, each called by the one before; each is verified on its own. */
export function nestedGlobalsArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      which: pickArbitrary,
      value: fc.nat({ max: 7 }),
      spill: spillArbitrary,
      inner: body,
      after: body,
    })
    .map(({ inner, after, ...choices }) =>
      fragment('nested global functions', [...inner, ...after], (c) => {
        const within = (left: number, then: () => void): void =>
          emitSubprogram(
            c,
            { ...choices, global: true, twice: false },
            () => (left === 0 ? c.body(inner) : within(left - 1, () => {})),
            then,
          );
        within(2, () => c.body(after));
      }),
    );
}

/** Functions whose only needs are constants, memory and the context, and that acquire a reference. */
export const ACQUIRED_BY_SUBPROGRAM = [
  'bpf_task_from_pid',
  'bpf_cgroup_from_id',
  'bpf_sk_lookup_tcp',
  'bpf_sk_lookup_udp',
  'bpf_cpumask_create',
] as const;

/** A static subprogram acquires a reference and returns it; the caller checks it for NULL, uses it, gives it back. */
export function acquiringSubprogramArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      name: fc.constantFrom(...ACQUIRED_BY_SUBPROGRAM),
      picks: picksArbitrary,
      spill: spillArbitrary,
      inSubprogram: fc.boolean(),
      body,
    })
    .map(({ name, picks, spill, inSubprogram, body }) =>
      fragment(`subprogram returns what ${name} acquires`, body, (c) => {
        const contract = contractOf(name);
        const pointer = contract === undefined ? undefined : resultOf(contract).pointer;
        if (contract === undefined || pointer?.acquires === undefined)
          throw new Elided(`${name} acquires nothing`);
        c.usable(name);
        const { acquires, to } = pointer;
        const params: Param[] = c.hasCtx ? [{ reg: r1, as: 'ctx' }] : [];
        const { label: target, reads } = c.func('static', params, [0, 0], () => {
          withCalled(c, name, pickFrom(picks), () => c.emit(exit()));
        });
        if (reads[0] === true) c.loadCtx(r1);
        c.emit(callSub(target));
        const out = c.fresh();
        c.emit(jmp('eq', r0, 0, out));
        c.keep(spill, (home) => {
          const thing: Thing | undefined =
            to.kind === 'sock'
              ? { kind: 'sock', home, type: to.type }
              : to.kind === 'btf'
                ? { kind: 'btf', struct: to.struct, home, trust: 'trusted', owned: true }
                : undefined;
          c.holding(closing(c, acquires, home, 0, inSubprogram), () => {
            if (thing === undefined) c.body(body);
            else c.withThing(thing, () => c.body(body));
          });
        });
        c.emit(label(out));
      }),
    );
}
