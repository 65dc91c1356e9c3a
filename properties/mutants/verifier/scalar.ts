/** Mutants of what the verifier knows of numbers. */
import type { Mutant } from '../mutant.js';

export const SCALAR_MUTANTS: readonly Mutant[] = [];
