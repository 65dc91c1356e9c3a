/** Each program of those that Linux 6.18 accepts and we refuse, and that docs/stricter-than-linux.md has a row for the reason. */
import { describe, expect, it } from 'vitest';
import { loadProgram } from '../../../src/oracle/load.js';
import { verify } from '../../../src/verifier/verify.js';
import { describeKernel, messagesKnown } from '../../support/kernel/skip.js';
import { stricterCases } from '../../support/kernel/stricter.js';
import { hasRow } from '../../support/kernel/stricter-rows.js';

const named = stricterCases.map((stricter) => [stricter.known.name, stricter] as const);
describe('what we refuse alone is in the docs', () => {
  it.each(named)('%s', (_, { known, profile, message }) => {
    const verdict = verify(known.program, { profile, facts: false });
    expect(verdict.ok ? 'accepted' : verdict.message).toMatch(message);
    const words = verdict.ok ? '' : verdict.message;
    expect(hasRow(words), words).toBe(true);
  });
});

describeKernel('Linux accepts it', () => {
  it.each(named)('%s', (_, { known, profile }) => {
    const result = loadProgram(known.program, { strictCaps: profile === 'strict' });
    if (result.ok) result.close();
    // A later kernel may have seen its mistake.
    if (messagesKnown()) expect(result.ok ? 'LOADS' : result.message).toBe('LOADS');
  });
});
