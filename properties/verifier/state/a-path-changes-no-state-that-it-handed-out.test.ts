/**
 * One path of the walk against a plain model that copies everything at each step, over random sequences of operations: registers, slots, frames,
 * references, snapshots taken and gone back to. The path is what the model is, and no state that was handed out ever changes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Program } from '../../../src/object/program.js';
import { constant, unknown } from '../../../src/verifier/scalar/scalar.js';
import { Path } from '../../../src/verifier/state/path.js';
import { nullReg, pointerReg, scalarReg, UNINIT, unknownReg } from '../../../src/verifier/state/regs.js';
import {
  BYTE,
  type CallbackFrame,
  type Frame,
  type Ref,
  type Reg,
  type Slot,
  type State,
} from '../../../src/verifier/state/state.js';
import { programOf } from '../../support/kernel/programs.js';
import { seeded } from '../../support/seed.js';

const MAX_FRAMES = 8;
const program: Program = programOf('xdp', []);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Model = Mutable<Omit<State, 'frames' | 'refs'>> & { frames: Mutable<Frame>[]; refs: Ref[] };

const regs: readonly Reg[] = [
  nullReg,
  unknownReg,
  scalarReg(constant(7n)),
  { ...scalarReg(unknown), id: 3 },
  pointerReg('stack', { frame: 0, off: -8 }),
  pointerReg('sock', { ref: 5, id: 5 }),
  pointerReg('record', { ref: 6, nullable: true, id: 6 }),
  UNINIT,
];
const slots: readonly (Slot | undefined)[] = [
  undefined,
  { bytes: Array.from({ length: 8 }, () => BYTE.misc) },
  ...regs.slice(0, 7).map((reg): Slot => ({ bytes: Array.from({ length: 8 }, () => BYTE.spill), reg })),
];
const refs: readonly Ref[] = [
  { id: 5, kind: 'pointer', at: 1 },
  { id: 6, kind: 'pointer', at: 2 },
  { id: 5, kind: 'spin_lock', at: 3, owner: 'map 0' },
  { id: 6, kind: 'irq', at: 4 },
  { id: 7, kind: 'res_spin_lock', at: 5, owner: 'map 1' },
];
const callbacks: readonly (CallbackFrame | undefined)[] = [
  undefined,
  { call: 4, returns: [0, 1], async: false },
];

const shared: {
  readonly [K in
    | 'rcu'
    | 'preempt'
    | 'irq'
    | 'mayGoto'
    | 'unrolled'
    | 'unwound'
    | 'speculative']: readonly unknown[];
} = {
  rcu: [true, false],
  preempt: [0, 1, 2],
  irq: [0, 5],
  mayGoto: [0, 1],
  unrolled: [0, 1, 2],
  unwound: [true, false],
  speculative: [true, false],
};

/** The model and every state that the path handed out, with what it said then. */
interface World {
  readonly path: Path;
  model: Model;
  readonly handedOut: { readonly state: State; readonly copy: Model }[];
}

/** Registers are immutable values, so that they need no copying; everything around them is copied. */
function copied(state: State | Model): Model {
  const { frames, refs: held, ...rest } = state;
  return {
    ...rest,
    refs: held.map((ref) => ({ ...ref })),
    frames: frames.map((frame) => ({
      ...frame,
      regs: [...frame.regs],
      stack: frame.stack.map((slot) => slot && { ...slot, bytes: [...slot.bytes] }),
    })),
  };
}

/** Sparse and missing entries of a stack are the same. */
const plain = (state: State | Model): Model => {
  const copy = copied(state);
  for (const frame of copy.frames) {
    frame.stack = Array.from(frame.stack, (slot) => slot);
    while (frame.stack.length > 0 && frame.stack.at(-1) === undefined) frame.stack.pop();
  }
  return copy;
};

type Step = (world: World) => void;
const pick = <T>(list: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...list);
const number = fc.nat(9);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(number, pick(regs)).map(
    ([n, reg]): Step =>
      ({ path, model }) => {
        path.setReg(n, reg);
        model.frames.at(-1)!.regs[n] = reg;
      },
  ),
  fc.tuple(number, number, pick(regs)).map(
    ([d, n, reg]): Step =>
      ({ path, model }) => {
        const depth = d % model.frames.length;
        path.setRegAt(depth, n, reg);
        model.frames[depth]!.regs[n] = reg;
      },
  ),
  fc.tuple(number, number, pick(slots)).map(
    ([d, i, slot]): Step =>
      ({ path, model }) => {
        const depth = d % model.frames.length;
        path.setSlot(depth, i, slot);
        model.frames[depth]!.stack[i] = slot;
      },
  ),
  fc.tuple(fc.array(pick(regs), { maxLength: 5 }), pick(callbacks), number).map(
    ([args, callback, at]): Step =>
      ({ path, model }) => {
        const depth = model.frames.length;
        if (depth === MAX_FRAMES) {
          expect(() => path.pushFrame(at, at + 1, args, callback)).toThrow(/too deep/);
          return;
        }
        path.pushFrame(at, at + 1, args, callback);
        const made = Array.from({ length: 11 }, (_, n) =>
          n >= 1 && n <= 5 ? (args[n - 1] ?? UNINIT) : UNINIT,
        );
        made[10] = pointerReg('stack', { frame: depth });
        const frame = { regs: made, stack: [], subprog: at, callsite: at + 1, callbackDepth: 0 };
        model.frames.push(callback === undefined ? frame : { ...frame, callback });
      },
  ),
  fc.constant<Step>(({ path, model }) => {
    if (model.frames.length === 1) return;
    expect(plain({ ...model, frames: [path.popFrame()] })).toEqual(
      plain({ ...model, frames: [model.frames.pop()!] }),
    );
  }),
  fc.tuple(number, fc.nat(2)).map(
    ([d, count]): Step =>
      ({ path, model }) => {
        const depth = d % model.frames.length;
        path.setCallbackDepth(depth, count);
        model.frames[depth]!.callbackDepth = count;
      },
  ),
  // Every register and spilled register that is a scalar becomes another one; the frame pointer is left alone.
  pick(regs).map(
    (reg): Step =>
      ({ path, model }) => {
        const change = (before: Reg): Reg => (before.type === 'scalar' || before.ref === 6 ? reg : before);
        path.mapRegs(change);
        mapModel(model, change);
      },
  ),
  pick(refs).map(
    (ref): Step =>
      ({ path, model }) => {
        path.acquire(ref);
        model.refs = [...model.refs, ref];
      },
  ),
  pick(refs).map(
    (ref): Step =>
      ({ path, model }) => {
        path.dropRef(ref.id);
        model.refs = model.refs.filter((r) => r.id !== ref.id || r.kind.endsWith('lock'));
      },
  ),
  pick(refs).map(
    (ref): Step =>
      ({ path, model }) => {
        path.dropLock(ref);
        model.refs = model.refs.filter((r) => r.id !== ref.id || r.kind !== ref.kind);
      },
  ),
  pick(refs).map(
    (ref): Step =>
      ({ path, model }) => {
        path.releaseReference(ref.id);
        model.refs = model.refs.filter((r) => r.id !== ref.id || r.kind.endsWith('lock'));
        mapModel(model, (r) => (r.ref === ref.id ? (path.strict ? UNINIT : unknownReg) : r));
      },
  ),
  pick(Object.entries(shared)).chain(([key, values]) =>
    pick(values).map(
      (value): Step =>
        ({ path, model }) => {
          (path as unknown as Record<string, unknown>)[key] = value;
          if ((key === 'speculative' || key === 'unwound') && value === false) delete model[key];
          else (model as Record<string, unknown>)[key] = value;
        },
    ),
  ),
  fc.constant<Step>(({ path, model, handedOut }) => {
    handedOut.push({ state: path.snapshot(), copy: copied(model) });
  }),
  number.map(
    (n): Step =>
      (world) => {
        const back = world.handedOut[n % Math.max(1, world.handedOut.length)];
        if (back === undefined) return;
        world.path.restore(back.state);
        world.model = copied(back.copy);
      },
  ),
);

function mapModel(model: Model, change: (reg: Reg) => Reg): void {
  for (const frame of model.frames) {
    frame.regs = frame.regs.map((reg, n) => (n === 10 || reg.type === 'uninit' ? reg : change(reg)));
    frame.stack = frame.stack.map((slot) =>
      slot?.reg === undefined ? slot : { ...slot, reg: change(slot.reg) },
    );
  }
}

const START: State = {
  frames: [
    {
      regs: [...Array.from({ length: 10 }, () => UNINIT), pointerReg('stack')],
      stack: [],
      subprog: 0,
      callsite: -1,
      callbackDepth: 0,
    },
  ],
  refs: [],
  ...{ rcu: 0, preempt: 0, irq: 0, mayGoto: 0, unrolled: 0 },
};

describe.each(['privileged', 'strict'] as const)('a path, %s', (profile) => {
  it('is what a model that copies everything is', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), (steps) => {
        const path = new Path(program, profile, { next: 0 });
        path.restore(START);
        const world: World = { path, model: copied(START), handedOut: [] };
        for (const one of steps) {
          one(world);
          expect(plain(path.peek())).toEqual(plain(world.model));
          expect(path.depth).toBe(world.model.frames.length - 1);
          expect(path.lockHeld).toEqual(world.model.refs.findLast(({ kind }) => kind.endsWith('lock')));
          for (const { id } of refs)
            expect(path.findRef(id)).toEqual(
              world.model.refs.find((r) => r.id === id && !r.kind.endsWith('lock')),
            );
        }
        for (const { state, copy } of world.handedOut) expect(plain(state)).toEqual(plain(copy));
        expect(plain(START).frames[0]!.stack).toEqual([]);
      }),
      seeded(250),
    );
  });
});
