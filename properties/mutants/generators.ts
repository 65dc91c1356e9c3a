/** Mutants of the generators. */
import type { Mutant } from './mutant.js';

export const GENERATOR_MUTANTS: readonly Mutant[] = [];
