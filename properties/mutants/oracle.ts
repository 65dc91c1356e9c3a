/** Mutants of the kernel as an oracle: loads, logs, certificates. */
import type { Mutant } from './mutant.js';

export const ORACLE_MUTANTS: readonly Mutant[] = [];
