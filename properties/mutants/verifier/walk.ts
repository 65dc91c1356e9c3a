/** Mutants of the verifier's walk: states that cover others, precision, liveness, widening, facts. */
import type { Mutant } from '../mutant.js';

export const WALK_MUTANTS: readonly Mutant[] = [];
