/** What the comments of a case say of its size: whether it may become smaller. */

/** Of a case as it was met. */
export const NOT_SHRUNK = 'not shrunk yet';
const SHRUNK = /^shrunk from (\d+) to \d+ insns(, budget spent)?$/;

/** Of a shrunk case; `done`: nothing smaller is left to try. */
export function markOf(from: number, to: number, done: boolean): string {
  return `shrunk from ${from} to ${to} insns${done ? '' : ', budget spent'}`;
}

/** Whether a comment says of what size the case is. */
export function isMark(comment: string): boolean {
  return comment === NOT_SHRUNK || SHRUNK.test(comment);
}

/** How far a case is shrunk, by its comments. `unmarked`: it was written by hand, or by a witness search; nobody tried to shrink it. */
export type Size = 'minimal' | 'still shrinking' | 'unmarked';

/** The size of a case, from its text. */
export function sizeMark(text: string): Size {
  const mark = commentsOf(text).find(isMark);
  if (mark === undefined) return 'unmarked';
  return SHRUNK.exec(mark)?.[2] === undefined && mark !== NOT_SHRUNK ? 'minimal' : 'still shrinking';
}

/** Insns that the case had before it was shrunk for the first time; undefined for one that was not. */
export function firstSize(comments: readonly string[]): number | undefined {
  const from = comments.map((comment) => SHRUNK.exec(comment)?.[1]).find((one) => one !== undefined);
  return from === undefined ? undefined : Number(from);
}

function commentsOf(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => (line.startsWith('# ') ? [line.slice(2).trimEnd()] : []));
}
