/** What a program proof says. */
import type { Action, Stub } from '../patch/rule.js';
import type { Refused } from '../verifier/result.js';
import type { Case } from '../vm/case/case.js';
import type { LoopNote } from './bound.js';
import type { BoundKind } from './bound-kind.js';
import type { CallbackProof } from './callback-proofs.js';
import type { Cost } from './cost.js';
import type { KeptCall } from './kept-calls.js';
import type { SiteAnswer } from './site-proof.js';
import type { TailCall } from './tail-calls.js';
import type { WitnessPath } from './witness-path.js';

/** One reachable call site: what the rules do there, and whether that is an outcome of the function. */
export interface ProvedSite {
  readonly slot: number;
  readonly function: string;
  readonly action: Action['kind'];
  /** Name of the rule that decides; undefined when none matches. */
  readonly rule: string | undefined;
  /** Whether what happens here is an outcome of the function that is possible here, as Z3 decides. */
  readonly settled: SiteAnswer;
  /** What a stub leaves. */
  readonly stub?: Stub;
  /** The same as `settled`, in words: why the rules may do this, or what is against it. */
  readonly why: string;
}

/** The longest killed runs in the units of `weigh`. The helper that is in flight at the kill is part of them. */
export interface Weighed {
  readonly worst: Cost;
  /** By the slot at which the program is killed. */
  readonly bySlot: ReadonlyMap<number, Cost>;
}

/** How often each insn was walked, by slot: by the verification, and in patched mode. */
export interface Walks {
  readonly verified: Uint32Array;
  readonly patched: Uint32Array;
}

/** The verdict on a program under a rule set, with everything that a person needs to believe it or to mend the program. */
export interface ProgramProof {
  readonly verdict: 'proven' | 'refuted' | 'unknown';
  /** Why not proven; '' for a proven program. */
  readonly reason: string;
  /** What may settle an unknown program; '' for others. */
  readonly advice: string;
  /** Termination points: places between two insns. The same insn under another chain of calls is another point. */
  readonly points: number;
  /** What bounds a killed run. `unbounded`: nothing does, or it was not worked out, because the proof failed before. */
  readonly boundKind: BoundKind;
  /** The most insns from a termination point to the exit; undefined: no number of insns bounds a killed run. */
  readonly bound: number | undefined;
  /** The same by slot. */
  readonly bounds: ReadonlyMap<number, number | undefined>;
  /** For a run that is ended by time: the time that its loops take together at the most, and the insns beside them. */
  readonly timeLimit?: Cost;
  /** The same by slot, where it is time that bounds a run killed there. */
  readonly timeLimits: ReadonlyMap<number, Cost>;
  /** The same in the units of `weigh`, where it was given; `insns` are those units. Only of a proven program. */
  readonly weighed?: Weighed;
  /** Slots of a longest killed run, from the worst place to be killed at to the exit; a loop is gone through once. Empty where no bound was worked out. */
  readonly worstPath: readonly number[];
  /** The loops for which no number of insns bounds a killed run. */
  readonly loops: readonly LoopNote[];
  /** The calls that are kept and may hold a killed run up. */
  readonly kept: readonly KeptCall[];
  /** The calls that may go on in another program, and whether a killed run still makes them. */
  readonly tailCalls: readonly TailCall[];
  /** The callbacks that run later, each a program of its own. What is said of the program counts them in; `bound` is the largest of all. */
  readonly callbacks: readonly CallbackProof[];
  readonly sites: readonly ProvedSite[];
  /** Questions to Z3, those answered from memory included. */
  readonly queries: number;
  /** Insns that the verifier walked, and those walked in patched mode on top. */
  readonly walked: { readonly verified: number; readonly patched: number };
  /** How often each insn was walked, by slot; only where it was asked for. */
  readonly hot?: Walks;
  /** What our verifier says where it refuses the program itself. */
  readonly refusal?: Refused;
  /** A run that breaks a check, and replays. */
  readonly witness?: Case;
  /** The way of that run; only where it was asked for. */
  readonly witnessPath?: WitnessPath;
  /** What came of the program where weak kfuncs are absent, for every combination of them; undefined for a program that has none. */
  readonly absent?: readonly AbsentProof[];
}

/** What came of a program where some of its weak kfuncs are absent. */
export interface AbsentProof {
  /** Names of the kfuncs that are absent. */
  readonly absent: readonly string[];
  /** `not loaded`: the program calls one of them without having asked for it, so no kernel without it takes the program. */
  readonly verdict: ProgramProof['verdict'] | 'not loaded';
  readonly reason: string;
}
