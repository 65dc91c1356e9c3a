/** Text in lines of a mail. */

/** Columns of a mail. */
export const COLUMNS = 72;

/** Lines of at most 72 columns, broken at spaces; `first` stands before the first of them, `indent` before the others. A longer word is not broken. */
export function wrap(text: string, first = '', indent = first, columns = COLUMNS): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(/\s+/)) {
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line = isEmpty ? `${line}${word}` : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
