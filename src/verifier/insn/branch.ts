/**
 * What a conditional jump tells: ranges of scalars, NULL or not for pointers that may be NULL, bytes checked of a packet.
 * Follows check_cond_jmp_op, mark_ptr_or_null_regs and try_match_pkt_pointers of kernel/bpf/verifier.c.
 */
import type { Comparison } from '../../isa/insn.js';
import type { Next } from '../../semantics/machine.js';
import { branchTaken, refine } from '../scalar/refine.js';
import type { Scalar } from '../scalar/scalar.js';
import { isConst } from '../scalar/scalar.js';
import { syncLinked } from '../state/linked-regs.js';
import type { Path } from '../state/path.js';
import { isNull, isPointer, nullReg, ownedRef, scalarReg } from '../state/regs.js';
import { isValueWithLock } from '../state/special-fields.js';
import type { Reg, RegType } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import { MAX_PACKET_OFF } from './access.js';

/** A conditional jump that the interpreter has come to: the comparison, its operands, and its target. */
export type Branch = Extract<Next<Reg>, { kind: 'branch' }>;

const FLIP: Record<Comparison, Comparison> = {
  eq: 'eq',
  ne: 'ne',
  set: 'set',
  gt: 'lt',
  ge: 'le',
  lt: 'gt',
  le: 'ge',
  sgt: 'slt',
  sge: 'sle',
  slt: 'sgt',
  sle: 'sge',
};

const NEVER_NULL: ReadonlySet<RegType> = new Set([
  'sock',
  'tcp_sock',
  'map_value',
  'map_key',
  'sock_common',
  'mem',
  'record',
  'map_ptr',
  'object',
]);

/**
 * A pointer within this distance of its object cannot be NULL (BPF_MAX_VAR_OFF). A pointer that was moved further may reach address 0.
 */
const NEAR = 1n << 29n;

/** The pointer lies within `NEAR` of what it points to. */
function isNear({ off, num }: Reg): boolean {
  const from = BigInt(off);
  return from + num.smin > -NEAR && from + num.smax < NEAR;
}

/**
 * A pointer whose type is not nullable may still be 0 in a run. That is so if it is untrusted, if it was moved so far that it may point
 * anywhere, and if it is a per-CPU pointer, which counts from the start of each CPU's own memory.
 */
function mayBeZero(r: Reg): boolean {
  return r.nullable || r.trust === 'untrusted' || (r.type === 'mem' && r.percpu) || !isNear(r);
}

/** reg_not_null: the kernel is sure that this pointer is not NULL. Kernels after 6.18 also check how far it was moved. */
function neverNull(r: Reg): boolean {
  if (mayBeZero(r)) return false;
  return NEVER_NULL.has(r.type) || (r.type === 'btf' && (r.trust === 'trusted' || ownedRef(r) !== 0));
}

/** Which way the jump goes in every run that reaches it; undefined when both are possible. */
export function decide(b: Branch): boolean | undefined {
  const { left, right, op, width } = b;
  if (left.type === 'scalar' && right.type === 'scalar') return branchTaken(op, width, left.num, right.num);
  const pointer = isPointer(left) ? left : right;
  const other = isPointer(left) ? right : left;
  if (width === 64 && b.src !== undefined && right.type === 'packet_end') return againstEnd(op, left);
  if (width === 64 && b.src !== undefined && left.type === 'packet_end') return againstEnd(FLIP[op], right);
  if (width === 64 && isNull(other) && neverNull(pointer)) {
    if (op === 'eq') return false;
    if (op === 'ne') return true;
  }
  return undefined;
}

/** PTR_TO_BTF_ID: a struct of the kernel, or an object of the program's own. It may be NULL though its type does not say so. */
const ofStruct = ({ type }: Reg): boolean => type === 'btf' || type === 'object';

/** Changes the path to what holds after the jump went this way. False: no run goes this way. */
export function followBranch(p: Path, b: Branch, taken: boolean): boolean {
  const { left, right, op, width } = b;
  if (left.type === 'scalar' && right.type === 'scalar') {
    followScalars(p, b, taken, left.num, right.num);
    return true;
  }
  if (width === 64 && (op === 'eq' || op === 'ne')) {
    const equal = (op === 'eq') === taken;
    if (b.src === undefined && isNull(right) && left.nullable) {
      markPtrOrNull(p, left, equal);
      return true;
    }
    if (equal && isPointer(left) && isPointer(right) && !ofStruct(left) && !ofStruct(right)) {
      // Equal to a pointer that is not NULL: not NULL.
      if (left.nullable && !mayBeZero(right)) markPtrOrNull(p, left, false);
      else if (right.nullable && !mayBeZero(left)) markPtrOrNull(p, right, false);
    }
  }
  if (width === 64 && b.src !== undefined && followPacket(p, b, b.src, taken)) return true;
  if (p.strict && isPointer(left)) refuse(`R${b.dst} pointer comparison prohibited`);
  return true;
}

/** Without CAP_PERFMON a program may compare two pointers only if both are packet pointers. */
export function checkComparison(p: Path, b: Branch): void {
  if (!p.strict || b.src === undefined || !isPointer(b.right)) return;
  const packets = [b.left, b.right].every((r) => isPacket(r) || r.type === 'packet_end');
  if (!packets) refuse(`R${b.src} pointer comparison prohibited`);
}

function followScalars(p: Path, b: Branch, taken: boolean, left: Scalar, right: Scalar): void {
  const memo = taken ? p.taken : p.notTaken;
  const known =
    memo.find(p.at, left, right) ??
    memo.remember(p.at, left, right, refine(b.op, b.width, taken, left, right, b.src === b.dst));
  setRefined(p, b, known[0], known[1]);
}

/**
 * Sets both sides of the comparison and updates the registers linked to them. If the two sides are linked to each other, the value of the
 * right one counts.
 */
function setRefined(p: Path, { dst, src }: Branch, left: Scalar, right: Scalar): void {
  const leftBefore = p.reg(dst);
  const rightBefore = src === undefined || src === dst ? undefined : p.reg(src);
  setNumber(p, dst, leftBefore, left);
  if (rightBefore !== undefined) setNumber(p, src!, rightBefore, right);
  if (rightBefore !== undefined && rightBefore.id !== 0) syncLinked(p, rightBefore, right);
  if (leftBefore.id !== 0) syncLinked(p, leftBefore, p.reg(dst).num);
}

function setNumber(p: Path, regno: number, before: Reg, num: Scalar): void {
  if (num !== before.num) p.setReg(regno, isConst(num) ? scalarReg(num) : { ...before, num });
}

/** A pointer that might be NULL is now known to be NULL, or not, and so are all its copies. A NULL pointer holds no reference. */
export function markPtrOrNull(p: Path, pointer: Reg, isNullNow: boolean): void {
  const { id, ref } = pointer;
  if (isNullNow && ref !== 0 && ref === id) p.dropRef(ref);
  p.mapRegs((r) => {
    if (!r.nullable || r.id !== id) return r;
    if (isNullNow) return nullReg;
    const keepsId = r.type === 'object' || isValueWithLock(p, r);
    return { ...r, nullable: false, id: keepsId ? r.id : 0 };
  });
}

// Packets.

/** Special values of a packet pointer's range: at the end or past it (AT_PKT_END), and past it (BEYOND_PKT_END). */
const AT_END = -1;
const PAST_END = -2;

const isPacket = (r: Reg): boolean => r.type === 'packet' || r.type === 'packet_meta';

/** The pointer that a packet pointer is compared with: packet_end, or for metadata the start of the packet. */
function endsRange(packet: Reg, end: Reg): boolean {
  if (packet.type === 'packet') return end.type === 'packet_end';
  return end.type === 'packet' && end.off === 0 && isConst(end.num) && end.num.value === 0n;
}

function followPacket(p: Path, b: Branch, src: number, taken: boolean): boolean {
  const { op, left, right } = b;
  if (isPacket(left) && endsRange(left, right)) return packetAgainstEnd(p, op, left, b.dst, taken);
  if (isPacket(right) && endsRange(right, left)) return packetAgainstEnd(p, FLIP[op], right, src, taken);
  return false;
}

/** What is known of `packet op end` where the packet pointer was found to be at its end, or past it (is_pkt_ptr_branch_taken). */
function againstEnd(op: Comparison, packet: Reg): boolean | undefined {
  if (packet.type !== 'packet' || packet.range >= 0) return undefined;
  switch (op) {
    case 'gt':
    case 'le':
      return packet.range === PAST_END ? op === 'gt' : undefined;
    case 'ge':
    case 'lt':
      return op === 'ge';
    default:
      return undefined;
  }
}

/**
 * `packet op end`: where packet <= end the bytes up to it may be accessed; where packet < end, one byte more. On the other way the
 * pointer is known to be at the end or past it. `regno`: the packet pointer's register.
 */
function packetAgainstEnd(p: Path, op: Comparison, packet: Reg, regno: number, taken: boolean): boolean {
  switch (op) {
    case 'gt':
    case 'le':
      if ((op === 'gt') === taken) markPacketEnd(p, packet, regno, PAST_END);
      else widenPacketRange(p, packet, false);
      return true;
    case 'ge':
    case 'lt':
      if ((op === 'ge') === taken) markPacketEnd(p, packet, regno, AT_END);
      else widenPacketRange(p, packet, true);
      return true;
    default:
      return false;
  }
}

/** Linux marks this register only, not its copies, and no metadata pointers (mark_pkt_end). */
function markPacketEnd(p: Path, packet: Reg, regno: number, range: number): void {
  if (packet.type === 'packet') p.setReg(regno, { ...packet, range });
}

/** find_good_pkt_pointers: every pointer with this id may reach as far as `packet` does. */
function widenPacketRange(p: Path, packet: Reg, oneMore: boolean): void {
  if (packet.off < 0 || (packet.off === 0 && oneMore)) return;
  if (
    packet.num.umax > BigInt(MAX_PACKET_OFF) ||
    packet.num.umax + BigInt(packet.off) > BigInt(MAX_PACKET_OFF)
  )
    return;
  const range = packet.off + (oneMore ? 1 : 0);
  p.mapRegs((r) => (r.type === packet.type && r.id === packet.id && r.range < range ? { ...r, range } : r));
}
