/** Mutants of what the verifier makes of a program before it walks it. */
import type { Mutant } from '../mutant.js';

export const TEXT_MUTANTS: readonly Mutant[] = [];
