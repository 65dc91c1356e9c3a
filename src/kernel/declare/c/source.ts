/**
 * C out of a source file, a unified diff or mails with diffs, with what is new told apart: of a diff only lines that it adds are, and what it
 * takes away is not there. Comments, and definitions of macros for kfuncs, are blanked out; line breaks stay.
 */
import { isDiff, readDiff, type SourceLine } from './diff.js';
import { plainText } from './mail.js';

/** Stands alone on a line between hunks: nothing of C runs across it. */
export const CUT = '\f';

/** What stands behind the second @@ of a hunk: the function, or the set of BTF ids, that it begins in. */
export interface Heading {
  /** Offset in the text from which on it holds. */
  readonly at: number;
  readonly function: string;
  readonly set: string | undefined;
}

/** C source, as one text. */
export interface Source {
  readonly text: string;
  /** Whether any of the lines from one offset of the text to another is new. */
  isNew(from: number, to: number): boolean;
  /** What the hunks of a diff say they are in. */
  readonly headings: readonly Heading[];
}

/** Reads a C file, or a unified diff of C files with any number of hunks and files. Throws InputError for a diff of another kind. */
export function readSource(text: string): Source {
  const all = plainText(text).split('\n');
  const lines: SourceLine[] = [];
  const headings: { readonly line: number; readonly heading: string }[] = [];
  if (isDiff(all)) {
    for (const hunk of readDiff(all)) {
      lines.push({ text: CUT, added: false });
      headings.push({ line: lines.length, heading: hunk.heading });
      lines.push(...hunk.lines);
    }
  } else for (const line of all) lines.push({ text: line.replaceAll(CUT, ' '), added: true });
  const starts: number[] = [];
  let length = 0;
  for (const line of lines) {
    starts.push(length);
    length += line.text.length + 1;
  }
  const lineAt = (offset: number): number => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  return {
    text: lines
      .map((line) => line.text)
      .join('\n')
      .split(`${CUT}\n`)
      .map((hunk) => withoutMacros(withoutComments(hunk)))
      .join(`${CUT}\n`),
    isNew: (from, to) =>
      lines.slice(lineAt(from), lineAt(Math.max(from, to - 1)) + 1).some(({ added }) => added),
    headings: headings.map(({ line, heading }) => ({
      at: starts[line] ?? length,
      function: /(\w+)\s*\(/.exec(heading)?.[1] ?? '',
      set: /BTF_(?:KFUNCS|SET8?)_START\s*\(\s*(\w+)/.exec(heading)?.[1],
    })),
  };
}

const blank = (found: string): string => found.replace(/[^\n]/g, ' ');

/** A hunk may begin in a comment, and end in one. What looks like a comment in a string is none. */
function withoutComments(text: string): string {
  const end = text.indexOf('*/');
  const inside = end >= 0 && !text.slice(0, end).includes('/*');
  const rest = inside ? blank(text.slice(0, end + 2)) + text.slice(end + 2) : text;
  return rest.replace(
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[\s\S]*?(?:\*\/|$)|\/\/(?:\\\n|[^\n])*/g,
    (found) => (found.startsWith('/') ? blank(found) : found),
  );
}

/** Without #define of macros that would make kfuncs: their parameters are no names. Lists of helpers (FN) stay. */
const withoutMacros = (text: string): string =>
  text.replace(/^[ \t]*#[ \t]*define\b(?:\\\n|[^\n])*/gm, (found) =>
    /\bFN\s*\(/.test(found) ? found : blank(found),
  );
