/** Mutants of the VM and the semantics of insns. */
import type { Mutant } from './mutant.js';

export const VM_MUTANTS: readonly Mutant[] = [];
