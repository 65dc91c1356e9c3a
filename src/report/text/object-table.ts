/** A table of programs that is written row by row and fits 80 columns: an object once, its programs below it, and below each what is to be said of it. */
import { wrap } from './wrap.js';

/** Columns of the narrowest terminal, less one. */
const COLUMNS = 79;

/** The columns: words align left, figures right. Widths with two blanks between them are less than 80. */
export interface Column {
  readonly name: string;
  readonly width: number;
  readonly figures?: true;
}

/** Writes the rows in the order in which they come. */
export class ObjectTable {
  private file: string | undefined;

  constructor(private readonly columns: readonly Column[]) {}

  /** The row of a program, with the head above the first, and the object above the first of its programs. `told`: what stands below it. */
  add(file: string, [name, ...cells]: readonly (string | number)[], told = ''): string {
    const head = this.file === undefined ? this.line(this.columns.map((column) => column.name)) : '';
    const object = this.file === file ? '' : `${file}\n`;
    this.file = file;
    // A file that could not be read has no program.
    return head + object + this.line([`  ${name === '' ? '-' : name}`, ...cells]) + indented(told);
  }

  /** A row below the last one. */
  line([name, ...cells]: readonly (string | number)[]): string {
    const [first, ...others] = this.columns;
    const text = cells.map((cell, i) => {
      const { width, figures } = others[i]!;
      return figures === true ? `${cell}`.padStart(width) : `${cell}`.padEnd(width);
    });
    const width = first!.width;
    // A longer name has a line of its own.
    const above = `${name}`.length > width ? `${name}\n${' '.repeat(width)}` : `${name}`.padEnd(width);
    return `${[above, ...text].join('  ').trimEnd()}\n`;
  }
}

/** A text of any length as it stands below a row; empty for none. */
export function indented(text: string): string {
  return text === '' ? '' : `${wrap(text, '    ', '    ', COLUMNS).join('\n')}\n`;
}
