/** How long a run in the VM takes: what each of its insns and calls usually costs, one after the other. */
import { regionOf } from '../vm/state/address.js';
import type { Vm } from '../vm/vm.js';
import {
  type Amount,
  add,
  amountsOf,
  type CostOptions,
  callSpan,
  insnSpan,
  roundSpan,
  runSpan,
  stubSpan,
  ZERO,
} from './span.js';
import type { Span } from './table.js';

/** A run with a clock. `step` as of the VM; the clock goes on by what the insn costs. */
export class TimedRun {
  private readonly insns: readonly (Span | undefined)[];
  /** What the run took so far, entering the program included. */
  elapsed: Span;

  /** `insns`: what insns cost, from another timed run of the same program. */
  constructor(
    readonly vm: Vm,
    private readonly options: CostOptions,
    from?: TimedRun,
  ) {
    this.insns = from?.insns ?? vm.code.ops.map((op) => op && insnSpan(op, options));
    this.elapsed = from?.elapsed ?? runSpan(options);
  }

  /** An independent copy of the run as it is now. */
  fork(): TimedRun {
    return new TimedRun(this.vm.fork(), this.options, this);
  }

  /** Executes one insn; answers whether the run goes on. */
  step(): boolean {
    const { vm } = this;
    const { machine } = vm;
    if (!vm.running) return false;
    const cost = this.costHere();
    const before = machine.frames;
    const goesOn = vm.step();
    this.elapsed = add(this.elapsed, cost);
    // A callback has returned: the helper goes round.
    const left = before.at(-1);
    if (
      left?.helper !== undefined &&
      machine.frames.length <= before.length &&
      machine.frames.at(-1) !== left
    ) {
      const contract = vm.code.contracts[left.helper.slot];
      if (contract !== undefined) this.elapsed = add(this.elapsed, roundSpan(contract, this.options));
    }
    return goesOn;
  }

  private costHere(): Span {
    const { machine, code } = this.vm;
    const { pc } = machine;
    const insn = this.insns[pc] ?? ZERO;
    const contract = code.contracts[pc];
    const stubbed = machine.killed && machine.options.fastPath?.stubs.has(pc) === true;
    if (contract === undefined) return insn;
    if (stubbed) return stubSpan(this.options);
    const number = (arg: number): Amount => {
      const value = Number(machine.regs[arg + 1]! & 0xffff_ffffn);
      return [value, value];
    };
    const amounts = amountsOf(contract, {
      number,
      map: (arg) => {
        const region = machine.memory.get(regionOf(machine.regs[arg + 1]!));
        return region?.kind === 'map' && region.map !== undefined ? code.program.maps[region.map] : undefined;
      },
    });
    return callSpan(contract, amounts, this.options);
  }
}

/** The time of a run from where it is to its end, or until it has made `maxSteps` steps in all; undefined: it has not ended by then. */
export function actualTime(run: TimedRun, maxSteps: number): Span | undefined {
  while (run.vm.running) {
    if (run.vm.machine.steps >= maxSteps) return undefined;
    run.step();
  }
  return run.elapsed;
}
