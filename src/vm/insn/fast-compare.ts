/** Conditional jumps of the fast tier: comparisons of two 64-bit registers, each given as two signed 32-bit halves. */

/** Whether a conditional jump is taken, by the halves of its operands. */
export function taken(op: number, alo: number, ahi: number, blo: number, bhi: number): boolean {
  // At width 32 the high halves do not count; signs then come from the low ones.
  const wide = (op & 2) === 0;
  switch (op & ~3) {
    case 96:
      return alo === blo && (!wide || ahi === bhi);
    case 100:
      return alo !== blo || (wide && ahi !== bhi);
    case 104:
      return above(wide, alo, ahi, blo, bhi);
    case 108:
      return !above(wide, blo, bhi, alo, ahi);
    case 112:
      return above(wide, blo, bhi, alo, ahi);
    case 116:
      return !above(wide, alo, ahi, blo, bhi);
    case 120:
      return greater(wide, alo, ahi, blo, bhi);
    case 124:
      return !greater(wide, blo, bhi, alo, ahi);
    case 128:
      return greater(wide, blo, bhi, alo, ahi);
    case 132:
      return !greater(wide, alo, ahi, blo, bhi);
    default:
      return (alo & blo) !== 0 || (wide && (ahi & bhi) !== 0);
  }
}

/** a > b, unsigned. */
function above(wide: boolean, alo: number, ahi: number, blo: number, bhi: number): boolean {
  if (wide && ahi !== bhi) return ahi >>> 0 > bhi >>> 0;
  return alo >>> 0 > blo >>> 0;
}

/** a > b, signed. */
function greater(wide: boolean, alo: number, ahi: number, blo: number, bhi: number): boolean {
  if (!wide) return alo > blo;
  return ahi !== bhi ? ahi > bhi : alo >>> 0 > blo >>> 0;
}
