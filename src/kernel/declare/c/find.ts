/**
 * Finds the functions that C source adds for programs to call: `__bpf_kfunc` definitions with their BTF_ID_FLAGS lines, and initialisers of
 * `struct bpf_func_proto`. What the source says of them becomes the fields of a declaration; what it does not say is left out.
 */
import type { FoundFunction } from './found.js';
import { findHelpers } from './helpers.js';
import { findKfuncs } from './kfuncs.js';
import { readSource } from './source.js';

/** What was found, and what cannot be made a declaration, in a sentence each. */
export interface FoundInC {
  readonly functions: readonly FoundFunction[];
  readonly notes: readonly string[];
}

/**
 * Reads C, as a file, as a unified diff, or as mails with diffs. Of a diff, only functions are found that it adds. Throws InputError for
 * another kind of diff.
 */
export function findInC(text: string): FoundInC {
  const source = readSource(text);
  const notes: string[] = [];
  const kfuncs = findKfuncs(source, notes);
  const helpers = findHelpers(source, notes);
  return { functions: [...kfuncs, ...helpers], notes };
}
