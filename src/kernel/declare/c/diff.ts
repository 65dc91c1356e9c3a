/**
 * What unified diffs leave of the C files that they change: of each hunk the lines of the new file, with those told apart that are added. Of
 * a series, where one patch changes what another added, the last word counts.
 */
import { InputError } from '../../../isa/errors.js';

/** One line of a source file, and whether a diff brings it. */
export interface SourceLine {
  readonly text: string;
  /** It is added by the diff; in a plain file every line is. */
  readonly added: boolean;
}

/** Lines of one file that stand together, as the diff leaves them. */
export interface Hunk {
  /** What stands behind the second @@: the function, or the set of BTF ids, that the hunk begins in. */
  readonly heading: string;
  readonly lines: readonly SourceLine[];
}

/** A hunk as it was read: `was` is what it finds, `becomes` what it leaves, and context is in both. */
interface ReadHunk {
  readonly path: string;
  /** Counts the files of all diffs: a file that several patches change has several numbers. */
  readonly section: number;
  /** Line of the new file that it begins at. */
  readonly start: number;
  readonly heading: string;
  readonly was: readonly string[];
  /** `at`: of context, its index in `was`. */
  readonly becomes: readonly (SourceLine & { readonly at?: number })[];
}

/** A line of a file as the patches so far leave it. */
interface KnownLine extends SourceLine {
  /** The last patch that it was in. */
  readonly section: number;
  readonly heading?: string;
}

/** What is known of a file: lines by their number, and hunks whose numbers do not fit the others. */
interface KnownFile {
  readonly lines: (KnownLine | undefined)[];
  readonly loose: KnownLine[][];
}

const HUNK = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$/;
/** Lines beyond are not counted: the numbers of a hunk are only words in a text. */
const MOST_LINES = 1 << 18;

/** Whether a text is a diff. Throws InputError for a kind of diff that is not read. */
export function isDiff(lines: readonly string[]): boolean {
  if (lines.some((line) => /^@@@+ -\d.*@@@+/.test(line)))
    throw new InputError('a combined diff of a merge: expected a unified diff, as git diff A B prints it');
  if (lines.some((line) => /^\*\*\* \d+(,\d+)? \*\*\*\*$/.test(line)))
    throw new InputError('a context diff: expected a unified diff, as git diff or diff -u prints it');
  return lines.some((line) => HUNK.test(line)) && lines.some((line) => line.startsWith('+++ '));
}

/** The hunks of C files that a diff leaves, in order; those of other files (documentation, Makefiles) are passed over. */
export function readDiff(lines: readonly string[]): readonly Hunk[] {
  const files = new Map<string, KnownFile>();
  for (const hunk of hunksOf(lines)) {
    if (!/\.[ch]$/.test(hunk.path)) continue;
    const file = files.get(hunk.path) ?? { lines: [], loose: [] };
    files.set(hunk.path, file);
    put(file, hunk);
  }
  return [...files.values()].flatMap((file) => [...runsOf(file.lines), ...file.loose].map(hunkOf));
}

function* hunksOf(all: readonly string[]): Generator<ReadHunk> {
  let path = '';
  let section = 0;
  for (let at = 0; at < all.length; at++) {
    const line = all[at]!;
    if (line.startsWith('+++ ')) {
      // Behind a tab stands a time; git quotes names with odd characters.
      path = line.slice(4).split('\t')[0]!.trim().replaceAll('"', '').replace(/^b\//, '');
      section++;
    }
    const head = HUNK.exec(line);
    if (head === null) continue;
    let [old, made] = [Number(head[1] ?? 1), Number(head[3] ?? 1)];
    // What only takes lines away names the line before.
    const start = Number(head[2]) + (made === 0 ? 1 : 0);
    const was: string[] = [];
    const becomes: (SourceLine & { at?: number })[] = [];
    while ((old > 0 || made > 0) && at + 1 < all.length && !endsHunk(all, at + 1)) {
      at++;
      const next = all[at]!;
      const text = next.slice(1);
      if (next.startsWith('+')) {
        becomes.push({ text, added: true });
        made--;
      } else if (next.startsWith('-')) {
        was.push(text);
        old--;
      } else if (!next.startsWith('\\')) {
        becomes.push({ text, added: false, at: was.length });
        was.push(text);
        old--;
        made--;
      }
    }
    yield { path, section, start, heading: head[4] ?? '', was, becomes };
  }
}

/** A hunk whose numbers promise more than it has ends where something else begins. */
const endsHunk = (all: readonly string[], at: number): boolean =>
  HUNK.test(all[at]!) ||
  all[at]!.startsWith('diff --git ') ||
  (all[at]!.startsWith('--- ') && all[at + 1]?.startsWith('+++ ') === true);

/** Puts a hunk in at its number, or where its text fits what earlier patches left; else it stands alone. */
function put({ lines, loose }: KnownFile, hunk: ReadHunk): void {
  const { was, start, heading, section } = hunk;
  const at =
    start >= 1 && start <= MOST_LINES && meets(lines, hunk, start) !== undefined
      ? start
      : nearest(lines, hunk);
  const made = (there: (index: number) => KnownLine | undefined): KnownLine[] =>
    hunk.becomes.map(({ text, added, at: index }, i) => ({
      text,
      // What it finds added and leaves alone is still added.
      added: added || (index !== undefined && there(index)?.added === true),
      section,
      ...(i === 0 ? { heading } : {}),
    }));
  if (at === undefined) {
    loose.push(made(() => undefined));
    return;
  }
  if (lines.length < at) lines.length = at;
  lines.splice(at, was.length, ...made((index) => lines[at + index]));
}

/** How many telling lines of earlier patches a hunk meets at a line; undefined where they are others, or where its own patch was already. */
function meets(lines: KnownFile['lines'], { was, section }: ReadHunk, at: number): number | undefined {
  let met = 0;
  for (const [i, text] of was.entries()) {
    const there = lines[at + i];
    if (there === undefined) continue;
    if (there.section === section || there.text !== text) return undefined;
    if (/\w{4}/.test(text)) met++;
  }
  return met;
}

/** The line nearest to its number where a hunk meets what earlier patches left. */
function nearest(lines: KnownFile['lines'], hunk: ReadHunk): number | undefined {
  let best: number | undefined;
  for (let at = Math.max(1, 1 - hunk.was.length); at < lines.length; at++) {
    const far = Math.abs(at - hunk.start);
    if (best !== undefined && far >= Math.abs(best - hunk.start)) continue;
    if ((meets(lines, hunk, at) ?? 0) > 0) best = at;
  }
  return best;
}

/** Lines that stand together. */
function runsOf(lines: KnownFile['lines']): KnownLine[][] {
  const runs: KnownLine[][] = [];
  let last = -1;
  lines.forEach((line, at) => {
    if (line === undefined) return;
    if (at !== last + 1 || runs.length === 0) runs.push([]);
    runs.at(-1)!.push(line);
    last = at;
  });
  return runs;
}

const hunkOf = (lines: readonly KnownLine[]): Hunk => ({ heading: lines[0]?.heading ?? '', lines });
