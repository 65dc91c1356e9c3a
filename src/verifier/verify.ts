/** Verifies a program as Linux would: yes with facts, or no with the kernel's words and the insn at fault. */
import { mapRefusal } from '../kernel/maptypes.js';
import { progType } from '../kernel/progtypes.js';
import type { Program } from '../object/program.js';
import { prepare } from './code.js';
import type { VerifierDefects } from './defects.js';
import { Refusal } from './refusal.js';
import { pointerReg } from './regs.js';
import type { Facts, Profile, Refused, Verdict, Visit } from './result.js';
import type { State } from './state.js';
import { Walk } from './walk.js';

export interface VerifyOptions {
  /** `privileged` unless told. */
  readonly profile?: Profile;
  /** Insns to walk at the most; 1,000,000 unless told, as BPF_COMPLEXITY_LIMIT_INSNS. */
  readonly budget?: number;
  /** Keep what is known at every insn of every path (default). Without it only the verdict is computed, in less memory. */
  readonly facts?: boolean;
  /** Ways to be wrong, for the properties that show that each is noticed. */
  readonly defects?: VerifierDefects;
  /** False: unroll loops of any number of rounds instead of widening what changes in them. */
  readonly widening?: boolean;
  /** False: walk every path to its end, covered or not. Only for small programs. */
  readonly pruning?: boolean;
}

export const INSN_BUDGET = 1_000_000;

/** Most programs, and loops that are widened, end soon or not at all: a first look does not take the whole budget. */
const FIRST_BUDGET = 200_000;

/** The state in which a program, or a subprogram verified on its own, starts. */
function entryState(walk: Walk, start: number): State {
  const { path } = walk;
  path.restore({ frames: [], refs: [], rcu: false, preempt: 0, irq: 0, mayGoto: 0 });
  path.pushFrame(start, -1, start === 0 ? [pointerReg('ctx')] : walk.globals.entry(path, start));
  return path.snapshot();
}

function collect(visits: readonly (readonly Visit[] | undefined)[]): Facts {
  const none: readonly Visit[] = [];
  return {
    at: (slot) => visits[slot] ?? none,
    size: visits.reduce((sum, list) => sum + (list?.length ?? 0), 0),
  };
}

/**
 * Verifies a program. Follows bpf_check of kernel/bpf/verifier.c: the shape first, then global subprograms one by one, then the main
 * program. Never throws for a program that is merely bad; an undefined encoding is a refusal too.
 */
export function verify(program: Program, options: VerifyOptions = {}): Verdict {
  const widening = options.widening !== false;
  const first = attempt(program, options, { widening, forgetting: false, budget: FIRST_BUDGET });
  if (first.ok || first.reason === 'unsupported') return strip(first);
  const large = first.reason === 'budget';
  if (!first.widened && !large) return strip(first);
  // Numbers that nothing depends on may be what made the states differ: Linux does not compare those either.
  if (large) {
    const without = attempt(program, options, { widening, forgetting: true, budget: FIRST_BUDGET });
    if (without.ok) return strip(without);
  }
  // Widening may lose what a loop needs to be seen as safe, or to come to an end. Unrolling it round by round may still show it.
  const last = attempt(program, options, { widening: false, forgetting: large, budget: INSN_BUDGET });
  return strip(last.ok ? last : first);
}

/** How a program is walked. */
interface Way {
  readonly widening: boolean;
  readonly forgetting: boolean;
  readonly budget: number;
}

type Attempt = Verdict & { readonly widened: boolean };

function strip(attempted: Attempt): Verdict {
  const { widened: _, ...verdict } = attempted;
  return verdict as Verdict;
}

function attempt(program: Program, options: VerifyOptions, way: Way): Attempt {
  const profile = options.profile ?? 'privileged';
  const { widening, forgetting } = way;
  const budget = Math.min(options.budget ?? INSN_BUDGET, way.budget);
  let walk: Walk | undefined;
  const refused = (message: string, slot: number, reason: Refused['reason']): Attempt => ({
    ok: false,
    profile,
    message,
    slot,
    reason,
    walked: walk?.walked ?? 0,
    states: walk?.states ?? 0,
    widened: widening && walk?.widened === true,
  });
  try {
    checkMaps(program);
    const code = prepare(program);
    walk = new Walk(program, code, {
      profile,
      budget,
      keepVisits: options.facts ?? true,
      widening,
      forgetting,
      ...(options.pruning === undefined ? {} : { pruning: options.pruning }),
      ...(options.defects === undefined ? {} : { defects: options.defects }),
    });
    const globals = program.subprogs
      .filter((s) => s.linkage === 'global' && s.start !== 0)
      .map((s) => s.start);
    for (const start of [...globals, 0]) walk.from({ slot: start, state: entryState(walk, start) });
    return {
      ok: true,
      profile,
      walked: walk.walked,
      states: walk.states,
      facts: collect(walk.visits),
      code,
      lastId: walk.path.lastId,
      widened: walk.widened,
    };
  } catch (error) {
    if (error instanceof Refusal) return refused(error.message, error.at ?? walk?.slot ?? -1, error.reason);
    if (error instanceof Error && error.name === 'InputError') {
      const slot = /^insn (\d+)/.exec(error.message);
      return refused(error.message, slot === null ? -1 : Number(slot[1]), 'rejected');
    }
    throw error;
  }
}

function checkMaps(program: Program): void {
  const info = progType(program.type);
  for (const map of program.maps) {
    const why = mapRefusal(map);
    if (why !== undefined) throw new Refusal(`map '${map.name}': ${why}`, 'rejected', -1);
    for (const field of map.fields) {
      const refusedField = info.refusedFields.get(field.kind);
      if (refusedField !== undefined) throw new Refusal(refusedField, 'rejected', -1);
    }
  }
}
