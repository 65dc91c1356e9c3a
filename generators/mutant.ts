/**
 * Near misses: accepted programs with one thing broken. Most are refused by a verifier, some are still good; what matters is that two
 * judges of the same program agree, and that a check which should fail has something to fail on.
 */
import fc from 'fast-check';
import type { Comparison, Op } from '../src/isa/insn.js';
import { contractOf } from '../src/kernel/catalog.js';
import type { Contract } from '../src/kernel/contract.js';
import { outcomeAcquires, outcomeReleases } from '../src/kernel/describe.js';
import type { Program } from '../src/object/program.js';
import { Draft } from './edit.js';
import { type GeneratedProgram, type ProgramConstraints, programArbitrary } from './program.js';

export interface Mutant {
  readonly program: Program;
  readonly original: GeneratedProgram;
  /** What was broken, for people. */
  readonly what: string;
  /** Slot of the original program where it was broken. */
  readonly slot: number;
}

/** Breaks the `which`-th place of its kind; undefined where there is none. Answers the slot. */
type Breaker = (draft: Draft, which: number) => number | undefined;

const nth = (places: readonly number[], which: number): number | undefined =>
  places.length === 0 ? undefined : places[which % places.length];

function contractAt(draft: Draft, op: Op | undefined): Contract | undefined {
  if (op?.kind !== 'call' || op.target === 'subprog') return undefined;
  return contractOf(draft.program, op);
}

/** Call sites of functions that pass. */
function calls(draft: Draft, test: (contract: Contract) => boolean): number[] {
  return draft.find((op) => {
    const contract = contractAt(draft, op);
    return contract !== undefined && test(contract);
  });
}

const releases = (contract: Contract): boolean => contract.outcomes.some(outcomeReleases);
const acquires = (contract: Contract): boolean => contract.outcomes.some(outcomeAcquires);
const has = (contract: Contract, ...kinds: string[]): boolean =>
  contract.outcomes.some(({ effects }) => effects.some(({ kind }) => kinds.includes(kind)));

/** Index of the first item of the argument loads right before a call: moves and loads into r1 to r5, and what adds to them. */
function argumentsFrom(draft: Draft, call: number): number {
  let first = call;
  for (let at = call - 1; at >= 0; at--) {
    const op = draft.opAt(at);
    const setsArgument =
      op !== undefined &&
      (op.kind === 'mov' || op.kind === 'ldx' || op.kind === 'alu' || op.kind === 'ld_imm64');
    if (!setsArgument || op.dst < 1 || op.dst > 5) break;
    first = at;
  }
  return first;
}

function drop(draft: Draft, at: number | undefined): number | undefined {
  if (at === undefined) return undefined;
  const slot = draft.slotAt(at);
  draft.items.splice(at, 1);
  return slot;
}

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

const removeNullCheck: Breaker = (draft, which) =>
  drop(
    draft,
    nth(
      draft.find(
        (op, _slot, at) =>
          op.kind === 'jmp' &&
          (op.op === 'eq' || op.op === 'ne') &&
          'imm' in op.src &&
          op.src.imm === 0 &&
          draft.opAt(at - 1)?.kind === 'call',
      ),
      which,
    ),
  );

const INVERSE: Readonly<Partial<Record<Comparison, Comparison>>> = {
  eq: 'ne',
  ne: 'eq',
  gt: 'le',
  le: 'gt',
  ge: 'lt',
  lt: 'ge',
  sgt: 'sle',
  sle: 'sgt',
  sge: 'slt',
  slt: 'sge',
};

const invertBranch: Breaker = (draft, which) => {
  const at = nth(
    draft.find((op) => op.kind === 'jmp' && INVERSE[op.op] !== undefined),
    which,
  );
  const op = at === undefined ? undefined : draft.opAt(at);
  if (at === undefined || op?.kind !== 'jmp') return undefined;
  draft.replace(at, { ...op, op: INVERSE[op.op] ?? op.op });
  return draft.slotAt(at);
};

/** Moves an access by its own size past the end, or past a mask, or checks one byte less of a packet. */
const boundOffByOne: Breaker = (draft, which) => {
  const at = nth(
    draft.find(
      (op) =>
        (op.kind === 'alu' && 'imm' in op.src && (op.op === 'and' || (op.op === 'add' && op.src.imm > 0))) ||
        ((op.kind === 'ldx' || op.kind === 'stx' || op.kind === 'st') &&
          (op.kind === 'ldx' ? op.src : op.dst) !== 10),
    ),
    which,
  );
  const op = at === undefined ? undefined : draft.opAt(at);
  if (at === undefined || op === undefined) return undefined;
  const slot = draft.slotAt(at);
  if (op.kind === 'alu' && 'imm' in op.src) {
    const imm = op.op === 'and' ? (op.src.imm | 0) + 1 : op.src.imm - 1;
    draft.replace(at, { ...op, src: { imm: Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, imm)) } });
  } else if (op.kind === 'ldx' || op.kind === 'stx' || op.kind === 'st') {
    draft.replace(at, { ...op, off: op.off + op.size });
  }
  return slot;
};

const swapRegister: Breaker = (draft, which) => {
  const at = nth(
    draft.find((op) => op.kind === 'mov' && 'reg' in op.src && op.src.reg >= 6 && op.src.reg <= 9),
    which,
  );
  const op = at === undefined ? undefined : draft.opAt(at);
  if (at === undefined || op?.kind !== 'mov' || !('reg' in op.src)) return undefined;
  draft.replace(at, { ...op, src: { reg: 6 + ((op.src.reg - 6 + 1 + (which % 3)) % 4) } });
  return draft.slotAt(at);
};

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

const otherRelease: Breaker = (draft, which) => {
  const at = nth(calls(draft, releases), which);
  const op = at === undefined ? undefined : draft.opAt(at);
  const others = calls(draft, releases)
    .map((index) => draft.opAt(index))
    .filter(
      (other) =>
        other?.kind === 'call' && op?.kind === 'call' && (other.imm !== op.imm || other.target !== op.target),
    );
  const other = others[which % Math.max(1, others.length)];
  if (at === undefined || other === undefined) return undefined;
  draft.replace(at, other);
  return draft.slotAt(at);
};

const dropStore: Breaker = (draft, which) =>
  drop(
    draft,
    nth(
      draft.find((op) => (op.kind === 'st' || op.kind === 'stx') && op.dst === 10),
      which,
    ),
  );

/** Always there: the program returns what its last call left, or nothing. */
const dropResult: Breaker = (draft, which) =>
  drop(
    draft,
    nth(
      draft.find((op, _slot, at) => op.kind === 'mov' && op.dst === 0 && draft.opAt(at + 1)?.kind === 'exit'),
      which,
    ),
  );

const BREAKERS: Readonly<Record<string, Breaker>> = {
  'release dropped': dropCall(releases),
  'release doubled': doubleRelease,
  'check for NULL dropped': removeNullCheck,
  'bound off by one': boundOffByOne,
  'register swapped': swapRegister,
  'branch inverted': invertBranch,
  'lock left held': dropCall((contract) => has(contract, 'unlock')),
  'section left open': dropCall((contract) => has(contract, 'leave', 'irq_restore')),
  'iterator not destroyed': dropCall((contract) => has(contract, 'iter_destroy', 'destroy_dynptr')),
  'acquire dropped': dropCall(acquires),
  'stack object overwritten': overwriteSlot,
  'release moved before a call': moveRelease,
  'released by another function': otherRelease,
  'store to the stack dropped': dropStore,
  'result dropped': dropResult,
};

/** The ways to break a program. */
export const BREAKS: readonly string[] = Object.keys(BREAKERS);

/**
 * Breaks `original` at the `which`-th place (counted round and round) in the way named, or in the next way that finds a place. The
 * result differs from the original in its insns.
 */
export function mutate(original: GeneratedProgram, way: string, which: number): Mutant {
  const first = Math.max(0, BREAKS.indexOf(way));
  for (let i = 0; i < BREAKS.length; i++) {
    const what = BREAKS[(first + i) % BREAKS.length]!;
    const draft = new Draft(original.program);
    const slot = BREAKERS[what]!(draft, which);
    if (slot === undefined) continue;
    const program = draft.link(original.program.name);
    if (!sameInsns(program, original.program)) return { program, original, what, slot };
  }
  throw new Error('a program without a result cannot be broken');
}

function sameInsns(a: Program, b: Program): boolean {
  const text = ({ insns }: Program) => JSON.stringify(insns);
  return text(a) === text(b);
}

/** Mutants of generated programs. They shrink as their originals do. */
export function mutantArbitrary(constraints: ProgramConstraints = {}): fc.Arbitrary<Mutant> {
  return fc
    .record({
      original: programArbitrary(constraints),
      way: fc.constantFrom(...BREAKS),
      which: fc.nat({ max: 255 }),
    })
    .map(({ original, way, which }) => mutate(original, way, which));
}
