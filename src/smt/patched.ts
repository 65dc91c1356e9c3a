/**
 * The program in patched mode, from every state in which it may be killed.
 *
 * A kill may happen before any insn, in any state that the verifier saw there. Patched insns that are not stubs do what they did
 * before, so a patched state at such an insn leads where the normal one led, and that was verified. Only two things are new: what a
 * stub leaves, and a helper that stops because the program was killed in its callback. From those states the walk goes on, with the
 * stubs in place, until it ends or is where it has been.
 */
import type { Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import type { Facts } from '../verifier/result.js';
import type { Profile } from '../verifier/state/profile.js';
import type { State } from '../verifier/state/state.js';
import { frameOf } from '../verifier/state/state.js';
import type { Code } from '../verifier/text/code.js';
import { Refusal } from '../verifier/text/refusal.js';
import type { Visit } from '../verifier/walk/visit.js';
import { Walk } from '../verifier/walk/walk.js';
import { stubbedCall } from './stubbed-call.js';

export interface PatchedFailure {
  /** The verifier's words. */
  readonly message: string;
  /** Slot at fault. */
  readonly slot: number;
  /** The normal state in which the kill leads there. */
  readonly killed: Visit;
  /** Patched visits from the kill to the fault, in order. */
  readonly path: readonly Visit[];
  readonly reason: Refusal['reason'];
}

export interface Patched {
  /** Where patched runs may go from a normal visit, if not where the normal run goes: visits of the same insn. */
  readonly entries: ReadonlyMap<Visit, readonly Visit[]>;
  readonly failures: readonly PatchedFailure[];
  /** Every patched visit, those on the way to a fault included. */
  readonly facts: Facts;
  /** Insns walked in patched mode. */
  readonly walked: number;
}

export interface PatchedOptions {
  readonly profile: Profile;
  readonly budget: number;
  /** Failures to look for; the walk stops after that many. */
  readonly failures: number;
}

/**
 * What a normal state may stand for in a killed run. Callbacks that were running at the kill are the last that their helpers make. A
 * helper that is kept may also have been called after the kill, and goes on calling: then only the callbacks outside of it stop.
 */
function killedStates(state: State, path: FastPath): State[] {
  const callbacks = state.frames.flatMap((f, depth) =>
    f.callback === undefined || f.callback.async ? [] : [{ depth, call: f.callback.call }],
  );
  const states = [stopping(state, state.frames.length)];
  for (const { depth, call } of callbacks.reverse()) {
    if (path.stubs.has(call)) break;
    states.push(stopping(state, depth));
  }
  return states;
}

/** The callbacks in frames below `depth` are the last their helpers make. */
function stopping(state: State, depth: number): State {
  const frames = state.frames.map((f, at) =>
    f.callback === undefined || f.callback.async || at >= depth
      ? f
      : { ...f, callback: { ...f.callback, stops: true as const } },
  );
  return { ...state, frames };
}

/** Is this visit one from which a killed program goes another way than it went before? */
function differs(visit: Visit, code: Code, path: FastPath): boolean {
  if (path.stubs.has(visit.slot)) return true;
  const inCallback = visit.state.frames.some((f) => f.callback !== undefined && !f.callback.async);
  return inCallback && code.ops[visit.slot]?.kind === 'exit' && frameOf(visit.state).callback !== undefined;
}

/** Widened loops converge soon, or not at all. */
const WIDENED_BUDGET = 50_000;

/**
 * Walks the fast path from every termination point. As in a verification, what widening loses may be what a loop needs to be seen as
 * safe, or to come to an end; unrolling it round by round may still show it.
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
  const entries = new Map<Visit, readonly Visit[]>();
  const failures: PatchedFailure[] = [];
  let walked = 0;
  let widened = false;
  let spent = false;
  let walk = newWalk();
  const visits: Visit[][] = [];
  for (let slot = code.ops.length - 1; slot >= 0; slot--) {
    // Late rounds of a loop first, and late insns: the early ones lead there, and are done when they arrive.
    for (const killed of [...facts.at(slot)].reverse()) {
      if (!differs(killed, code, path) || failures.length >= options.failures || spent) continue;
      try {
        const states = path.stubs.has(slot)
          ? killedStates(killed.state, path)
          : [stopping(killed.state, killed.state.frames.length)];
        entries.set(
          killed,
          states.map((state) => walk.from({ slot, state })),
        );
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        failures.push({
          message: error.message,
          slot: walk.slot,
          killed,
          path: trail(walk.current),
          reason: error.reason,
        });
        // What takes too long from here takes too long from next door, too.
        spent = error.reason === 'budget';
        // What was walked on the way to a fault is not known to be safe.
        finish();
        walk = newWalk();
      }
    }
  }
  finish();
  const none: readonly Visit[] = [];
  const size = visits.reduce((sum, list) => sum + (list?.length ?? 0), 0);
  return { entries, failures, walked, widened, spent, facts: { at: (slot) => visits[slot] ?? none, size } };

  function finish(): void {
    walked += walk.walked;
    widened ||= walk.widened;
    walk.visits.forEach((list, slot) => {
      visits[slot] = [...(visits[slot] ?? []), ...(list ?? [])];
    });
  }

  function newWalk(): Walk {
    return new Walk(
      program,
      code,
      {
        profile: options.profile,
        budget: options.budget,
        keepVisits: true,
        widening,
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

function trail(last: Visit | undefined): Visit[] {
  const visits: Visit[] = [];
  for (let v = last; v !== undefined; v = v.from) visits.push(v);
  return visits.reverse();
}
