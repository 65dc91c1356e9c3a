/** What a visit costs, from what the verifier knows there. */
import type { Op } from '../isa/insn.js';
import type { Contract } from '../kernel/contract.js';
import type { Program } from '../object/program.js';
import type { Weigh } from '../smt/bound.js';
import { frameOf } from '../verifier/state/state.js';
import type { Code } from '../verifier/text/code.js';
import type { Visit } from '../verifier/walk/visit.js';
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

/**
 * What one pass of the insn of a visit costs. A helper that runs callbacks is passed once at its start, which `startSpan` tells, and once more after each of
 * them: what a round adds is charged to the end of the callback, for there a helper also ends that was interrupted by a kill. `stubbed`: a stub takes the place
 * of the call.
 */
export function passSpan(
  program: Program,
  code: Code,
  visit: Visit,
  stubbed: boolean,
  options: CostOptions,
): Span {
  const op = code.ops[visit.slot];
  if (op === undefined) throw new Error(`slot ${visit.slot} is no insn`);
  const contract = code.contracts[visit.slot];
  if (contract === undefined) return add(insnSpan(op, options), endOfRound(code, op, visit, options));
  if (stubbed) return stubSpan(options);
  if (runsCallback(contract)) return ZERO;
  return callSpan(contract, amountsAt(program, contract, visit), options);
}

/** What the helper that runs a callback does between this one and the next. */
function endOfRound(code: Code, op: Op, { state }: Visit, options: CostOptions): Span {
  if (op.kind !== 'exit' && op.kind !== 'unwind_exit') return ZERO;
  const { callback } = frameOf(state);
  const contract = callback === undefined || callback.async ? undefined : code.contracts[callback.call];
  return contract === undefined ? ZERO : roundSpan(contract, options);
}

/** What starting a helper costs that runs callbacks; nothing for any other insn. */
export function startSpan(program: Program, code: Code, visit: Visit, options: CostOptions): Span {
  const contract = code.contracts[visit.slot];
  if (contract === undefined || !runsCallback(contract)) return ZERO;
  return callSpan(contract, amountsAt(program, contract, visit), options);
}

function amountsAt(program: Program, contract: Contract, visit: Visit): CallAmounts {
  const { regs } = frameOf(visit.state);
  return amountsOf(contract, {
    number: (arg) => [small(regs[arg + 1]!.num.umin), small(regs[arg + 1]!.num.umax)],
    map: (arg) => program.maps[regs[arg + 1]!.map],
  });
}

/** Weighs visits by their worst time, in nanoseconds. */
export function worstTime(program: Program, code: Code, options: CostOptions): Weigh {
  return {
    pass: (visit, stubbed) => passSpan(program, code, visit, stubbed, options).worst,
    start: (visit) => startSpan(program, code, visit, options).worst,
  };
}
