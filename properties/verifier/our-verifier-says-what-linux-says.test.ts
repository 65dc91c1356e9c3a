/** Our verifier on the programs whose verdicts Linux 6.18 is known to give: the same verdict, and the same words. Needs no kernel. */
import { describe, expect, it } from 'vitest';
import { verify } from '../../src/verifier/verify.js';
import { KNOWN_CASES } from '../support/kernel/known-cases.js';

/** Numbers of references are ours to choose. */
const anonymous = (message: string): string => message.replace(/\bid=\d+/g, 'id=N');

describe('our verifier says what Linux says', () => {
  it.each(KNOWN_CASES.map((known) => [`${known.family}: ${known.name}`, known] as const))(
    '%s',
    (_, known) => {
      const verdict = verify(known.program);
      const message = verdict.ok ? '' : verdict.message;
      expect({ ok: verdict.ok, message }).toMatchObject({ ok: known.verdict === 'LOADS', message });
      if (!verdict.ok && known.message !== undefined)
        expect(anonymous(message)).toBe(anonymous(known.message));
    },
  );
});
