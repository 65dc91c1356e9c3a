/** Plain loads, stores and atomics inside a region whose size is known: a map value, a record, an object, checked packet bytes. */
import {
  add,
  and,
  atomic,
  ldx,
  ldxs,
  loadAcquire,
  mov,
  type Reg,
  r0,
  r1,
  r2,
  r3,
  st,
  storeRelease,
  stx,
} from '../../src/isa/build.js';
import type { AtomicOp, Size } from '../../src/isa/insn.js';
import type { Compiler } from './compiler.js';

/** Memory that is in scope, and which parts of it may be accessed how. */
export interface Region {
  /** Bytes from the pointer on that may be accessed. */
  readonly size: number;
  readonly readonly: boolean;
  /** Byte ranges [from, to) that may not be touched. */
  readonly holes: readonly (readonly [number, number])[];
  /** Atomic operations and loads at an offset that is not constant are allowed. */
  readonly full: boolean;
}

/** One access. `at`, `value` and `scalar` are any numbers; they are fitted to the region and to what is in scope. */
export interface Touch {
  readonly how: 'load' | 'loads' | 'store' | 'storeimm' | 'atomic' | 'variable' | 'acquire' | 'release';
  readonly size: Size;
  readonly at: number;
  readonly value: number;
  readonly op: AtomicOp;
  readonly fetch: boolean;
}

/**
 * Writes the access through the pointer that `load` puts into a register. Uses r0 to r3. What the region does not allow becomes
 * a plain load; a region without room for even a byte is left alone. Returns true when r0 holds a loaded scalar.
 */
export function emitTouch(c: Compiler, load: (reg: Reg<64>) => void, region: Region, touch: Touch): boolean {
  const how = allowed(region, touch);
  const size = how === 'atomic' ? (touch.size >= 8 ? 8 : 4) : touch.size;
  const off = place(region, size, touch.at);
  if (off === undefined) return false;
  load(r1);
  switch (how) {
    case 'load':
      c.emit(ldx(size, r0, r1, off));
      return true;
    case 'loads':
      c.emit(size === 8 ? ldx(8, r0, r1, off) : ldxs(size, r0, r1, off));
      return true;
    case 'storeimm':
      c.emit(st(size, r1, off, touch.value));
      return false;
    case 'store':
      emitScalar(c, r2, touch.value);
      c.emit(stx(size, r1, off, r2));
      return false;
    case 'acquire':
      c.emit(loadAcquire(size, r0, r1, off));
      return true;
    case 'release':
      emitScalar(c, r2, touch.value);
      c.emit(storeRelease(size, r1, off, r2));
      return false;
    case 'atomic':
      emitScalar(c, r2, touch.value);
      if (touch.op === 'cmpxchg') c.emit(mov(r0, touch.value & 7));
      c.emit(atomic(touch.op, size === 8 ? 8 : 4, r1, off, r2, touch.fetch));
      return touch.op === 'cmpxchg';
    case 'variable': {
      // The largest power of two that fits, so that a mask is all the check there is.
      const room = region.size - size + 1;
      const mask = 2 ** Math.floor(Math.log2(room)) - 1;
      emitScalar(c, r3, touch.value);
      c.emit(and(r3, mask), add(r1, r3), ldx(size, r0, r1, 0));
      return true;
    }
  }
}

function allowed(region: Region, touch: Touch): Touch['how'] {
  switch (touch.how) {
    case 'store':
    case 'storeimm':
      return region.readonly ? 'load' : touch.how;
    case 'atomic':
    case 'acquire':
    case 'release':
      return region.readonly || !region.full ? 'load' : touch.how;
    case 'variable':
      return region.full && region.holes.length === 0 && region.size >= touch.size ? 'variable' : 'load';
    default:
      return touch.how;
  }
}

/** An aligned offset for `size` bytes outside of all holes, `at` counted round and round; undefined if there is none. */
export function place(region: Region, size: number, at: number): number | undefined {
  const offsets: number[] = [];
  for (let off = 0; off + size <= region.size; off += size) {
    if (region.holes.every(([from, to]) => off + size <= from || off >= to)) offsets.push(off);
  }
  return offsets[at % offsets.length];
}

/** `reg =` a scalar in scope, or a small constant if there is none; odd values of `which` take the constant all the same. */
export function emitScalar(c: Compiler, reg: Reg<64>, which: number): void {
  const thing = which % 2 === 1 ? undefined : c.scalar(which >> 1);
  if (thing === undefined) c.emit(mov(reg, which >> 1));
  else c.load(reg, thing.home);
}
