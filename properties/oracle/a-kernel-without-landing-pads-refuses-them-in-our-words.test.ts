/** The profile tells whether the running kernel has landing pads; one without says of each of their insns what our verifier says for it. */
import { expect, it } from 'vitest';
import { BUILT_IN } from '../../src/kernel/profile.js';
import { loadProgram } from '../../src/oracle/load.js';
import { profileHere } from '../../src/oracle/profile/running.js';
import { verify } from '../../src/verifier/verify.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { BOTH_WAYS, padProgram, withPad } from '../support/pads/pads.js';

const PROGRAMS: Readonly<Record<string, string>> = {
  'a call with a landing pad': withPad('', 'work:\n    r0 = 0\n    exit\n'),
  'a function that unwinds': withPad('    r0 = 1', BOTH_WAYS),
  'the main program left by unwind_exit': 'main:\n    r0 = 0\n    unwind_exit\n',
};

describeKnownKernel('landing pads, on the running kernel', () => {
  const { landingPads } = profileHere().behaviour;

  it.each(Object.entries(PROGRAMS))('%s', (_, text) => {
    const program = padProgram(text);
    const loaded = loadProgram(program, { explain: true });
    if (loaded.ok) loaded.close();
    expect(loaded.ok).toBe(landingPads);
    const ours = verify(program, {
      kernel: { ...BUILT_IN, behaviour: { ...BUILT_IN.behaviour, landingPads } },
    });
    expect(ours.ok).toBe(landingPads);
    if (!loaded.ok && !ours.ok) expect(loaded.message).toContain(ours.message);
  });
});
