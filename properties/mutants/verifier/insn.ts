/** Mutants of what insns do to a state of the verifier. */
import type { Mutant } from '../mutant.js';

export const INSN_MUTANTS: readonly Mutant[] = [];
