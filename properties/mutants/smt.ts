/** Mutants of the proofs: of rules, of programs, of bounds. */
import type { Mutant } from './mutant.js';

export const SMT_MUTANTS: readonly Mutant[] = [];
