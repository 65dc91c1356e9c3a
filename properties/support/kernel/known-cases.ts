/** All small programs whose verdicts Linux 6.18 is known to give to a loader with all capabilities. */
import { acrossCases } from './across.js';
import { callCases } from './calls.js';
import type { KernelCase } from './case.js';
import { linkCases } from './links.js';
import { lockCases } from './locks.js';
import { memoryCases } from './memory.js';
import { missCases } from './misses.js';
import { newerCases } from './newer.js';
import { ownedCases } from './owned.js';
import { sectionCases } from './sections.js';
import { sharpCases } from './sharp.js';

export const KNOWN_CASES: readonly KernelCase[] = [
  ...memoryCases,
  ...sectionCases,
  ...lockCases,
  ...callCases,
  ...ownedCases,
  ...acrossCases,
  ...missCases,
  ...linkCases,
  ...newerCases,
  ...sharpCases,
];
