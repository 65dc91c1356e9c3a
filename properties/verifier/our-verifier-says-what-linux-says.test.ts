/** Our verifier on the programs whose verdicts Linux 6.18 is known to give: the same verdict, and the same words. Needs no kernel. */
import { describe, expect, it } from 'vitest';
import { verify } from '../../src/verifier/verify.js';
import { acrossCases } from '../support/kernel/across.js';
import { callCases } from '../support/kernel/calls.js';
import { linkCases } from '../support/kernel/links.js';
import { lockCases } from '../support/kernel/locks.js';
import { memoryCases } from '../support/kernel/memory.js';
import { missCases } from '../support/kernel/misses.js';
import { newerCases } from '../support/kernel/newer.js';
import { ownedCases } from '../support/kernel/owned.js';
import { sectionCases } from '../support/kernel/sections.js';

const cases = [
  ...memoryCases,
  ...sectionCases,
  ...lockCases,
  ...callCases,
  ...ownedCases,
  ...acrossCases,
  ...missCases,
  ...linkCases,
  ...newerCases,
];

/** Numbers of references are ours to choose. */
const anonymous = (message: string): string => message.replace(/\bid=\d+/g, 'id=N');

describe('our verifier says what Linux says', () => {
  it.each(cases.map((known) => [`${known.family}: ${known.name}`, known] as const))('%s', (_, known) => {
    const verdict = verify(known.program);
    const message = verdict.ok ? '' : verdict.message;
    expect({ ok: verdict.ok, message }).toMatchObject({ ok: known.verdict === 'LOADS', message });
    if (!verdict.ok && known.message !== undefined) expect(anonymous(message)).toBe(anonymous(known.message));
  });
});
