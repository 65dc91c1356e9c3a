/**
 * Programs that are heavy for a verifier are no heavier for ours than for Linux, counted in insns walked, and no program is walked beyond
 * the limit that Linux has. Where there is a kernel it says what it walked; where there is none what Linux 6.18 walked is known.
 */
import { describe, expect, it } from 'vitest';
import { loadProgram } from '../../../src/oracle/load.js';
import { INSN_BUDGET, verify } from '../../../src/verifier/verify.js';
import { ENDLESS, HEAVY, WALKED } from '../../support/kernel/heavy.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';

/** At most this many times what Linux walks, and a few insns. */
const MOST = 1.25;
const FEW = 20;

/** Insns that Linux walks; undefined where it does not accept the program. */
function walkedByLinux(name: string): number | undefined {
  const loaded = loadProgram(HEAVY.get(name)!, { logLevel: 4 });
  if (!loaded.ok) return undefined;
  loaded.close();
  return Number(/processed (\d+) insns/.exec(loaded.log)?.[1]);
}

const isBounded = (ours: number, linux: number): boolean => ours <= MOST * linux + FEW;

describe('our verifier walks about as much as Linux', () => {
  it.each([...HEAVY])('%s', (name, program) => {
    for (const facts of [false, true]) {
      const verdict = verify(program, { facts });
      expect(verdict.ok ? '' : verdict.message).toBe('');
      expect(isBounded(verdict.walked, WALKED[name]!), `${verdict.walked} insns, Linux ${WALKED[name]}`).toBe(
        true,
      );
    }
  });

  it('and would walk more if every number counted', () => {
    const over = [...HEAVY].filter(([name, program]) => {
      const verdict = verify(program, { facts: false, precision: false, budget: 20_000 });
      return !verdict.ok || !isBounded(verdict.walked, WALKED[name]!);
    });
    expect(over.length).toBeGreaterThanOrEqual(3);
  });
});

describe('no program is walked without end', () => {
  it.each([...ENDLESS])('%s', (_, program) => {
    const verdict = verify(program, { facts: false });
    expect(verdict.ok).toBe(false);
    expect(verdict.walked).toBeLessThanOrEqual(INSN_BUDGET + 1);
  });

  it('nor beyond a limit of the caller', () => {
    for (const [name, program] of [...HEAVY, ...ENDLESS]) {
      const verdict = verify(program, { budget: 20 });
      expect(verdict.ok ? 'accepted' : verdict.reason, name).toBe('budget');
      expect(verdict.walked, name).toBeLessThanOrEqual(21);
    }
  });
});

describeKnownKernel('what Linux walks is what it is known to walk', () => {
  it.each([...HEAVY.keys()])('%s', (name) => {
    const linux = walkedByLinux(name);
    expect(linux).toBeDefined();
    // Other releases may walk more or less; a tenth is no other program.
    expect(Math.abs(linux! - WALKED[name]!)).toBeLessThanOrEqual(WALKED[name]! / 10);
  });
});
