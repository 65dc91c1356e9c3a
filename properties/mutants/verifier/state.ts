/** Mutants of the verifier's states: registers, stack, links. */
import type { Mutant } from '../mutant.js';

export const STATE_MUTANTS: readonly Mutant[] = [];
