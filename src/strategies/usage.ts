/** What a run that is not killed made use of: what a mechanism adds to it is counted from that. */

import type { Code } from '../vm/state/code.js';
import { DEFAULT_LIMIT, type RunResult, Vm, type VmOptions } from '../vm/vm.js';

/** Counts of one run, or of several together. */
export interface Usage {
  /** By slot: how often its insn ran. */
  readonly visits: Uint32Array;
  /** How many things were held just after each change of what is held. */
  readonly holding: readonly number[];
  /** Steps before which something was held. */
  readonly heldBefore: readonly number[];
  /** The run itself. */
  readonly run: RunResult;
}

/** Runs the program to its end, or to `maxSteps` (100 000 unless told), and counts. */
export function usageOf(code: Code, options: VmOptions): Usage {
  const vm = new Vm(code, options);
  const { machine } = vm;
  const visits = new Uint32Array(code.ops.length);
  const holding: number[] = [];
  const heldBefore: number[] = [];
  const { maxSteps = DEFAULT_LIMIT } = options;
  while (vm.running && machine.steps < maxSteps) {
    const before = machine.ledger.holds;
    if (before.length > 0) heldBefore.push(machine.steps);
    visits[machine.pc]!++;
    vm.step();
    if (machine.ledger.holds !== before) holding.push(machine.ledger.holds.length);
  }
  return { visits, holding, heldBefore, run: vm.run() };
}
