/** Scalars: made by arithmetic, read from the context, tested by branches; and plain accesses to what is in scope. */

import fc from 'fast-check';
import {
  add,
  alu,
  end,
  ja,
  jmp,
  ldImm64,
  ldx,
  mov,
  movsx,
  neg,
  type Reg,
  r0,
  r1,
  r2,
  stx,
  w0,
  w1,
  xor,
} from '../../src/isa/build.js';
import type { BinaryOp, Size, Width } from '../../src/isa/insn.js';
import { label } from '../../src/isa/label.js';
import { progType } from '../../src/kernel/progtypes.js';
import type { ProgType } from '../../src/object/program.js';
import { binaryArbitrary, widthArbitrary } from '../arithmetic.js';
import { pickArbitrary, spillArbitrary, type Test, testArbitrary, touchesArbitrary } from '../choices.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided } from '../compile/frame.js';
import { emitScalar, emitTouch, type Touch } from '../compile/touch.js';
import { type Fragment, fragment } from '../fragment.js';

/** Draws the fragments that are nested in another one. */
export type Body = fc.Arbitrary<Fragment[]>;

type Step =
  | {
      readonly kind: 'alu';
      readonly op: BinaryOp;
      readonly width: Width;
      readonly value: number;
      readonly reg: boolean;
    }
  | { readonly kind: 'neg'; readonly width: Width }
  | { readonly kind: 'movsx'; readonly bits: 8 | 16 | 32; readonly width: Width }
  /** The lower half alone: of the value itself, or of a constant that it is added to. */
  | { readonly kind: 'half'; readonly value: number | undefined }
  /** A constant of 64 bits. */
  | { readonly kind: 'wide'; readonly low: number; readonly high: number }
  | { readonly kind: 'end'; readonly op: 'le' | 'be' | 'bswap'; readonly bits: 16 | 32 | 64 };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('alu' as const),
      op: binaryArbitrary,
      width: widthArbitrary,
      value: fc.oneof(fc.nat({ max: 64 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      reg: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('neg' as const), width: widthArbitrary }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('movsx' as const),
      bits: fc.constantFrom(8 as const, 16 as const, 32 as const),
      width: widthArbitrary,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('half' as const),
      value: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('wide' as const),
      low: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      high: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      op: fc.constantFrom('le' as const, 'be' as const, 'bswap' as const),
      bits: fc.constantFrom(16 as const, 32 as const, 64 as const),
    }),
  },
);

/** A new scalar, computed from one in scope (or a constant), in scope for the body. */
export function computeArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      from: pickArbitrary,
      steps: fc.array(stepArbitrary, { minLength: 1, maxLength: 4 }),
      spill: spillArbitrary,
      body,
    })
    .map(({ from, steps, spill, body }) =>
      fragment('compute', body, (c) => {
        emitScalar(c, r0, from);
        for (const step of steps) emitStep(c, step);
        c.keep(spill, (home) => c.withScalar(home, () => c.body(body)));
      }),
    );
}

function emitStep(c: Compiler, step: Step): void {
  switch (step.kind) {
    case 'neg':
      c.emit(neg(step.width === 64 ? r0 : w0));
      return;
    case 'movsx':
      c.emit(step.width === 32 && step.bits !== 32 ? movsx(step.bits, w0, w0) : movsx(step.bits, r0, r0));
      return;
    case 'half':
      if (step.value === undefined) c.emit(mov(w0, w0));
      else c.emit(mov(w1, step.value), add(r0, r1));
      return;
    case 'wide':
      c.emit(ldImm64(r1, (BigInt(step.high) << 32n) | BigInt(step.low >>> 0)), xor(r0, r1));
      return;
    case 'end':
      c.emit(end(step.op, step.bits, r0));
      return;
    case 'alu': {
      const { op, width } = step;
      const shift = op === 'lsh' || op === 'rsh' || op === 'arsh';
      const divides = op === 'div' || op === 'mod' || op === 'sdiv' || op === 'smod';
      // The verifier refuses a division by a constant 0, and a shift by more than the width.
      const imm = shift ? Math.abs(step.value) % width : divides && step.value === 0 ? 1 : step.value;
      const dst = { reg: 0, width };
      if (!step.reg) c.emit(alu(op, dst, imm));
      else {
        emitScalar(c, r1, Math.abs(step.value) % 64);
        c.emit(alu(op, dst, { reg: 1, width }));
      }
    }
  }
}

/**
 * Goes to `target` when the test holds: of a scalar in scope, or of a random number if there is none. With `Compiler.freshTests` it is a random
 * number always, and both ways are open to the verifier. Throws Elided where no random number is to be had for that.
 */
export function emitTest(c: Compiler, test: Test, target: string): void {
  const scalar = c.freshTests ? undefined : c.scalar(test.which);
  let { against } = test;
  if (scalar !== undefined) c.load(r0, scalar.home);
  else if (c.freshTests || test.which % 2 === 0) {
    c.call('bpf_get_prandom_u32');
    // At the ends of the ranges a comparison holds always or never.
    if (EXTREMES.has(against)) against = 1;
  } else c.emit(mov(r0, test.which));
  if (test.inRegister) {
    c.emit(mov(r1, against), jmp(test.op, test.width === 64 ? r0 : w0, test.width === 64 ? r1 : w1, target));
  } else c.emit(jmp(test.op, test.width === 64 ? r0 : w0, against, target));
}

const EXTREMES = new Set([0, -1, -(2 ** 31), 2 ** 31 - 1]);

/** Two ways, joined again. */
export function branchArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc.record({ test: testArbitrary, yes: body, no: body }).map(({ test, yes, no }) =>
    fragment('branch', [...yes, ...no], (c) => {
      const taken = c.fresh();
      emitTest(c, test, taken);
      c.body(no);
      if (yes.length === 0) {
        c.emit(label(taken));
        return;
      }
      const joined = c.fresh();
      c.emit(ja(joined), label(taken));
      c.body(yes);
      c.emit(label(joined));
    }),
  );
}

/** Accesses to a region in scope. */
export function touchingArbitrary(): fc.Arbitrary<Fragment> {
  return fc.record({ which: pickArbitrary, touches: touchesArbitrary }).map(({ which, touches }) =>
    fragment('touch', [], (c) => {
      const regions = c.things.flatMap((thing) => (thing.kind === 'region' ? [thing] : []));
      const region = regions[regions.length - 1 - (which % regions.length)];
      if (region === undefined) throw new Elided('no region in scope');
      emitTouches(
        c,
        (reg) => c.load(reg, region.home),
        { ...region, full: region.of === 'map_value' },
        touches,
      );
    }),
  );
}

/** Writes several loads and stores of one region, in order. `load` puts the pointer to the region into a register each time. */
export function emitTouches(
  c: Compiler,
  load: (reg: Reg<64>) => void,
  region: Parameters<typeof emitTouch>[2],
  touches: readonly Touch[],
): void {
  for (const touch of touches) emitTouch(c, load, region, touch);
}

interface ContextField {
  readonly offset: number;
  readonly size: Size;
  readonly writable?: true;
}

const words = (offsets: readonly number[], more: { writable?: true } = {}): ContextField[] =>
  offsets.map((offset) => ({ offset, size: 4, ...more }));

/** Scalar fields of struct xdp_md and struct __sk_buff (include/uapi/linux/bpf.h), and plain bytes of the others. */
const CONTEXT_FIELDS: Readonly<Partial<Record<ProgType, readonly ContextField[]>>> = {
  xdp: words([12, 16]),
  tc: [
    ...words([0, 4, 16, 20, 24, 36, 40, 68]),
    ...words([8, 32, 44, 48, 52, 56, 60, 64], { writable: true }),
  ],
  socket_filter: [
    ...words([0, 4, 8, 16, 20, 24, 32, 36, 40]),
    ...words([48, 52, 56, 60, 64], { writable: true }),
  ],
  tracepoint: [
    ...words([8, 12, 16, 20]),
    { offset: 16, size: 8 },
    { offset: 24, size: 8 },
    { offset: 32, size: 2 },
    { offset: 34, size: 1 },
  ],
  syscall: [
    { offset: 0, size: 8, writable: true },
    { offset: 8, size: 4, writable: true },
    { offset: 12, size: 2, writable: true },
    { offset: 14, size: 1, writable: true },
    { offset: 16, size: 8, writable: true },
  ],
};

/** Numbers of the context that programs of a type read and write: the fields above, or what the table of contexts says of a type that has no list of its own. */
export function contextFields(type: ProgType): readonly ContextField[] {
  const known = CONTEXT_FIELDS[type];
  if (known !== undefined) return known;
  const { bytes, members } = progType(type);
  if (bytes !== undefined) {
    const open = bytes.writable ? ({ writable: true } as const) : {};
    const from = 8 * Math.ceil(bytes.from / 8);
    return ([8, 4, 2, 1] as const).map((size, i) => ({ offset: from + 8 * i, size, ...open }));
  }
  return members.flatMap((m): ContextField[] => {
    const size = ([8, 4] as const).find((n) => m.reads.includes(n));
    if (size === undefined || m.value !== 'scalar' || m.readBy !== undefined) return [];
    return [{ offset: m.offset, size, ...(m.writes.includes(size) && !m.writeBy ? { writable: true } : {}) }];
  });
}

/** Reads a field of the context into a scalar for the body, or writes one. */
export function contextArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({ which: pickArbitrary, write: fc.boolean(), value: pickArbitrary, spill: spillArbitrary, body })
    .map(({ which, write, value, spill, body }) =>
      fragment('context', body, (c) => {
        const all = contextFields(c.type);
        if (all.length === 0) throw new Elided('the context has no numbers');
        const writable = all.filter((field) => field.writable);
        const fields = write && writable.length > 0 ? writable : all;
        const { offset, size } = fields[which % fields.length]!;
        c.loadCtx(r1);
        if (write && writable.length > 0) {
          emitScalar(c, r2, value);
          c.emit(stx(size, r1, offset, r2));
          c.body(body);
          return;
        }
        c.emit(ldx(size, r0, r1, offset));
        c.keep(spill, (home) => c.withScalar(home, () => c.body(body)));
      }),
    );
}
