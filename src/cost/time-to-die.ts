/** How long a killed program runs on, in time. */
import type { Program } from '../object/program.js';
import type { Weigh } from '../smt/bound.js';
import type { Cost } from '../smt/cost.js';
import type { ProgramProof } from '../smt/proof.js';
import type { Code } from '../verifier/text/code.js';
import { type CostOptions, killSpan } from './span.js';
import { worstTime } from './weigh.js';

/** Nanoseconds from the kill. Infinity: no bound. */
export interface TimeToDie {
  /** From the decision to kill until the first patched insn: the signal to the CPU, and the change of the text. */
  readonly kill: number;
  /** From there to the exit, over all termination points. */
  readonly run: number;
  /** The same by slot. */
  readonly bySlot: ReadonlyMap<number, number>;
}

/** What `proveProgram` weighs insns with, so that its bound is a time: the worst of each insn and call. */
export function weighTime(options: CostOptions): (program: Program, code: Code) => Weigh {
  return (program, code) => worstTime(program, code, options);
}

const NS_PER_MS = 1e6;

/** The time that a proven program takes to die; undefined where the proof has no bound. The proof was made with `weighTime`. */
export function timeToDie({ weighed }: ProgramProof, options: CostOptions): TimeToDie | undefined {
  if (weighed === undefined) return undefined;
  const ns = ({ insns, ms }: Cost): number => insns + ms * NS_PER_MS;
  return {
    kill: killSpan(options).worst,
    run: ns(weighed.worst),
    bySlot: new Map([...weighed.bySlot].map(([slot, cost]) => [slot, ns(cost)])),
  };
}
