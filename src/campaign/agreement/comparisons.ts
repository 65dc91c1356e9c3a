/** The comparisons with Linux, by name. */
import sound from '../../patch/sets/sound.js';
import { openCertificates } from './certificates.js';
import type { OpenComparison } from './comparison.js';
import { openFacts } from './facts.js';
import { openValues } from './values.js';
import { openVerdicts } from './verdicts.js';

/** Insns that we may walk for a verdict: one program in twelve takes a million where wrong guesses are walked, seconds for either side. */
const BUDGET = 20_000;

/** How each is opened. Throws InputError where bpf(2) is refused. */
export const COMPARISONS: Readonly<Record<string, () => OpenComparison | Promise<OpenComparison>>> = {
  /** Verdicts on generated programs. */
  generated: () => openVerdicts({ breaks: [], budget: BUDGET }),
  /** Verdicts on generated programs and their near misses. */
  verdicts: () => openVerdicts({ budget: BUDGET }),
  facts: () => openFacts(),
  values: () => openValues(),
  /** Certificates of generated programs under the rules of `sound`; there is one for each. */
  sound: () => openCertificates({ rules: [sound], random: 0, alone: true }),
  /** Certificates under all shipped rule sets and random ones. */
  certificates: () => openCertificates(),
};
