/** The comparisons with Linux, by name. */
import type { OpenComparison } from './comparison.js';
import { openFacts } from './facts.js';
import { openVerdicts } from './verdicts.js';

/** How each is opened. Throws InputError where bpf(2) is refused. */
export const COMPARISONS: Readonly<Record<string, () => OpenComparison | Promise<OpenComparison>>> = {
  facts: () => openFacts(),
  verdicts: () => openVerdicts(),
};
