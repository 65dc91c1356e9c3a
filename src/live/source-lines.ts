/** Which line of the source each insn is from. */
import { SLOT_BYTES } from '../isa/bytes.js';
import type { LineRecord } from '../object/btf/ext.js';
import type { ObjectFunction } from '../object/functions.js';

/** Which line of the source each insn of one function is from: the last line that begins at it or before. */
export class LinesOf {
  private readonly lines: readonly LineRecord[];

  constructor({ start, slots }: ObjectFunction, lines: readonly LineRecord[]) {
    const [from, to] = [SLOT_BYTES * start, SLOT_BYTES * (start + slots)];
    this.lines = lines
      .filter(({ offset }) => offset >= from && offset < to)
      .sort((a, b) => a.offset - b.offset);
  }

  /** The line of the insn at a byte of the section. */
  at(offset: number): LineRecord | undefined {
    let [low, high] = [0, this.lines.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.lines[middle]!.offset <= offset) low = middle + 1;
      else high = middle;
    }
    return this.lines[low - 1] ?? this.lines[0];
  }
}
