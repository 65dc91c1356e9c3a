/** Which attach types a program may be loaded for, type by type, is what the running kernel says. */
import { expect, it } from 'vitest';
import { exit, mov, r0 } from '../../src/isa/build.js';
import { takesAttachType } from '../../src/kernel/attach-types.js';
import { PROG_TYPES, type Program, type ProgType } from '../../src/object/program.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { verify } from '../../src/verifier/verify.js';
import { programOf } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

/** What these attach to must be there, and is part of the load. */
const NEEDS_TARGET: ReadonlySet<ProgType> = new Set(['tp_btf', 'iter', 'fentry', 'lsm', 'struct_ops']);
/** UPROBE_SESSION, the last of Linux 6.18. */
const LAST = 57;

describeKnownKernel('attach types', () => {
  it.each(PROG_TYPES.filter((type) => !NEEDS_TARGET.has(type)))('of %s', (type) => {
    const judge = new KernelJudge({ strictCaps: false, explain: false });
    try {
      for (let attach = 0; attach <= LAST; attach++) {
        // Some types may return 0 only, others 1 only.
        const programs = [0, 1].map(
          (result): Program => ({
            ...programOf(type, [mov(r0, result), exit()]),
            attach: { type: attach },
            ...(type === 'syscall' ? { sleepable: true } : {}),
          }),
        );
        const taken = takesAttachType(type, attach);
        expect(
          programs.some((program) => judge.judge(program).accepted),
          `${attach}`,
        ).toBe(taken);
        expect(
          programs.some((program) => verify(program, { facts: false }).ok),
          `${attach}`,
        ).toBe(taken);
      }
    } finally {
      judge.close();
    }
  });
});
