/**
 * The fast tier: a switch over flat arrays, with registers as 64-bit integers and as pairs of 32-bit words over the same bytes.
 * Case numbers are those of opcode.ts (bit 0: immediate operand, bit 1: 32-bit). Rare insns, and insns that touch other parts of the
 * run's state, are left to one step of the definitional tier.
 */
import { regionAt } from '../state/address.js';
import { type MachineState, unwritten } from '../state/machine.js';
import { hiddenPointer } from './context.js';
import { execute } from './definitional.js';
import { taken } from './fast-compare.js';
import { type Pauses, pausesAt } from './pauses.js';

const FIRST_COMPARISON = 96;

/**
 * Runs until the run ends or `until` insns have been executed in all, or before an insn other than the first at which it pauses. Throws
 * Trap like `execute`; pc and steps are right then.
 */
export function runFast(machine: MachineState, until: number, pauses?: Pauses): void {
  const { code, regs, signed, words, memory } = machine;
  const { fast, dst, src, off, target, imm, immWords, reads, writes } = code;
  const first = machine.steps;
  let pc = machine.pc;
  let steps = first;
  let readable = machine.readable;
  let mine = true;
  try {
    for (; steps < until && machine.end === undefined; steps++) {
      const op = fast[pc]!;
      if (op === undefined || op === 0) {
        machine.pc = pc;
        machine.readable = readable;
        machine.steps = steps;
        if (pauses !== undefined && steps !== first && pausesAt(machine, pc, pauses)) return;
        mine = false;
        execute(machine);
        mine = true;
        pc = machine.pc;
        readable = machine.readable;
        continue;
      }
      const missing = reads[pc]! & ~readable;
      if (missing !== 0) throw unwritten(firstRead(machine, pc, missing));
      const d = dst[pc]!;
      const s = src[pc]!;
      // The second operand's halves: of the immediate or of the register.
      const lo = (op & 1) !== 0 ? immWords[2 * pc]! : words[2 * s]!;
      if (op >= FIRST_COMPARISON) {
        const hi = (op & 1) !== 0 ? immWords[2 * pc + 1]! : words[2 * s + 1]!;
        pc = taken(op, words[2 * d]!, words[2 * d + 1]!, lo, hi) ? target[pc]! : pc + 1;
        continue;
      }
      switch (op) {
        case 4:
          regs[d] = regs[s]!;
          break;
        case 5:
          regs[d] = imm[pc]!;
          break;
        case 6:
        case 7:
          words[2 * d] = lo;
          words[2 * d + 1] = 0;
          break;
        case 8:
          regs[d] = imm[pc]!;
          pc++;
          readable |= writes[pc - 1]!;
          break;
        case 9:
          pc = target[pc]!;
          continue;
        case 12:
        case 13:
        case 14:
        case 15: {
          const base = words[2 * s]!;
          const hi = words[2 * s + 1]!;
          const region = memory.forRead(hi, base, off[pc]!, 1 << (op - 12));
          const at = base - region.start + off[pc]!;
          if (region.kind === 'ctx' || region.kind === 'btf') {
            const pointer = hiddenPointer(machine, regionAt(hi, base), at, 1 << (op - 12));
            if (pointer !== undefined) {
              regs[d] = pointer;
              break;
            }
          }
          words[2 * d + 1] = 0;
          if (op === 15) {
            const { view } = region;
            words[2 * d] = view.getInt32(at, true);
            words[2 * d + 1] = view.getInt32(at + 4, true);
          } else if (op === 14) words[2 * d] = region.view.getInt32(at, true);
          else words[2 * d] = op === 12 ? region.bytes[at]! : region.view.getUint16(at, true);
          break;
        }
        case 16:
        case 17:
        case 18:
        case 19:
        case 20:
        case 21:
        case 22:
        case 23: {
          const size = op & 3;
          const base = words[2 * d]!;
          const hi = words[2 * d + 1]!;
          const { view, start } = memory.forWrite(hi, base, off[pc]!, 1 << size);
          const at = base - start + off[pc]!;
          const low = op < 20 ? words[2 * s]! : immWords[2 * pc]!;
          if (size === 0) view.setUint8(at, low & 0xff);
          else if (size === 1) view.setUint16(at, low & 0xffff, true);
          else {
            view.setInt32(at, low, true);
            if (size === 3) view.setInt32(at + 4, op < 20 ? words[2 * s + 1]! : immWords[2 * pc + 1]!, true);
          }
          break;
        }
        case 32:
          regs[d] = BigInt.asUintN(64, regs[d]! + regs[s]!);
          break;
        case 33:
          regs[d] = BigInt.asUintN(64, regs[d]! + imm[pc]!);
          break;
        case 34:
        case 35:
          words[2 * d] = words[2 * d]! + lo;
          words[2 * d + 1] = 0;
          break;
        case 36:
          regs[d] = BigInt.asUintN(64, regs[d]! - regs[s]!);
          break;
        case 37:
          regs[d] = BigInt.asUintN(64, regs[d]! - imm[pc]!);
          break;
        case 38:
        case 39:
          words[2 * d] = words[2 * d]! - lo;
          words[2 * d + 1] = 0;
          break;
        case 40:
          regs[d] = BigInt.asUintN(64, regs[d]! * regs[s]!);
          break;
        case 41:
          regs[d] = BigInt.asUintN(64, regs[d]! * imm[pc]!);
          break;
        case 42:
        case 43:
          words[2 * d] = Math.imul(words[2 * d]!, lo);
          words[2 * d + 1] = 0;
          break;
        case 44:
        case 45: {
          const by = (op & 1) !== 0 ? imm[pc]! : regs[s]!;
          regs[d] = by === 0n ? 0n : regs[d]! / by;
          break;
        }
        case 46:
        case 47:
          words[2 * d] = lo === 0 ? 0 : (words[2 * d]! >>> 0) / (lo >>> 0);
          words[2 * d + 1] = 0;
          break;
        case 48:
        case 49: {
          const by = BigInt.asIntN(64, (op & 1) !== 0 ? imm[pc]! : regs[s]!);
          signed[d] = by === 0n ? 0n : signed[d]! / by;
          break;
        }
        case 50:
        case 51:
          words[2 * d] = lo === 0 ? 0 : words[2 * d]! / lo;
          words[2 * d + 1] = 0;
          break;
        case 52:
        case 53: {
          const by = (op & 1) !== 0 ? imm[pc]! : regs[s]!;
          if (by !== 0n) regs[d] = regs[d]! % by;
          break;
        }
        case 54:
        case 55:
          if (lo !== 0) words[2 * d] = (words[2 * d]! >>> 0) % (lo >>> 0);
          words[2 * d + 1] = 0;
          break;
        case 56:
        case 57: {
          const by = BigInt.asIntN(64, (op & 1) !== 0 ? imm[pc]! : regs[s]!);
          if (by !== 0n) signed[d] = signed[d]! % by;
          break;
        }
        case 58:
        case 59:
          if (lo !== 0) words[2 * d] = words[2 * d]! % lo;
          words[2 * d + 1] = 0;
          break;
        case 60:
        case 61:
          words[2 * d] = words[2 * d]! | lo;
          words[2 * d + 1] = words[2 * d + 1]! | ((op & 1) !== 0 ? immWords[2 * pc + 1]! : words[2 * s + 1]!);
          break;
        case 62:
        case 63:
          words[2 * d] = words[2 * d]! | lo;
          words[2 * d + 1] = 0;
          break;
        case 64:
        case 65:
          words[2 * d] = words[2 * d]! & lo;
          words[2 * d + 1] = words[2 * d + 1]! & ((op & 1) !== 0 ? immWords[2 * pc + 1]! : words[2 * s + 1]!);
          break;
        case 66:
        case 67:
          words[2 * d] = words[2 * d]! & lo;
          words[2 * d + 1] = 0;
          break;
        case 68:
        case 69:
          words[2 * d] = words[2 * d]! ^ lo;
          words[2 * d + 1] = words[2 * d + 1]! ^ ((op & 1) !== 0 ? immWords[2 * pc + 1]! : words[2 * s + 1]!);
          break;
        case 70:
        case 71:
          words[2 * d] = words[2 * d]! ^ lo;
          words[2 * d + 1] = 0;
          break;
        case 72:
        case 73: {
          const by = lo & 63;
          const [a, b] = [words[2 * d]!, words[2 * d + 1]!];
          if (by >= 32) {
            words[2 * d] = 0;
            words[2 * d + 1] = a << (by - 32);
          } else if (by > 0) {
            words[2 * d] = a << by;
            words[2 * d + 1] = (b << by) | (a >>> (32 - by));
          }
          break;
        }
        case 74:
        case 75:
          words[2 * d] = words[2 * d]! << (lo & 31);
          words[2 * d + 1] = 0;
          break;
        case 76:
        case 77:
        case 80:
        case 81: {
          const by = lo & 63;
          const [a, b] = [words[2 * d]!, words[2 * d + 1]!];
          const arithmetic = op >= 80;
          if (by >= 32) {
            words[2 * d] = arithmetic ? b >> (by - 32) : b >>> (by - 32);
            words[2 * d + 1] = arithmetic ? b >> 31 : 0;
          } else if (by > 0) {
            words[2 * d] = (a >>> by) | (b << (32 - by));
            words[2 * d + 1] = arithmetic ? b >> by : b >>> by;
          }
          break;
        }
        case 78:
        case 79:
          words[2 * d] = words[2 * d]! >>> (lo & 31);
          words[2 * d + 1] = 0;
          break;
        case 82:
        case 83:
          words[2 * d] = words[2 * d]! >> (lo & 31);
          words[2 * d + 1] = 0;
          break;
      }
      readable |= writes[pc]!;
      pc++;
    }
  } finally {
    machine.steps = steps;
    if (mine && machine.end === undefined) {
      machine.pc = pc;
      machine.readable = readable;
    }
  }
}

/** Of several unwritten registers, names the one that the definitional tier would read first. */
function firstRead(machine: MachineState, pc: number, missing: number): number {
  const op = machine.code.ops[pc]!;
  const s = machine.code.src[pc]!;
  const d = machine.code.dst[pc]!;
  const sourceFirst = op.kind === 'alu' || op.kind === 'mov' || op.kind === 'ldx';
  const [one, other] = sourceFirst ? [s, d] : [d, s];
  return (missing & (1 << one)) !== 0 && (machine.code.reads[pc]! & (1 << one)) !== 0 ? one : other;
}
