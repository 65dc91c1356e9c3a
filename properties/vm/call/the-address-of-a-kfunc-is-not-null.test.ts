/** A program that asks whether a kfunc exists runs as Linux verifies it: the address that was found is not NULL. A variable's is refused. */

import { expect, it } from 'vitest';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { Vm } from '../../../src/vm/vm.js';

const asks = (size: number): string => `.type tc
.license GPL
.kernel_var 7 size=${size}
main:
    r1 = btf_id 7
    r2 = btf_id 7
    r0 = 1
    if r1 != 0x0 goto there
    r0 = 0
there:
    exit
`;

it.each(['fast', 'definitional'] as const)('%s', (tier) => {
  const { program } = parseCase(asks(0));
  const verified = verify(program);
  if (!verified.ok) throw new Error(verified.message);
  const run = new Vm(program, { tier, facts: verified.facts, checkFacts: true }).run();
  expect(run).toMatchObject({ end: 'exit', r0: 1n, violations: [], disagreement: undefined });
  expect(() => new Vm(parseCase(asks(4)).program)).toThrow('takes the address of a kernel variable');
});
