/**
 * Two checkouts of swansong measured in one run: how fast each executes and verifies the same programs. The other checkout must have been
 * built. Rounds alternate, so that what else the machine does meets both alike; the best round of each counts.
 */
import { pathToFileURL } from 'node:url';
import type { Program } from '../../../object/program.js';
import type { verify } from '../../../verifier/verify.js';
import type { Vm } from '../../../vm/vm.js';
import { type Measure, measureOf, seconds } from './measure.js';

/** The parts of a checkout that are measured. */
export interface Checkout {
  readonly Vm: typeof Vm;
  readonly verify: typeof verify;
}

const ROUNDS = 7;

/** Loads what is measured of the checkout in this folder. Rejects if it has not been built there. */
export async function openCheckout(folder: string): Promise<Checkout> {
  const load = (file: string) => import(pathToFileURL(`${folder}/dist/src/${file}`).href);
  const [vm, verifier] = await Promise.all([load('vm/vm.js'), load('verifier/verify.js')]);
  return { Vm: vm.Vm, verify: verifier.verify };
}

/** The speed of this checkout over that of the other: of the VM on `loop`, of the verifier on `programs`. */
export function measureAgainst(
  here: Checkout,
  there: Checkout,
  loop: Program,
  programs: readonly Program[],
): readonly Measure[] {
  const run = (one: Checkout) => (): number => new one.Vm(loop, { maxSteps: 100_000_000 }).run().steps;
  const walk = (one: Checkout) => (): number =>
    programs.reduce((sum, program) => sum + one.verify(program, { facts: false }).walked, 0);
  const [ours, other] = best(run(here), run(there));
  const [ourWalk, otherWalk] = best(walk(here), walk(there));
  return [
    measureOf('VM / VM of the other checkout', ours, other, 'insns/s'),
    measureOf('verifier / verifier of the other checkout', ourWalk, otherWalk, 'insns/s'),
  ];
}

/** The best rates of two pieces of work, each of which answers how much it did. */
function best(one: () => number, other: () => number): readonly [number, number] {
  const rates: [number, number] = [0, 0];
  one();
  other();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, work] of [one, other].entries()) {
      const start = seconds();
      const done = work();
      rates[i] = Math.max(rates[i]!, done / (seconds() - start));
    }
  }
  return rates;
}
