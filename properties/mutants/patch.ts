/** Mutants of rules, rule sets and the two-mode text. */
import type { Mutant } from './mutant.js';

export const PATCH_MUTANTS: readonly Mutant[] = [];
