/**
 * Source lines in the text of a program, written as Linux's verifier log has them: a comment above the first insn of each line, so that a log
 * can be pasted.
 *
 *     ; counter->packets++; @ lock_counter.c:22:20
 *     r1 = *(u32 *)(r6 +4)
 */
import type { LineInfo } from '../../object/program.js';

/** The comment of a line, without its indentation. The column is left out where it is not known (0). */
export function printLine({ text, file, line, column }: LineInfo): string {
  const place = `${file.replace(/[\s%]/g, encodeURIComponent)}:${line}`;
  return `; ${text.trim().replace(/[\n\r]/g, ' ')} @ ${place}${column === 0 ? '' : `:${column}`}`;
}

const COMMENT = /^\s*; (.*) @ (\S*?):(\d{1,9})(?::(\d{1,9}))?\s*$/;

/**
 * The source lines that the comments of a text tell. `places`: the line of the text that each slot stands on, counting from `firstLine`.
 * Comments of another form tell nothing.
 */
export function readLines(text: string, places: readonly number[], firstLine: number): readonly LineInfo[] {
  const found: LineInfo[] = [];
  let slot = 0;
  text.split('\n').forEach((comment, index) => {
    const match = COMMENT.exec(comment);
    if (match === null) return;
    while (slot < places.length && places[slot]! <= firstLine + index) slot++;
    if (slot === places.length) return;
    const [, source = '', file = '', line, column] = match;
    found.push({ slot, file: decoded(file), line: Number(line), column: Number(column ?? 0), text: source });
  });
  return found;
}

function decoded(file: string): string {
  try {
    return decodeURIComponent(file);
  } catch {
    // A name that only looks as if it were encoded.
    return file;
  }
}
