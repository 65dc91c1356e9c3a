/** Programs that show a mistake which verifiers of 2026 made are refused, however they are walked; near neighbours are not. */
import { describe, expect, it } from 'vitest';
import { loadProgram } from '../../src/oracle/load.js';
import { verify } from '../../src/verifier/verify.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { hasRow } from '../support/kernel/stricter-rows.js';
import { kinds } from '../support/mended/index.js';

/** The ways to walk a program: as Linux does; until what is found are facts; comparing every number. */
const WALKS = [{ facts: false }, {}, { facts: false, precision: false }] as const;

const all = Object.values(kinds);
const bad = all.flatMap(({ bad, message }) =>
  bad.map(({ name, program }) => [name, program, message] as const),
);
const good = all.flatMap(({ good }) => good.map(({ name, program }) => [name, program] as const));

describe('what later kernels mended is refused', () => {
  it.each(bad)('%s', (_, program, message) => {
    for (const walk of WALKS) {
      const verdict = verify(program, walk);
      const lines = verdict.ok ? ['accepted'] : verdict.lines;
      expect(lines.find((line) => message.test(line)) ?? lines).toMatch(message);
    }
  });
});

describe('a near neighbour is accepted', () => {
  it.each(good)('%s', (_, program) => {
    for (const walk of WALKS.slice(0, 2)) {
      const verdict = verify(program, walk);
      expect(verdict.ok ? 'accepted' : verdict.message).toBe('accepted');
    }
  });
});

describeKnownKernel('Linux', () => {
  it.each(good)('accepts %s', (_, program) => {
    const result = loadProgram(program);
    if (result.ok) result.close();
    expect(result.ok ? 'LOADS' : result.message).toBe('LOADS');
  });

  it.each(bad)('refuses what is bad, or the docs say why it does not: %s', (_, program) => {
    const result = loadProgram(program);
    if (result.ok) result.close();
    const verdict = verify(program, { facts: false });
    expect(!result.ok || (!verdict.ok && verdict.lines.some(hasRow))).toBe(true);
  });
});
