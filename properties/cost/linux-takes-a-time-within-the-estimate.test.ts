/** Costs measured on the running kernel make estimates that the same kernel keeps to: of the timed programs, all but one at the most. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { defaultCosts } from '../../src/cost/default-costs.js';
import { estimate } from '../../src/cost/estimate.js';
import { measureCosts } from '../../src/cost/measure/measure.js';
import { EFFORT } from '../../src/cost/measure/rounds.js';
import { kernelTime } from '../../src/cost/measure/timing.js';
import { readObject } from '../../src/object/load.js';
import { verify } from '../../src/verifier/verify.js';
import { describeKernel } from '../support/kernel/skip.js';

const FOLDER = resolve(import.meta.dirname, '../../corpus/objects/timed');
/** What kernels say of functions, insns and callbacks that they do not have. */
const LACKING =
  /^unknown opcode|^unknown func|subsystem misconfigured|vmlinux: ENOENT|not allowed in non-JITed programs/;
/** A machine that is busy with other things measures wrongly. */
const ATTEMPTS = 3;

describeKernel('Linux takes a time within the estimate', () => {
  it('of the timed programs', ({ skip }) => {
    let inside: readonly string[] = [];
    let outside: readonly string[] = [];
    for (let attempt = 0; attempt < ATTEMPTS && inside.length < 12; attempt++) {
      const { rows, left } = measureCosts(defaultCosts(), { ...EFFORT, roundNs: 100_000 });
      expect(left.filter(({ reason }) => !LACKING.test(reason))).toEqual([]);
      const [lacking] = left;
      if (lacking !== undefined)
        skip(`this kernel has not all that is timed: of ${lacking.name} it says ${lacking.reason}`);
      const how = { costs: defaultCosts().with(rows) };
      const judged = readdirSync(FOLDER)
        .filter((name) => name.endsWith('.o'))
        .flatMap((name) => readObject(readFileSync(join(FOLDER, name)), name).programs)
        .map((program) => {
          const verified = verify(program);
          if (!verified.ok) throw new Error(`${program.name}: ${verified.message}`);
          const { best, worst } = estimate(program, verified, how);
          const time = kernelTime(program, {});
          if (typeof time === 'string') throw new Error(`${program.name}: ${time}`);
          expect(worst / best).toBeLessThan(100);
          return { name: program.name, ok: time.median >= best && time.median <= worst };
        });
      expect(judged).toHaveLength(13);
      inside = judged.filter(({ ok }) => ok).map(({ name }) => name);
      outside = judged.filter(({ ok }) => !ok).map(({ name }) => name);
    }
    expect(outside.length, outside.join(', ')).toBeLessThanOrEqual(1);
  }, 60_000);
});
