/**
 * Walks the program in patched mode, from every state in which it may be killed.
 *
 * The kill may come before any insn, in any state that the verifier saw there. An insn that is not a stub does what it did before the
 * kill, so from such a state the patched program goes the verified way. Only three things are new: the state that a stub leaves, the state in
 * which a landing pad is entered from a call, and a helper that stops because the program was killed in its callback. The walk starts in
 * those states, with the stubs in place, and prunes as a verification does.
 */
import { BUILT_IN, type KernelProfile } from '../kernel/profile.js';
import type { Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import { landingAt } from '../patch/unwinding.js';
import { type Facts, factsOf } from '../verifier/result.js';
import type { Profile } from '../verifier/state/profile.js';
import type { State } from '../verifier/state/state.js';
import { frameOf } from '../verifier/state/state.js';
import type { Code } from '../verifier/text/code.js';
import { Refusal } from '../verifier/text/refusal.js';
import type { Visit } from '../verifier/walk/visit.js';
import { NO_VISIT, type VisitGraph } from '../verifier/walk/visit-graph.js';
import { Walk } from '../verifier/walk/walk.js';
import { stubbedCall } from './stubbed-call.js';

/** A killed path that the verifier refuses. It may be one that no run takes: that is for `find-witness.ts` to tell. */
export interface PatchedFailure {
  /** The verifier's words. */
  readonly message: string;
  /** Slot of the insn that is refused. */
  readonly slot: number;
  /** The normal state in which the kill leads there. */
  readonly killed: Visit;
  /** Patched visits from the kill to that insn, in order. */
  readonly path: readonly Visit[];
  readonly reason: Refusal['reason'];
}

/** The patched walks of a program, and where they start from the normal one. */
export interface Patched {
  /**
   * Normal visits from which a killed run may go another way, each with the patched visits of the same insn that the walk started from. By number in the
   * graph of the facts, to which the patched visits were added.
   */
  readonly entries: ReadonlyMap<number, readonly number[]>;
  readonly failures: readonly PatchedFailure[];
  /** Every patched visit, those that lead to a failure included. States are kept where `keepsForProof` says so. */
  readonly facts: Facts;
  /** Insns walked in patched mode. */
  readonly walked: number;
}

/** For whom the program is judged, and how far the walk may go. */
export interface PatchedOptions {
  readonly profile: Profile;
  /** The kernel that the program was verified for; the built-in profile unless told. */
  readonly kernel?: KernelProfile;
  readonly budget: number;
  /** The walk stops after this many failures. */
  readonly failures: number;
  /** Where insns that are walked are counted, by slot. */
  readonly tally?: Uint32Array;
}

/**
 * The patched states that a normal state may become when the program is killed. A callback that runs at the kill is the last one that its
 * helper makes. But if the rules keep the helper, the call may also have been made after the kill. Then the helper goes on calling, and only
 * the callbacks of outer frames are the last ones.
 */
function killedStates(state: State, path: FastPath): State[] {
  const callbacks = state.frames.flatMap((f, depth) =>
    f.callback === undefined || f.callback.async ? [] : [{ depth, call: f.callback.call }],
  );
  const states = [withLastCallbacks(state, state.frames.length)];
  for (const { depth, call } of callbacks.reverse()) {
    if (path.stubs.has(call)) break;
    states.push(withLastCallbacks(state, depth));
  }
  return states;
}

/** The state in which each callback in a frame below `depth` is the last one that its helper makes. */
function withLastCallbacks(state: State, depth: number): State {
  const frames = state.frames.map((f, at) =>
    f.callback === undefined || f.callback.async || at >= depth
      ? f
      : { ...f, callback: { ...f.callback, stops: true as const } },
  );
  return { ...state, frames };
}

/**
 * The insns before which a proof needs states: calls, which are judged by them; ends of callbacks, at which a killed run may leave the normal path; pads. What
 * is known elsewhere follows from these, and need not be kept.
 */
export function keepsForProof(code: Code): (slot: number) => boolean {
  return (slot) => {
    const kind = code.ops[slot]?.kind;
    return code.contracts[slot] !== undefined || kind === 'exit' || kind === 'unwind_goto';
  };
}

/** Whether there are visits of this insn from which a killed program may go another way; `mayLeaveNormalPath` tells which. */
function mayLeaveNormalPathAt(slot: number, code: Code, path: FastPath): boolean {
  return path.stubs.has(slot) || path.unwinds?.calls.has(slot) === true || code.ops[slot]?.kind === 'exit';
}

/** Whether a killed program may go another way from this visit than it goes without the kill. */
function mayLeaveNormalPath(visit: Visit, code: Code, path: FastPath): boolean {
  if (path.stubs.has(visit.slot)) return true;
  if (landingAt(path, code.ops, visit.slot, visit.state) !== 'none') return true;
  if (code.ops[visit.slot]?.kind !== 'exit') return false;
  const inCallback = visit.state.frames.some((f) => f.callback !== undefined && !f.callback.async);
  return inCallback && frameOf(visit.state).callback !== undefined;
}

/** The most insns for the attempt with widening. It converges soon or never. */
const WIDENED_BUDGET = 50_000;

/**
 * Walks the fast path from every termination point. `firstId`: the first free id for new references. The first attempt widens loops. Widening
 * may lose the fact that makes a loop safe or lets it end, so when that attempt fails, a second one walks the loops round by round.
 */
export function walkPatched(
  program: Program,
  code: Code,
  facts: Facts,
  path: FastPath,
  firstId: number,
  options: PatchedOptions,
): Patched {
  const { budget } = options;
  const attempt = (widening: boolean, most: number) =>
    walkOnce(program, code, facts, path, firstId, { ...options, budget: most }, widening);
  const first = attempt(true, Math.min(budget, WIDENED_BUDGET));
  if (first.failures.length === 0 || !(first.widened || first.spent)) return first;
  const second = attempt(false, budget);
  const walked = first.walked + second.walked;
  return second.failures.length === 0 || first.spent ? { ...second, walked } : { ...first, walked };
}

function walkOnce(
  program: Program,
  code: Code,
  facts: Facts,
  path: FastPath,
  firstId: number,
  options: PatchedOptions,
  widening: boolean,
): Patched & { readonly widened: boolean; readonly spent: boolean } {
  const { graph } = facts;
  const begin = graph.size;
  const entries = new Map<number, readonly number[]>();
  const failures: PatchedFailure[] = [];
  let walked = 0;
  let widened = false;
  let spent = false;
  let walk = newWalk();
  for (let slot = code.ops.length - 1; slot >= 0; slot--) {
    // Late insns first, and late rounds of a loop: a walk that starts early arrives there and is pruned.
    if (!mayLeaveNormalPathAt(slot, code, path)) continue;
    for (const killed of [...facts.at(slot)].reverse()) {
      if (!mayLeaveNormalPath(killed, code, path) || failures.length >= options.failures || spent) continue;
      try {
        // Besides calls, only the ends of callbacks are places where a killed run leaves the normal path.
        const states =
          code.contracts[slot] !== undefined
            ? killedStates(killed.state, path)
            : [withLastCallbacks(killed.state, killed.state.frames.length)];
        entries.set(
          killed.node,
          states.map((state) => walk.from({ slot, state })),
        );
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        failures.push({
          message: error.message,
          slot: walk.slot,
          killed,
          path: pathTo(graph, walk.current),
          reason: error.reason,
        });
        // If the budget ran out from here, it would run out from the neighbours too.
        spent = error.reason === 'budget';
        // States on the way to a failure are not known to be safe, so nothing may be pruned by them.
        finish();
        walk = newWalk();
      }
    }
  }
  finish();
  return { entries, failures, walked, widened, spent, facts: factsOf(graph, begin, graph.size) };

  function finish(): void {
    walked += walk.walked;
    widened ||= walk.widened;
  }

  function newWalk(): Walk {
    return new Walk(
      program,
      code,
      {
        profile: options.profile,
        kernel: options.kernel ?? BUILT_IN,
        budget: options.budget,
        visits: graph,
        ...(options.tally !== undefined && { tally: options.tally }),
        keepsState: keepsForProof(code),
        ...(facts.heads !== undefined && { heads: facts.heads }),
        widening,
        landingAt: (slot, state) => landingAt(path, code.ops, slot, state),
        stubAt: (slot) => {
          const stub = path.stubs.get(slot);
          if (stub === undefined) return undefined;
          return (p, args, contract) => stubbedCall(p, args, contract, stub, slot);
        },
      },
      firstId,
    );
  }
}

function pathTo(graph: VisitGraph, last: Visit | undefined): Visit[] {
  const visits: Visit[] = [];
  for (let node = last?.node ?? NO_VISIT; node >= 0; node = graph.from(node)) visits.push(graph.visit(node));
  return visits.reverse();
}
