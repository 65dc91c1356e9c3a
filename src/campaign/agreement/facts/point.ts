/**
 * Checks whether one of our states covers what the kernel's log says of one path at the same insn: registers and stack slots of the
 * running frame, by kind and range, and which of them hold the same value. What we dropped because nothing reads it covers anything.
 */

import type { LogByte, LogSlot } from '../../../oracle/walk-log/state.js';
import { type LogValue, parseValue } from '../../../oracle/walk-log/value.js';
import type { LogPoint } from '../../../oracle/walk-log/walk.js';
import { scalarArithmetic } from '../../../verifier/scalar/alu.js';
import type { Reg, Slot, State } from '../../../verifier/state/state.js';
import { BYTE } from '../../../verifier/state/state.js';
import { type IdOrigins, type Mismatch, mismatch } from './value.js';

const ZERO = parseValue('0')!;

/** A register (`r6`) or slot (`fp-16`) and what is wrong with it. */
export interface Uncovered extends Mismatch {
  readonly where: string;
}

/** What the comparison of one point depends on, besides the two states. */
export interface PointContext extends Omit<IdOrigins, 'depth' | 'ours'> {
  /** Registers that Linux holds to be live at this insn: bit n for register n. */
  readonly live: number;
  /** Registers that Linux holds to be dead at this insn. */
  readonly dead: number;
  /** Whether the loader lacks CAP_PERFMON. It may not read bytes that were never written. */
  readonly strict: boolean;
}

/** The same calls lead to both. */
export function sameFrames(state: State, point: LogPoint): boolean {
  const { frames } = state;
  if (frames.length !== point.frame + 1) return false;
  if ((frames[0]!.callback?.async === true) !== point.async) return false;
  return point.callsites.every((site, i) => frames[i + 1]!.callsite === site);
}

/** What this state does not cover of `point`; wrong kinds first. Empty if it covers everything. */
export function uncoveredParts(state: State, point: LogPoint, sides: PointContext): readonly Uncovered[] {
  const frame = state.frames.at(-1)!;
  const origins: IdOrigins = { ...sides, depth: point.frame, ours: state.refs };
  const found: Uncovered[] = [];
  const links = new LinkedValues();
  const check = (where: string, ours: Reg, theirs: LogValue, dead = false): void => {
    const wrong = mismatch(ours, theirs, origins);
    // Linux leaves a dead register as it is when a comparison narrows others that are linked to it (collect_linked_regs).
    if (dead && wrong?.what === 'narrower') return;
    if (wrong === undefined) links.add(where, ours, theirs, found);
    else found.push({ where, ...wrong });
  };
  for (let n = 0; n < 10; n++) {
    const ours = frame.regs[n]!;
    const theirs = point.regs.get(n);
    if (theirs === undefined) {
      // The program may not use a register that Linux knows nothing of. So we need to know nothing of it either.
      if (point.complete && ours.type !== 'uninit')
        found.push({ where: `r${n}`, what: 'kind', text: `we say ${ours.type}, Linux has nothing there` });
    } else if (ours.type === 'uninit') {
      if ((sides.live & (1 << n)) !== 0)
        found.push({ where: `r${n}`, what: 'kind', text: `we say nothing of it, Linux ${theirs.type}` });
    } else check(`r${n}`, ours, theirs, (sides.dead & (1 << n)) !== 0);
  }
  for (let i = 0; i < frame.stack.length; i++) {
    const ours = frame.stack[i];
    const off = -8 * (i + 1);
    const shown = point.slots.get(off);
    if (ours === undefined) continue;
    if (shown === undefined) {
      if (point.complete && !isUnwritten(ours, sides.strict) && !isUpperHalf(ours, frame.stack[i + 1]))
        found.push({
          where: `fp${off}`,
          what: 'kind',
          text: `we say ${spellSlot(ours)}, Linux has nothing there`,
        });
      continue;
    }
    slot(`fp${off}`, ours, asSpilledZero(ours, shown), { ...origins, strict: sides.strict }, found, check);
  }
  if (point.complete) missingObjects(frame.stack, point, found);
  return found.sort((a, b) => Number(a.what === 'narrower') - Number(b.what === 'narrower'));
}

/** Dynptrs, iterators and saved flags that Linux has and we have not: those are never dropped. */
function missingObjects(stack: readonly (Slot | undefined)[], point: LogPoint, found: Uncovered[]): void {
  for (const [off, theirs] of point.slots) {
    const ours = stack[-off / 8 - 1];
    const special =
      theirs.dynptr !== undefined || theirs.iter !== undefined || theirs.bytes.every((b) => b === 'f');
    if (special && ours === undefined)
      found.push({
        where: `fp${off}`,
        what: 'kind',
        text: `we say nothing of it, Linux ${spellLogSlot(theirs)}`,
      });
  }
}

/** Bytes that may hold anything, written or not. */
const isUnwritten = (compareSlot: Slot, strict: boolean): boolean =>
  compareSlot.bytes.every((b) => b === BYTE.invalid || (b === BYTE.misc && !strict));

/** The log prints one line for an object of several slots, at the lowest address. */
const isUpperHalf = (slot: Slot, below: Slot | undefined): boolean =>
  (slot.dynptr !== undefined && !slot.dynptr.first && below?.dynptr?.first === true) ||
  (slot.iter !== undefined && !slot.iter.first);

function slot(
  where: string,
  ours: Slot,
  theirs: LogSlot,
  origins: IdOrigins & { readonly strict: boolean },
  found: Uncovered[],
  check: (where: string, ours: Reg, theirs: LogValue) => void,
): void {
  const kind = (text: string): void => {
    found.push({ where, what: 'kind', text });
  };
  const differ = (): void => {
    kind(`we say ${spellSlot(ours)}, Linux ${spellLogSlot(theirs)}`);
  };
  if (ours.dynptr !== undefined || theirs.dynptr !== undefined) {
    const a = ours.dynptr;
    const b = theirs.dynptr;
    if (a === undefined || b === undefined || a.type !== b.type) {
      // A dynptr that needs no destroying may be forgotten: any bytes lie there then.
      const forgotten =
        b?.ref === 0 && ours.bytes.every((byte) => byte === BYTE.invalid || byte === BYTE.misc);
      if (!forgotten) differ();
    } else if (!sameOrigin(a.ref, b.ref, origins)) kind(`dynptr: of another reference`);
    return;
  }
  if (ours.iter !== undefined || theirs.iter !== undefined) {
    const a = ours.iter;
    const b = theirs.iter;
    if (a === undefined || b === undefined || a.type !== b.type || a.state !== b.state) differ();
    else if (!sameOrigin(a.ref, b.ref, origins)) kind('iterator: of another reference');
    return;
  }
  for (let i = 0; i < 8; i++) {
    if (coversByte(ours.bytes[i]!, theirs.bytes[i]!, theirs, origins.strict)) continue;
    differ();
    return;
  }
  if (ours.reg === undefined || !ours.bytes.includes(BYTE.spill)) return;
  if (theirs.reg === undefined) differ();
  else check(where, ours.reg, asStored(theirs.reg, theirs.bytes.filter((b) => b === 'r').length));
}

/** The log prints a zero byte in the same way, whether it was spilled or not. */
function asSpilledZero(ours: Slot, theirs: LogSlot): LogSlot {
  if (theirs.reg !== undefined || theirs.bytes[0] !== '0') return theirs;
  const alone = ours.reg?.type === 'scalar' && ours.bytes[0] === BYTE.spill && ours.bytes[1] !== BYTE.spill;
  return alone ? { bytes: theirs.bytes.with(0, 'r'), reg: ZERO } : theirs;
}

/** Linux keeps a constant that was stored in fewer than eight bytes untruncated, and truncates it when it is loaded. */
function asStored(value: LogValue, size: number): LogValue {
  if (value.type !== 'scalar' || (size !== 1 && size !== 2 && size !== 4)) return value;
  return { ...value, num: scalarArithmetic.zeroExtend((8 * size) as 8 | 16 | 32, value.num) };
}

function sameOrigin(ours: number, theirs: number, { ours: refs, theirs: origins }: IdOrigins): boolean {
  return refs.find((ref) => ref.id === ours && ref.kind === 'pointer')?.at === origins.get(theirs)?.at;
}

const isZero = (value: LogValue | undefined): boolean =>
  value?.type === 'scalar' && value.num.mask === 0n && value.num.value === 0n;

function coversByte(ours: number, theirs: LogByte, slot: LogSlot, strict: boolean): boolean {
  switch (ours) {
    case BYTE.invalid:
      return true;
    case BYTE.misc:
      if (strict && (theirs === '?' || (theirs === 'r' && slot.reg?.type !== 'scalar'))) return false;
      return theirs !== 'd' && theirs !== 'i' && theirs !== 'f';
    case BYTE.zero:
      return theirs === '0' || (theirs === 'r' && isZero(slot.reg));
    case BYTE.spill:
      return theirs === 'r';
    case BYTE.irq:
      return theirs === 'f';
    default:
      return false;
  }
}

const LETTERS = '?m0rdifs';

function spellSlot(slot: Slot): string {
  if (slot.dynptr !== undefined) return `dynptr_${slot.dynptr.type}`;
  if (slot.iter !== undefined) return `iter_${slot.iter.type} ${slot.iter.state}`;
  const bytes = slot.bytes.map((b) => LETTERS[b]).join('');
  return slot.reg === undefined ? bytes : `${bytes} of ${slot.reg.type}`;
}

function spellLogSlot(slot: LogSlot): string {
  if (slot.dynptr !== undefined) return `dynptr_${slot.dynptr.type}`;
  if (slot.iter !== undefined) return `iter_${slot.iter.type} ${slot.iter.state}`;
  return slot.reg === undefined ? slot.bytes.join('') : `${slot.bytes.join('')} of ${slot.reg.type}`;
}

/** Compares links. If two places are linked in our state, Linux must have linked them too, with the same constant between them. */
class LinkedValues {
  private readonly places = new Map<number, { where: string; ours: Reg; theirs: LogValue }>();

  add(where: string, ours: Reg, theirs: LogValue, found: Uncovered[]): void {
    if (ours.id === 0 || saysNothing(ours, theirs)) return;
    const before = this.places.get(ours.id);
    if (before === undefined) {
      this.places.set(ours.id, { where, ours, theirs });
      return;
    }
    // The offset of a pointer is compared separately.
    const more = ours.type === 'scalar' ? ours.off - before.ours.off : 0;
    if (areLinked(theirs, before.theirs, more)) return;
    const what = more === 0 ? `the same as ${before.where}` : `${before.where} and a constant`;
    found.push({ where, what: 'narrower', text: `we hold it to be ${what}, Linux does not` });
  }
}

/** Whether Linux knows that `a` is `b` plus `more`. */
function areLinked(a: LogValue, b: LogValue, more: number): boolean {
  if (isConstant(a) && isConstant(b))
    return BigInt.asUintN(64, a.num.value - b.num.value) === BigInt.asUintN(64, BigInt(more));
  return a.id !== 0 && a.id === b.id && a.delta - b.delta === more;
}

/** The id of a pointer that cannot be NULL matters only if its object may have a lock. Elsewhere Linux drops it. */
const saysNothing = (ours: Reg, theirs: LogValue): boolean =>
  !ours.nullable &&
  theirs.id === 0 &&
  ours.type !== 'scalar' &&
  ours.type !== 'packet' &&
  ours.type !== 'packet_meta';

const isConstant = (value: LogValue): boolean => value.type === 'scalar' && value.num.mask === 0n;
