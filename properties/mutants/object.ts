/** Mutants of the readers of objects and BTF. */
import type { Mutant } from './mutant.js';

export const OBJECT_MUTANTS: readonly Mutant[] = [];
