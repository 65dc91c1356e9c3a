/** Mutants of the contracts and tables of the kernel. */
import type { Mutant } from './mutant.js';

export const KERNEL_MUTANTS: readonly Mutant[] = [];
