/** Mutants of campaigns: checking, causes, shrinking, storage. */
import type { Mutant } from './mutant.js';

export const CAMPAIGN_MUTANTS: readonly Mutant[] = [];
