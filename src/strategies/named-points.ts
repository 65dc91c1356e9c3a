/** Termination points that a program names itself: behind its calls of bpf_die_kfunc. */
import { dieCalls } from '../kernel/die.js';
import { PAUSE } from '../vm/insn/pauses.js';
import { KillPoints } from '../vm/kill-classes.js';
import type { Code } from '../vm/state/code.js';
import { DEFAULT_LIMIT, Vm, type VmOptions } from '../vm/vm.js';

/** Steps of an ordinary run just behind each call, as far as the run comes and goes on; ascending. */
export function namedSteps(code: Code, options: VmOptions): readonly number[] {
  const slots = dieCalls(code);
  if (slots.size === 0) return [];
  const vm = new Vm(code, options);
  const { machine } = vm;
  const pauses = Uint8Array.from(code.ops, (_, slot) => (slots.has(slot) ? PAUSE.always : PAUSE.never));
  const steps: number[] = [];
  const { maxSteps = DEFAULT_LIMIT } = options;
  while (vm.running && machine.steps < maxSteps) {
    if (slots.has(machine.pc) && vm.advance(machine.steps + 1)) steps.push(machine.steps);
    else vm.advance(maxSteps, pauses);
  }
  return steps;
}

/** These steps as points of a run. */
export class NamedPoints extends KillPoints {
  /** `steps`: ascending. */
  constructor(private readonly steps: readonly number[]) {
    super();
  }

  override from(step: number): number {
    return this.steps.find((one) => one >= step) ?? Number.POSITIVE_INFINITY;
  }

  override count(first: number, last: number): number {
    return this.steps.filter((one) => one >= first && one <= last).length;
  }
}
