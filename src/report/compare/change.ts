/** What may change between two documents of one command. */

/** Figures that may be allowed to grow. */
export const GROWING = ['bound', 'insns', 'walked', 'ms'] as const;
/** One of them. */
export type Growing = (typeof GROWING)[number];

/** One thing that is not as it was. */
export interface Change {
  readonly file: string;
  /** The program; '' for a file. */
  readonly name: string;
  /** `program`: it is gone, or new. */
  readonly field: 'program' | 'verdict' | 'boundKind' | Growing;
  /** Null: there was none. A bound that is a time is `250ms+393221`. */
  readonly from: string | number | null;
  readonly to: string | number | null;
  readonly worse: boolean;
}

/** All changes, and how many programs they are among. */
export interface Changes {
  /** Programs that are in both documents. */
  readonly compared: number;
  /** Programs of which something got worse. */
  readonly worse: number;
  /** Programs that are only in the first, and only in the second. */
  readonly gone: number;
  readonly new: number;
  /** In the order of the second document, then what is gone. */
  readonly changes: readonly Change[];
}
