/** A set of places of a state (registers and stack slots of frames, as bits) against a set of numbers, over random sequences of operations. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PlaceSet, regPlace, slotPlace } from '../../../src/verifier/state/places.js';
import { seeded } from '../../support/seed.js';

const DEPTHS = 16;
const REGS = 10;
const SLOTS = 64;

const everything: readonly number[] = Array.from({ length: DEPTHS }, (_, depth) => [
  ...Array.from({ length: REGS }, (_, n) => regPlace(depth, n)),
  ...Array.from({ length: SLOTS }, (_, n) => slotPlace(depth, n)),
]).flat();

type Model = Set<number>;
type Step = (set: PlaceSet, model: Model) => void;

const depth = fc.nat(DEPTHS - 1);
const reg = fc.nat(REGS - 1);
const slot = fc.oneof(fc.constantFrom(0, 31, 32, 63), fc.nat(SLOTS - 1));
const bits = fc.nat((1 << REGS) - 1);
const inBits = (mask: number): number[] =>
  Array.from({ length: REGS }, (_, n) => n).filter((n) => (mask >> n) & 1);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(depth, reg).map(
    ([d, n]): Step =>
      (set, model) => {
        set.addReg(d, n);
        model.add(regPlace(d, n));
      },
  ),
  fc.tuple(depth, bits).map(
    ([d, mask]): Step =>
      (set, model) => {
        set.addRegs(d, mask);
        for (const n of inBits(mask)) model.add(regPlace(d, n));
      },
  ),
  fc.tuple(depth, reg).map(
    ([d, n]): Step =>
      (set, model) => {
        set.dropReg(d, n);
        model.delete(regPlace(d, n));
      },
  ),
  fc.tuple(depth, bits).map(
    ([d, mask]): Step =>
      (set, model) => {
        set.dropRegs(d, mask);
        for (const n of inBits(mask)) model.delete(regPlace(d, n));
      },
  ),
  fc.tuple(depth, slot).map(
    ([d, i]): Step =>
      (set, model) => {
        set.addSlot(d, i);
        model.add(slotPlace(d, i));
      },
  ),
  fc.tuple(depth, slot).map(
    ([d, i]): Step =>
      (set, model) => {
        set.dropSlot(d, i);
        model.delete(slotPlace(d, i));
      },
  ),
  depth.map(
    (d): Step =>
      (set, model) => {
        set.dropFrame(d);
        for (const place of model) if (place >> 7 === d) model.delete(place);
      },
  ),
  fc.constant<Step>((set, model) => {
    set.clear();
    model.clear();
  }),
  fc.constant<Step>((set, model) => {
    set.addEverything();
    for (const place of everything) model.add(place);
  }),
  fc.array(fc.tuple(depth, reg, slot), { maxLength: 4 }).map(
    (places): Step =>
      (set, model) => {
        const other = new PlaceSet();
        for (const [d, n, i] of places) {
          other.addReg(d, n);
          other.addSlot(d, i);
          model.add(regPlace(d, n)).add(slotPlace(d, i));
        }
        set.addAll(other);
      },
  ),
);

test('places of registers and slots are all different', () => {
  expect(new Set(everything).size).toBe(DEPTHS * (REGS + SLOTS));
});

test('a set of places has what was added and not dropped', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const set = new PlaceSet();
      const model: Model = new Set();
      for (const one of steps) {
        one(set, model);
        expect(set.empty).toBe(model.size === 0);
      }
      for (let d = 0; d < DEPTHS; d++) {
        const has = (place: number): boolean => model.has(place);
        const words = [set.regs(d), set.low(d), set.high(d)];
        const expected = [0, 0, 0];
        for (let n = 0; n < REGS; n++) {
          expect(set.hasReg(d, n)).toBe(has(regPlace(d, n)));
          if (has(regPlace(d, n))) expected[0]! |= 1 << n;
        }
        for (let i = 0; i < SLOTS; i++) {
          expect(set.hasSlot(d, i)).toBe(has(slotPlace(d, i)));
          if (has(slotPlace(d, i))) expected[i < 32 ? 1 : 2]! |= 1 << (i & 31);
        }
        expect(words).toEqual(expected);
      }
    }),
    seeded(150),
  );
});
