/** The comparisons with Linux, by name. */
import sound from '../../patch/sets/sound.js';
import { openCertificates } from './certificates.js';
import type { JudgedFor, OpenComparison } from './comparison.js';
import { openFacts } from './facts.js';
import { openValues } from './values.js';
import { openVerdicts } from './verdicts.js';

/**
 * The most insns that we walk for a verdict. Where speculative paths are walked, one program in twelve takes a million insns, which is
 * seconds for either side.
 */
const BUDGET = 20_000;

/** How each is opened. Throws InputError where bpf(2) is refused. */
export const COMPARISONS: Readonly<Record<string, (judged: JudgedFor) => OpenComparison>> = {
  /** Verdicts on generated programs. */
  generated: (judged) => openVerdicts({ ...judged, breaks: [], budget: BUDGET }),
  /** Verdicts on generated programs and their near misses. */
  verdicts: (judged) => openVerdicts({ ...judged, budget: BUDGET }),
  facts: (judged) => openFacts(judged),
  /** A program computes the same whoever loads it, so one loader is enough. */
  values: ({ profiles: _, ...judged }) => openValues(judged),
  /** Certificates of generated programs under the rules of `sound`; there is one for each. */
  sound: (judged) => openCertificates({ ...judged, rules: [sound], random: 0, alone: true }),
  /** Certificates under all shipped rule sets and random ones. */
  certificates: (judged) => openCertificates(judged),
};
