/** What a visit costs, from what the verifier knows there. */
import type { Op } from '../isa/insn.js';
import type { Contract } from '../kernel/contract.js';
import type { Program } from '../object/program.js';
import type { Weigh } from '../smt/bound.js';
import { frameOf } from '../verifier/state/state.js';
import type { Code } from '../verifier/text/code.js';
import type { VisitGraph } from '../verifier/walk/visit-graph.js';
import {
  add,
  amountsOf,
  type CallAmounts,
  type CostOptions,
  callSpan,
  insnSpan,
  roundSpan,
  stubSpan,
  ZERO,
} from './span.js';
import type { Span } from './table.js';

/** Sizes are 32 bits wide in the calls that take them; a larger number is refused by the verifier. */
const MOST_BYTES = 0xffff_ffff;

const small = (value: bigint): number => (value > BigInt(MOST_BYTES) ? MOST_BYTES : Number(value));

/** Whether a function runs a function of the program before it returns. */
export const runsCallback = (contract: Contract): boolean =>
  contract.args.some((arg) => arg.kind === 'callback' && arg.callback.async !== true);

/** What visits cost, in the form that `bounds` and the shortest path want it. */
export class VisitCosts {
  constructor(
    private readonly program: Program,
    private readonly code: Code,
    private readonly options: CostOptions,
  ) {}

  /**
   * What one pass of the insn of a visit costs. A helper that runs callbacks is passed once at its start, which `start` tells, and once more after each of
   * them: what a round adds is charged to the end of the callback, for there a helper also ends that was interrupted by a kill. `stubbed`: a stub takes the
   * place of the call.
   */
  pass(visits: VisitGraph, v: number, stubbed: boolean): Span {
    const slot = visits.slot(v);
    const op = this.code.ops[slot];
    if (op === undefined) throw new Error(`slot ${slot} is no insn`);
    const contract = this.code.contracts[slot];
    if (contract === undefined) return add(insnSpan(op, this.options), this.endOfRound(op, visits, v));
    if (stubbed) return stubSpan(this.options);
    if (runsCallback(contract)) return ZERO;
    return callSpan(contract, this.amounts(contract, visits, v), this.options);
  }

  /** What starting a helper costs that runs callbacks; nothing for any other insn. */
  start(visits: VisitGraph, v: number): Span {
    const contract = this.code.contracts[visits.slot(v)];
    if (contract === undefined || !runsCallback(contract)) return ZERO;
    return callSpan(contract, this.amounts(contract, visits, v), this.options);
  }

  /** What the helper that runs a callback does between this one and the next. */
  private endOfRound(op: Op, visits: VisitGraph, v: number): Span {
    if (op.kind !== 'exit' && op.kind !== 'unwind_exit') return ZERO;
    const { callback } = visits.chain(v);
    const contract =
      callback === undefined || callback.async ? undefined : this.code.contracts[callback.call];
    return contract === undefined ? ZERO : roundSpan(contract, this.options);
  }

  private amounts(contract: Contract, visits: VisitGraph, v: number): CallAmounts {
    const { regs } = frameOf(visits.state(v));
    return amountsOf(contract, {
      number: (arg) => [small(regs[arg + 1]!.num.umin), small(regs[arg + 1]!.num.umax)],
      map: (arg) => this.program.maps[regs[arg + 1]!.map],
    });
  }
}

/** Weighs visits by their worst time, in nanoseconds. */
export function worstTime(program: Program, code: Code, options: CostOptions): Weigh {
  const costs = new VisitCosts(program, code, options);
  return {
    pass: (visits, v, stubbed) => costs.pass(visits, v, stubbed).worst,
    start: (visits, v) => costs.start(visits, v).worst,
  };
}
