/** Mutants of the instruction set: encoding, text, labels. */
import type { Mutant } from './mutant.js';

export const ISA_MUTANTS: readonly Mutant[] = [];
