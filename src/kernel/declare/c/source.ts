/**
 * C out of a source file or a unified diff, with what is new told apart: of a diff only lines that it adds are, and what it takes away is not
 * there. Comments are blanked out; line breaks stay.
 */

/** A line of C. */
interface SourceLine {
  readonly text: string;
  /** It is added by the diff; in a plain file every line is. */
  readonly added: boolean;
}

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

type LineHeading = Omit<Heading, 'at'> & { readonly line: number };

const HUNK = /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@ ?(.*)$/;

/** Whether a text is a unified diff, perhaps behind a mail's header. */
const isDiff = (lines: readonly string[]): boolean =>
  lines.some((line) => HUNK.test(line)) && lines.some((line) => line.startsWith('+++ '));

/** Reads a C file, or a unified diff of C files with any number of hunks and files. */
export function readSource(text: string): Source {
  const all = text.split(/\r?\n/);
  const lines: SourceLine[] = [];
  const headings: LineHeading[] = [];
  if (isDiff(all)) readDiff(all, lines, headings);
  else for (const line of all) lines.push({ text: line, added: true });
  const starts: number[] = [];
  let length = 0;
  for (const line of lines) {
    starts.push(length);
    length += line.text.length + 1;
  }
  const lineAt = (offset: number): number => {
    let line = 0;
    while (line + 1 < starts.length && starts[line + 1]! <= offset) line++;
    return line;
  };
  return {
    text: withoutComments(lines.map((line) => line.text).join('\n')),
    isNew: (from, to) =>
      lines.slice(lineAt(from), lineAt(Math.max(from, to - 1)) + 1).some(({ added }) => added),
    headings: headings.map(({ line, ...heading }) => ({ at: starts[line] ?? length, ...heading })),
  };
}

function readDiff(all: readonly string[], lines: SourceLine[], headings: LineHeading[]): void {
  // Lines that a hunk still has of the old file and of the new one.
  let [old, made] = [0, 0];
  for (const line of all) {
    const hunk = HUNK.exec(line);
    if (hunk !== null) {
      const [before, after] = [...line.matchAll(/[-+]\d+(?:,(\d+))?/g)].map((match) => Number(match[1] ?? 1));
      [old, made] = [before ?? 0, after ?? 0];
      // What a hunk breaks off in must not run on into the next.
      lines.push({ text: '', added: false });
      const heading = hunk[1] ?? '';
      headings.push({
        line: lines.length,
        function: /(\w+)\s*\(/.exec(heading)?.[1] ?? '',
        set: /BTF_(?:KFUNCS|SET8?)_START\s*\(\s*(\w+)/.exec(heading)?.[1],
      });
      continue;
    }
    if (old <= 0 && made <= 0) continue;
    if (line.startsWith('+')) {
      lines.push({ text: line.slice(1), added: true });
      made--;
    } else if (line.startsWith('-')) old--;
    else if (!line.startsWith('\\')) {
      lines.push({ text: line.slice(1), added: false });
      old--;
      made--;
    }
  }
}

function withoutComments(text: string): string {
  const blank = (found: string): string => found.replace(/[^\n]/g, ' ');
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, blank);
}
