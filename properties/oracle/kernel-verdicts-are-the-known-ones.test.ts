/** The oracle on small programs whose verdicts Linux 6.18 is known to give: sockets, records, sections, locks, callbacks, ownership. */
import { expect, it } from 'vitest';
import { loadProgram } from '../../src/oracle/load.js';
import { testRun } from '../../src/oracle/testrun.js';
import type { KernelCase } from '../support/kernel/case.js';
import { KNOWN_CASES } from '../support/kernel/known-cases.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

/** The verdict, the message and the result of a run, as far as the case states them. */
function asked(known: KernelCase): Pick<KernelCase, 'verdict' | 'message' | 'retval'> {
  const result = loadProgram(known.program, { strictCaps: false });
  if (!result.ok) {
    // Where no message is stated only the refusal counts: kernels of one release give other error numbers for some.
    if (known.message === undefined && known.verdict !== 'LOADS') return { verdict: known.verdict };
    return { verdict: result.errno, ...(known.message === undefined ? {} : { message: result.message }) };
  }
  try {
    if (known.retval === undefined) return { verdict: 'LOADS' };
    const run = testRun(known.program, result);
    if (!run.ok) throw new Error(run.message);
    return { verdict: 'LOADS', retval: run.retval };
  } finally {
    result.close();
  }
}

function stated(known: KernelCase): Pick<KernelCase, 'verdict' | 'message' | 'retval'> {
  const { verdict, message, retval } = known;
  return {
    verdict,
    ...(message === undefined ? {} : { message }),
    ...(retval === undefined ? {} : { retval }),
  };
}

describeKnownKernel('kernel verdicts are the known ones', () => {
  it.each(KNOWN_CASES.map((known) => [`${known.family}: ${known.name}`, known] as const))(
    '%s',
    (_, known) => {
      expect(asked(known)).toEqual(stated(known));
    },
  );

  it('a wrong expectation is seen', () => {
    const [first] = KNOWN_CASES.filter((known) => known.verdict === 'LOADS');
    const [refused] = KNOWN_CASES.filter((known) => known.verdict !== 'LOADS');
    expect(asked(first!)).not.toEqual({ ...stated(first!), retval: 12345 });
    expect(asked(refused!).verdict).not.toBe('LOADS');
  });
});
