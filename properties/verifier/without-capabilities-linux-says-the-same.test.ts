/**
 * Our verifier on programs of a loader without CAP_PERFMON and CAP_SYS_ADMIN: the verdict and the words that Linux 6.18 is known to give,
 * and, where bpf(2) may be called, gives.
 */
import { describe, expect, it } from 'vitest';
import { loadProgram } from '../../src/oracle/load.js';
import { verify } from '../../src/verifier/verify.js';
import type { KernelCase } from '../support/kernel/case.js';
import { describeKnownKernel, messagesKnown } from '../support/kernel/skip.js';
import { forPerfmon, strictCases } from '../support/kernel/strict.js';

const named = strictCases.map((known) => [known.name, known] as const);

function ours({ program }: KernelCase): { readonly loads: boolean; readonly message?: string } {
  const verdict = verify(program, { profile: 'strict', facts: false });
  return verdict.ok ? { loads: true } : { loads: false, message: verdict.message };
}

const stated = ({ verdict, message }: KernelCase): { readonly loads: boolean; readonly message?: string } =>
  verdict === 'LOADS' ? { loads: true } : { loads: false, ...(message === undefined ? {} : { message }) };

describe('without capabilities our verifier says what Linux says', () => {
  it.each(named)('%s', (_, known) => {
    expect(ours(known)).toMatchObject(stated(known));
  });

  it('a tracepoint is not for everyone', () => {
    expect(ours(forPerfmon).loads).toBe(false);
    expect(verify(forPerfmon.program).ok).toBe(true);
  });

  it('most of it is for a loader that has them', () => {
    const accepted = strictCases.filter(({ program }) => verify(program, { facts: false }).ok).length;
    expect(accepted).toBeGreaterThan(strictCases.length - 3);
  });
});

describeKnownKernel('without capabilities Linux says so', () => {
  it.each([...named, ['a tracepoint', forPerfmon] as const])('%s', (_, known) => {
    const result = loadProgram(known.program, { strictCaps: true });
    if (result.ok) result.close();
    expect(result.ok ? 'LOADS' : result.errno).toBe(known.verdict);
    if (!result.ok && known.message !== undefined && messagesKnown())
      expect(result.message).toBe(known.message);
  });
});
