/** Linux may say ENOMEM of a program with too many paths to remember. Its log says that it was judged, and so do we, however it is asked. */
import { expect, it } from 'vitest';
import { loadProgram } from '../../src/oracle/load.js';
import { parseCase } from '../../src/vm/case/case.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const { program } = parseCase(`.type raw_tracepoint
.license GPL
main:
    r6 = 0
    call bpf_get_prandom_u32#7
    if r0 == 0x5 goto out
again:
    call bpf_get_prandom_u32#7
    if r0 == 0x1 goto out
    r6 += 1
    may_goto next
next:
    goto again
out:
    r0 = r6
    exit
`);

describeKnownKernel('too many paths', () => {
  it.each([undefined, false] as const)('explain: %s', (explain) => {
    const loaded = loadProgram(program, explain === undefined ? {} : { explain });
    if (loaded.ok) {
      loaded.close();
      throw new Error('it was taken');
    }
    expect(loaded.errno).toMatch(/^(ENOMEM|EFAULT|E2BIG)$/);
    expect([loaded.stage, loaded.message]).toEqual(['program', 'The sequence of 8193 jumps is too complex.']);
  });
});
