/**
 * Of all the stubs on the way to a broken check the cause names those that it takes, and no other, however many there are and wherever
 * they stand.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { causeOf } from '../../../src/campaign/kill/cause.js';
import type { Stub } from '../../../src/patch/rule.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { prepare } from '../../../src/vm/state/code.js';
import { EMPTY } from '../../../src/vm/state/environment.js';
import { Vm } from '../../../src/vm/vm.js';
import { seeded } from '../../support/seed.js';

/** Functions without arguments; what each returns is kept in a register of its own. */
const FUNCTIONS = [
  'bpf_ktime_get_ns',
  'bpf_get_prandom_u32',
  'bpf_get_smp_processor_id',
  'bpf_ktime_get_boot_ns',
];
/** No ordinary call returns this. */
const STUBBED = 77_777n;

/** Calls all functions in this order, and reads through NULL if those in `needed` returned what stubs return. */
function program(order: readonly string[], needed: readonly string[]) {
  const calls = order.map((name, i) => `    call ${name}\n    r${6 + i} = r0\n`);
  const tests = needed.map((name) => `    if r${6 + order.indexOf(name)} != ${STUBBED} goto out\n`);
  const text = `.type xdp\nmain:\n${calls.join('')}${tests.join('')}    r1 = 0\n    r1 = *(u64 *)(r1 +0)\nout:\n    r0 = 0\n    exit\n`;
  return parseCase(text).program;
}

it('what breaks is blamed on the stubs that it needs', () => {
  const orders = fc.shuffledSubarray(FUNCTIONS, { minLength: FUNCTIONS.length });
  const some = fc.subarray(FUNCTIONS, { minLength: 1 });
  fc.assert(
    fc.property(orders, some, (order, needed) => {
      const code = prepare(program(order, needed));
      const stub: Stub = { r0: STUBBED, writes: [], slots: [] };
      const slots = order.map((_, i) => 2 * i);
      const path = {
        rules: 'all',
        stubs: new Map(slots.map((slot) => [slot, stub])),
        ruleAt: new Map(slots.map((slot, i) => [slot, `rule of ${order[i]}`])),
      };
      const vm = new Vm(code, { fastPath: path });
      vm.kill();
      const [violation] = vm.run().violations;
      const cause = causeOf(code, {}, path, { violation: violation!, step: 0, env: EMPTY });
      expect(cause).toMatchObject({
        check: 'fault',
        function: [...needed].sort().join('+'),
        rule: needed
          .map((name) => `rule of ${name}`)
          .sort()
          .join('+'),
      });
    }),
    seeded(60),
  );
});
