/** Statements that compute and move: every arithmetic operation, every load and store, every atomic operation, in all widths. */
import {
  add,
  alu,
  and,
  atomic,
  end,
  jal,
  jmp,
  ldImm64,
  ldx,
  ldxs,
  loadAcquire,
  mov,
  movsx,
  neg,
  type Reg,
  r0,
  r10,
  registers,
  st,
  storeRelease,
  stx,
} from '../../src/isa/build.js';
import { type AtomicOp, BINARY_OPS, type BinaryOp, COMPARISONS, type Size } from '../../src/isa/insn.js';
import { label } from '../../src/isa/label.js';
import type { MapDef } from '../../src/object/program.js';
import { SCALARS, type Writer } from './writer.js';

const ATOMICS: readonly AtomicOp[] = ['add', 'or', 'and', 'xor', 'xchg', 'cmpxchg'];
const SIZES: readonly Size[] = [1, 2, 4, 8];

/** A value that user space fills: numbers that no verifier knows. */
export const INPUT: MapDef = {
  name: 'input',
  type: 'array',
  keySize: 4,
  valueSize: 128,
  maxEntries: 1,
  flags: 0,
  fields: [],
};

const half = (reg: Reg<64>): Reg<32> => ({ reg: reg.reg, width: 32 });

/** One operation on registers. */
export function compute(w: Writer): void {
  const dst = w.pick(SCALARS);
  const src = w.pick(SCALARS);
  const wide = w.oneIn(2);
  switch (w.below(8)) {
    case 0:
      w.emit(wide ? mov(dst, src) : mov(half(dst), half(src)));
      return;
    case 1:
      w.emit(
        wide
          ? movsx(w.pick([8, 16, 32] as const), dst, src)
          : movsx(w.pick([8, 16] as const), half(dst), half(src)),
      );
      return;
    case 2:
      w.emit(neg(wide ? dst : half(dst)));
      return;
    case 3:
      w.emit(end(w.pick(['le', 'be', 'bswap'] as const), w.pick([16, 32, 64] as const), dst));
      return;
    case 4:
      w.emit(ldImm64(dst, (BigInt(w.number()) << 32n) | BigInt.asUintN(32, BigInt(w.number()))));
      return;
    default: {
      const op = w.pick(BINARY_OPS);
      if (w.oneIn(2)) {
        w.emit(wide ? alu(op, dst, src) : alu(op, half(dst), half(src)));
        return;
      }
      const imm = immediate(w, op, wide ? 64 : 32);
      w.emit(wide ? alu(op, dst, imm) : alu(op, half(dst), imm));
    }
  }
}

/** Division by a constant zero and shifts by a constant of the width or more are refused. */
function immediate(w: Writer, op: BinaryOp, width: 32 | 64): number {
  const imm = w.number();
  if (op === 'lsh' || op === 'rsh' || op === 'arsh') return imm & (width - 1);
  return imm === 0 && (op === 'div' || op === 'sdiv' || op === 'mod' || op === 'smod') ? 7 : imm;
}

/** A pointer to memory that holds numbers, in `reg`: how many bytes from `off` on may be used. */
function memory(w: Writer, reg: Reg<64>): { readonly off: number; readonly size: number } {
  if (w.oneIn(2)) {
    w.emit(mov(reg, r10));
    return { off: -64, size: 64 };
  }
  w.loadMapValue(reg, INPUT);
  if (w.oneIn(2)) return { off: 0, size: 128 };
  // At an offset that is known only at run time.
  const by = w.pick(SCALARS.filter((one) => one.reg !== reg.reg));
  w.emit(and(by, 0x38), add(reg, by));
  return { off: 0, size: 64 };
}

/** One access to memory. The register that held its address holds a number afterwards. */
export function access(w: Writer): void {
  const base = w.pick(SCALARS.filter(({ reg }) => reg !== 0));
  const other = w.pick(SCALARS.filter(({ reg }) => reg !== base.reg));
  const { off, size: room } = memory(w, base);
  const size = w.pick(SIZES);
  const at = off + size * w.below(room / size);
  switch (w.below(8)) {
    case 0:
      w.emit(st(size, base, at, w.number()));
      break;
    case 1:
    case 2:
      w.emit(stx(size, base, at, other));
      break;
    case 3:
      if (size === 8) w.emit(ldx(8, other, base, at));
      else w.emit(ldxs(size, other, base, at));
      break;
    case 4:
      w.emit(w.oneIn(2) ? loadAcquire(size, other, base, at) : storeRelease(size, base, at, other));
      break;
    case 5:
    case 6: {
      const width = w.pick([4, 8] as const);
      const op = w.pick(ATOMICS);
      const place = off + width * w.below(room / width);
      w.emit(atomic(op, width, base, place, other, w.oneIn(2)));
      break;
    }
    default:
      w.emit(ldx(size, other, base, at));
  }
  w.load(base);
}

/** `body` if a comparison holds, or unless it does. */
export function branch(w: Writer, body: () => void): void {
  const on = w.fresh();
  const [a, b] = [w.pick(SCALARS), w.pick(SCALARS)];
  const op = w.pick(COMPARISONS);
  const wide = w.oneIn(2);
  const imm = w.number();
  if (w.oneIn(2)) w.emit(wide ? jmp(op, a, b, on) : jmp(op, half(a), half(b), on));
  else w.emit(wide ? jmp(op, a, imm, on) : jmp(op, half(a), imm, on));
  w.paths *= 2;
  body();
  // Now and then by way of a jump with a long offset.
  if (w.oneIn(4)) w.emit(jal(on));
  w.emit(label(on));
}

/** `body` a few times. The count lies on the stack, below all else. */
export function loop(w: Writer, slot: number, body: () => void): void {
  const again = w.fresh();
  const rounds = 1 + w.below(3);
  w.emit(st(8, r10, slot, rounds), label(again));
  body();
  w.emit(ldx(8, r0, r10, slot), add(r0, -1), stx(8, r10, slot, r0), jmp('ne', r0, 0, again));
  w.paths *= rounds;
}

/** Registers and stack hold what user space has put into the map. */
export function start(w: Writer): void {
  const base = registers[2]!;
  w.loadMapValue(base, INPUT);
  for (let at = 0; at < 64; at += 8) w.emit(ldx(8, r0, base, at), stx(8, r10, at - 64, r0));
  for (const [i, reg] of [7, 8, 9].entries()) w.emit(ldx(8, registers[reg]!, base, 64 + 8 * i));
  for (let at = 0; at < 64; at += 8) w.emit(ldx(8, r0, base, 64 + at), stx(8, r10, at - 136, r0));
  w.refresh();
}
