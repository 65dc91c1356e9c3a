/** Ways to break what a program does with functions and resources: releases, checks, locks, iterators, dynptrs, arguments. */
import type { Comparison, Op } from '../../src/isa/insn.js';
import type { Contract } from '../../src/kernel/contract.js';
import { outcomeAcquires, outcomeReleases } from '../../src/kernel/describe.js';
import {
  argumentsFrom,
  type Breaker,
  calls,
  changing,
  contractAt,
  drop,
  has,
  nth,
  variant,
} from './breaker.js';

const releases = (contract: Contract): boolean => contract.outcomes.some(outcomeReleases);
const acquires = (contract: Contract): boolean =>
  contract.outcomes.some((outcome) => outcome.guard === undefined && outcomeAcquires(outcome));

const dropCall =
  (test: (contract: Contract) => boolean): Breaker =>
  (draft, which) =>
    drop(draft, nth(calls(draft, test), which));

const doubleRelease: Breaker = (draft, which) => {
  const at = nth(calls(draft, releases), which);
  if (at === undefined) return undefined;
  const slot = draft.slotAt(at);
  const copy = draft.items.slice(argumentsFrom(draft, at), at + 1);
  draft.items.splice(at + 1, 0, ...copy.map((item) => ({ ...item })));
  return slot;
};

const checksForNull = (op: Op): boolean =>
  op.kind === 'jmp' && (op.op === 'eq' || op.op === 'ne') && 'imm' in op.src && op.src.imm === 0;

const removeNullCheck: Breaker = (draft, which) =>
  drop(
    draft,
    nth(
      draft.find((op, _slot, at) => checksForNull(op) && draft.opAt(at - 1)?.kind === 'call'),
      which,
    ),
  );

/** Makes a NULL check test another register. */
const checkOtherRegister = changing('jmp', checksForNull, (op, which, places) => ({
  ...op,
  dst: variant(
    [0, 6, 7, 8, 9].filter((n) => n !== op.dst),
    places,
    which,
  ),
}));

/** Puts a plain word over a dynptr, an iterator or saved interrupt flags right after they were made. */
const overwriteSlot: Breaker = (draft, which) => {
  const at = nth(
    calls(draft, (contract) => has(contract, 'init_dynptr', 'iter_new', 'irq_save')),
    which,
  );
  if (at === undefined) return undefined;
  for (let before = at - 1; before >= argumentsFrom(draft, at); before--) {
    const op = draft.opAt(before);
    if (op?.kind !== 'alu' || op.op !== 'add' || !('imm' in op.src) || op.src.imm >= 0) continue;
    draft.items.splice(at + 1, 0, { kind: 'st', size: 8, dst: 10, off: op.src.imm, imm: 0 });
    return draft.slotAt(at);
  }
  return undefined;
};

/** A release, with its arguments, before the call that comes before it. */
const moveRelease: Breaker = (draft, which) => {
  const at = nth(calls(draft, releases), which);
  if (at === undefined) return undefined;
  const from = argumentsFrom(draft, at);
  const before = draft.find((op, _slot, index) => op.kind === 'call' && index < from).at(-1);
  if (before === undefined) return undefined;
  const slot = draft.slotAt(at);
  const moved = draft.items.splice(from, at + 1 - from);
  draft.items.splice(argumentsFrom(draft, before), 0, ...moved);
  return slot;
};

/** Calls that pass, each replaced by another of them. */
const otherFunction =
  (test: (contract: Contract) => boolean): Breaker =>
  (draft, which) => {
    const places = calls(draft, test);
    const at = nth(places, which);
    const op = at === undefined ? undefined : draft.opAt(at);
    const others = places
      .map((index) => draft.opAt(index))
      .filter(
        (other) =>
          other?.kind === 'call' &&
          op?.kind === 'call' &&
          (other.imm !== op.imm || other.target !== op.target),
      );
    if (at === undefined || others.length === 0) return undefined;
    const slot = draft.slotAt(at);
    draft.replace(at, { ...variant(others, places.length, which)! });
    return slot;
  };

/** Always there: the program returns what its last call left, or nothing. */
const dropResult: Breaker = (draft, which) =>
  drop(
    draft,
    nth(
      draft.find((op, _slot, at) => op.kind === 'mov' && op.dst === 0 && draft.opAt(at + 1)?.kind === 'exit'),
      which,
    ),
  );

/** A callback or the program returns a number outside of the allowed range. */
const otherResult: Breaker = (draft, which) => {
  const places = draft.find((op) => op.kind === 'exit');
  const at = nth(places, which);
  if (at === undefined) return undefined;
  const slot = draft.slotAt(at);
  const imm = variant([2, -1, 1], places.length, which);
  draft.items.splice(at, 0, { kind: 'mov', width: 64, dst: 0, src: { imm } });
  return slot;
};

/** The program exits in the middle, while it may hold something. */
const exitEarly: Breaker = (draft, which) => {
  const places = draft.find((op) => op.kind === 'call');
  const at = nth(places, which);
  if (at === undefined) return undefined;
  const slot = draft.slotAt(at);
  const reg = variant([6, 7, 8, 9], places.length, which);
  draft.items.splice(
    at + 1,
    0,
    { kind: 'jmp', op: 'ne', width: 64, dst: reg, src: { imm: 77 }, off: 2 },
    { kind: 'mov', width: 64, dst: 0, src: { imm: 0 } },
    { kind: 'exit' },
  );
  return slot;
};

/** A call is skipped on one of two ways. */
const skipCall: Breaker = (draft, which) => {
  const places = draft.find((op) => op.kind === 'call');
  const at = nth(places, which);
  if (at === undefined) return undefined;
  const slot = draft.slotAt(at);
  const reg = variant([6, 7, 8, 9], places.length, which);
  const op: Comparison = variant(['eq', 'ne', 'sgt'] as const, places.length, which >> 2);
  draft.items.splice(at, 0, { kind: 'jmp', op, width: 64, dst: reg, src: { imm: 0 }, off: 1 });
  return slot;
};

/** Something else in an argument register right before a call. */
const clobberArgument: Breaker = (draft, which) => {
  const places = draft.find((op) => {
    const contract = contractAt(draft, op);
    return op.kind === 'call' && (contract === undefined || contract.args.length > 0);
  });
  const at = nth(places, which);
  if (at === undefined) return undefined;
  const slot = draft.slotAt(at);
  const args = contractAt(draft, draft.opAt(at))?.args.length ?? 2;
  const dst = 1 + ((which + Math.floor(which / places.length)) % Math.max(1, args));
  const values: readonly Op[] = [
    { kind: 'mov', width: 64, dst, src: { imm: 0 } },
    { kind: 'mov', width: 64, dst, src: { imm: 1 } },
    { kind: 'mov', width: 64, dst, src: { reg: 10 } },
    { kind: 'mov', width: 64, dst, src: { reg: 6 } },
    { kind: 'mov', width: 64, dst, src: { imm: -1 } },
    { kind: 'mov', width: 64, dst, src: { reg: 1 } },
    { kind: 'alu', op: 'add', width: 64, dst, src: { imm: 8 } },
    { kind: 'mov', width: 64, dst, src: { reg: 9 } },
    { kind: 'alu', op: 'add', width: 64, dst, src: { imm: -1 } },
    { kind: 'mov', width: 64, dst, src: { reg: 7 } },
    { kind: 'mov', width: 32, dst, src: { reg: dst } },
  ];
  draft.items.splice(at, 0, variant(values, places.length, which));
  return slot;
};

/** Swaps two arguments of a call. */
const swapArguments: Breaker = (draft, which) => {
  const places = draft.find((op) => (contractAt(draft, op)?.args.length ?? 0) > 1);
  const at = nth(places, which);
  if (at === undefined) return undefined;
  const slot = draft.slotAt(at);
  const first = 1 + (which % ((contractAt(draft, draft.opAt(at))?.args.length ?? 2) - 1));
  draft.items.splice(
    at,
    0,
    { kind: 'mov', width: 64, dst: 0, src: { reg: first } },
    { kind: 'mov', width: 64, dst: first, src: { reg: first + 1 } },
    { kind: 'mov', width: 64, dst: first + 1, src: { reg: 0 } },
  );
  return slot;
};

/** An argument is not set at all. */
const dropArgument: Breaker = (draft, which) =>
  drop(
    draft,
    nth(
      draft.find((op) => (op.kind === 'mov' || op.kind === 'ld_imm64') && op.dst >= 1 && op.dst <= 5),
      which,
    ),
  );

const otherMap = changing(
  'ld_imm64',
  (op, draft) => op.as === 'map' && draft.program.maps.length > 1,
  (op, which, places, draft) => ({
    ...op,
    imm: variant(
      draft.program.maps.map((_, i) => i).filter((i) => i !== op.imm),
      places,
      which,
    ),
  }),
);

export const RESOURCE_BREAKS: Readonly<Record<string, Breaker>> = {
  'release dropped': dropCall(releases),
  'release doubled': doubleRelease,
  'check for NULL dropped': removeNullCheck,
  'check of another register': checkOtherRegister,
  'lock left held': dropCall((contract) => has(contract, 'unlock')),
  'lock not taken': dropCall((contract) => has(contract, 'lock')),
  'section left open': dropCall((contract) => has(contract, 'leave', 'irq_restore')),
  'section not entered': dropCall((contract) => has(contract, 'enter', 'irq_save')),
  'iterator not destroyed': dropCall((contract) => has(contract, 'iter_destroy', 'destroy_dynptr')),
  'acquire dropped': dropCall(acquires),
  'call dropped': dropCall(() => true),
  'call skipped on one way': skipCall,
  'stack object overwritten': overwriteSlot,
  'release moved before a call': moveRelease,
  'released by another function': otherFunction(releases),
  'another function called': otherFunction(() => true),
  'argument clobbered': clobberArgument,
  'arguments swapped': swapArguments,
  'argument dropped': dropArgument,
  'another map': otherMap,
  'result dropped': dropResult,
  'another result': otherResult,
  'early exit': exitEarly,
};
