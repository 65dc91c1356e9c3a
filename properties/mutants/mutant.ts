/**
 * A mutant: one small change to a source file that makes swansong wrong, to see whether a property notices. Mutants are made from outside,
 * while a property loads the file (`plugin.ts`); no file is written, and the product has no switch for being wrong.
 */

export interface Mutant {
  /** What is wrong now, in a few words with dashes: `any-lock-will-do`. */
  readonly name: string;
  /** The file that is changed, from the root of the tree. */
  readonly file: string;
  /** The declaration that holds the node: a function, a constant, `Class.member`, `function.inner`, `default`. */
  readonly inside: string;
  /** The node: its source text, white space aside. There must be exactly one such node inside the declaration. */
  readonly node: string;
  /** What stands there instead; empty: the node is taken out. */
  readonly becomes: string;
  /** What is wrong now, in one sentence. */
  readonly wrong: string;
  /** Properties that ought to notice, the quickest first: paths below `properties/` without `.test.ts`. */
  readonly noticedBy: readonly string[];
}

/** A mutant without what those of one file have in common. */
export type OwnPart = Omit<Mutant, 'file' | 'noticedBy'> & { readonly noticedBy?: readonly string[] };

/** Mutants of one file. `noticedBy`: the properties that ought to notice each that names none of its own. */
export function mutantsOf(
  file: string,
  noticedBy: readonly string[],
  mutants: readonly OwnPart[],
): readonly Mutant[] {
  return mutants.map((mutant) => ({ noticedBy, ...mutant, file }));
}
