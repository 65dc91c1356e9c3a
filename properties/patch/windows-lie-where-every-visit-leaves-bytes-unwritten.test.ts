/**
 * What a stub leaves unwritten is hidden in windows of two slots. They lie where the call would have written in every visit of it, on stack that was never written
 * before and is not read otherwise, one behind the other from the lowest place on. For each pair of visits, with buffers of several places and sizes.
 */
import { expect, it } from 'vitest';
import { unwrittenWindows } from '../../src/patch/two-mode/unwritten.js';
import { constant, unknown } from '../../src/verifier/scalar/scalar.js';
import { pointerReg, scalarReg, UNINIT } from '../../src/verifier/state/regs.js';
import { BYTE, type Frame, type Reg, type Slot, type State } from '../../src/verifier/state/state.js';

/** A visit of a call of (buffer, size): where the buffer is, how long, and the offset of a byte that was written before. */
interface Seen {
  readonly at: Reg;
  readonly place: number | undefined;
  readonly size: number;
  readonly written?: number;
}

function stateOf({ at, size, written }: Seen): State {
  const stack: (Slot | undefined)[] = [];
  if (written !== undefined) {
    const bytes = Array.from({ length: 8 }, (_, i) => (i === (written & 7) ? BYTE.misc : BYTE.invalid));
    stack[Math.floor((-written - 1) / 8)] = { bytes };
  }
  const regs = Array.from({ length: 11 }, (_, n) =>
    n === 1 ? at : n === 2 ? scalarReg(constant(BigInt(size))) : UNINIT,
  );
  const frame = (of: readonly Reg[], with_: typeof stack): Frame => ({
    regs: [...of],
    stack: with_,
    subprog: 0,
    callsite: -1,
    callbackDepth: 0,
  });
  return { frames: [frame([], []), frame(regs, stack)], refs: [], rcu: 0, preempt: 0, irq: 0, mayGoto: 0 };
}

const windows = (
  visits: readonly Seen[],
  live: bigint,
  writes: readonly number[] = [],
  access = 'write',
): readonly number[] =>
  unwrittenWindows(
    {
      contract: { args: [{ kind: 'mem', access, size: { arg: 1 } }, { kind: 'size' }] },
      stub: { r0: 0n, writes, slots: [] },
      visits: visits.map((one) => ({ state: stateOf(one) })),
    } as unknown as Parameters<typeof unwrittenWindows>[0],
    live,
  );

/** The same, said with intervals. */
function expected(visits: readonly Seen[], isLive: (slot: number) => boolean): readonly number[] {
  const [first] = visits;
  const { place, size } = first!;
  if (place === undefined || visits.some((one) => one.place !== place || one.size !== size)) return [];
  const left = (byte: number): boolean =>
    byte >= place && byte < place + size && byte < 0 && visits.every((one) => one.written !== byte);
  const eight = (slot: number): readonly number[] => [0, 1, 2, 3, 4, 5, 6, 7].map((i) => slot + i);
  const isFree = (slot: number): boolean => !isLive(slot) || eight(slot).every(left);
  const found: number[] = [];
  for (let at = -512; at <= -16; at += 8) {
    const some = [...eight(at), ...eight(at + 8)].some(left);
    if (some && isFree(at) && isFree(at + 8) && (found.at(-1) ?? -1_000) + 16 <= at) found.push(at);
  }
  return found;
}

const on = (place: number, size: number, written?: number): Seen => ({
  at: pointerReg('stack', { frame: 1, off: place }),
  place,
  size,
  ...(written === undefined ? {} : { written }),
});
const VISITS: readonly Seen[] = [
  ...[-512, -40, -32, -20, -16].flatMap((place) => [8, 16, 20, 32].map((size) => on(place, size))),
  on(-32, 32, -17),
  on(-32, 32, -32),
  on(-32, 32, -1),
  // Not in this frame, or not in one place.
  { ...on(-32, 32), at: pointerReg('stack', { frame: 0, off: -32 }), place: undefined },
  { ...on(-32, 32), at: pointerReg('stack', { frame: 1, off: -32, num: unknown }), place: undefined },
  { ...on(-32, 32), at: pointerReg('map_value', { map: 0 }), place: undefined },
];
const ALL = (1n << 64n) - 1n;
/** Which slots may be read behind the call: all, none, every other one. */
const LIVE = [ALL, 0n, 0x5555_5555_5555_5555n];

it('windows lie where every visit leaves bytes unwritten', () => {
  let some = 0;
  for (const live of LIVE) {
    const isLive = (slot: number): boolean => ((live >> BigInt(-slot / 8 - 1)) & 1n) === 1n;
    for (const one of VISITS)
      for (const other of VISITS) {
        const wanted = expected([one, other], isLive);
        expect([one.place, one.size, other.place, other.size, windows([one, other], live)]).toEqual([
          one.place,
          one.size,
          other.place,
          other.size,
          wanted,
        ]);
        if (wanted.length > 0) some++;
      }
  }
  expect(some).toBeGreaterThan(30);
});

it('none where the stub writes, or the call only reads', () => {
  expect(windows([on(-32, 32)], ALL)).toEqual([-32, -16]);
  expect(windows([on(-32, 32)], ALL, [0])).toEqual([]);
  expect(windows([on(-32, 32)], ALL, [], 'read')).toEqual([]);
});
