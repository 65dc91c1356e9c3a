/** Verifies a program as Linux would. The answer is yes with facts, or no with the kernel's message and the insn at fault. */

import { takesAttachType } from '../kernel/attach-types.js';
import { isGplCompatible } from '../kernel/license.js';
import { mapRefusal, mapType } from '../kernel/maptypes.js';
import { BUILT_IN, type KernelProfile } from '../kernel/profile.js';
import { progType } from '../kernel/progtypes.js';
import { structOps } from '../kernel/struct-ops.js';
import { exceptionCallbackOf, type Program, type ProgType } from '../object/program.js';
import { operationOf } from '../object/struct-ops.js';
import { checkReplaced } from './call/replaced.js';
import { type Explanation, explain } from './explain/explanation.js';
import { isArena } from './insn/arena.js';
import { missingTypes } from './missing-types.js';
import { type Facts, factsOf, type Refused, type Verdict } from './result.js';
import type { Profile } from './state/profile.js';
import { pointerReg } from './state/regs.js';
import type { State } from './state/state.js';
import { type Code, prepare } from './text/code.js';
import { checkInsns } from './text/known-insns.js';
import { checkPads } from './text/pads.js';
import { Refusal } from './text/refusal.js';
import { checkCallGraph } from './walk/call-graph.js';
import { closeFacts, headsOfWalk } from './walk/facts.js';
import type { WalkOptions } from './walk/options.js';
import { VisitGraph } from './walk/visit-graph.js';
import { Walk } from './walk/walk.js';

/**
 * For whom to verify, and how. With the defaults it compares and prunes states as Linux does; the switches let a test compare the
 * verifier with itself.
 */
export interface VerifyOptions {
  /** `privileged` unless told. */
  readonly profile?: Profile;
  /** What the kernel is that the program is for; the built-in profile unless told. */
  readonly kernel?: KernelProfile;
  /** Insns to walk at the most; 1,000,000 unless told, as BPF_COMPLEXITY_LIMIT_INSNS. */
  readonly budget?: number;
  /**
   * Make facts: what is known at every insn of every path (default), or only before the insns for which this function says so. Without them only the
   * verdict is computed, in less memory.
   */
  readonly facts?: boolean | ((code: Code) => (slot: number) => boolean);
  /**
   * The most CPUs that the machine may have (nr_cpu_ids). Linux knows that bpf_get_smp_processor_id returns less. Unless told, the most
   * that a kernel can be built for.
   */
  readonly cpus?: number;
  /** False: make facts in a second walk, even if the first could have made them. */
  readonly oneWalk?: boolean;
  /** False: unroll loops of any number of rounds instead of widening what changes in them. */
  readonly widening?: boolean;
  /** False: compare every number of two states, whether a check relied on it or not. */
  readonly precision?: boolean;
  /**
   * Keep more states than Linux, for good, and without stack slots that nothing reads, so that programs are accepted too which Linux walks for too long.
   * The counts of insns and states are then not those of Linux.
   */
  readonly economical?: boolean;
  /** Count how often each insn is walked: `walkedAt` of the verdict. */
  readonly tally?: boolean;
  /** Explain a refusal. */
  readonly explain?: boolean;
  /** False: walk every path to its end, covered or not. Only for small programs. */
  readonly pruning?: boolean;
}

export const INSN_BUDGET = 1_000_000;

/** The state in which a program, or a subprogram verified on its own, starts. */
function entryState(walk: Walk, start: number): State {
  const { path } = walk;
  path.restore({ frames: [], refs: [], rcu: 0, preempt: 0, irq: 0, mayGoto: 0 });
  const isMain = start === 0 && walk.program.replaces === undefined;
  path.pushFrame(start, -1, isMain ? [pointerReg('ctx')] : walk.globals.entry(path, start));
  return path.snapshot();
}

const NO_FACTS: Facts = factsOf(new VisitGraph(), 0, 0);

/**
 * Verifies a program. Follows bpf_check of kernel/bpf/verifier.c: the shape first, then the main program, then global subprograms that are
 * called, one by one. Never throws for a program that is merely bad; an undefined encoding is a refusal too.
 */
export function verify(program: Program, options: VerifyOptions = {}): Verdict {
  const profile = options.profile ?? 'privileged';
  const kernel = options.kernel ?? BUILT_IN;
  let walk: Walk | undefined;
  let prepared: Code | undefined;
  const tally = options.tally === true ? new Uint32Array(program.insns.length) : undefined;
  const refused = (
    message: string,
    slot: number,
    reason: Refused['reason'],
    lines: readonly string[] = [message],
    explanation?: Explanation,
  ): Refused => ({
    ...(explanation !== undefined && { explanation }),
    ok: false,
    profile,
    kernel,
    message,
    lines,
    slot,
    reason,
    walked: walk?.walked ?? 0,
    states: walk?.states ?? 0,
    ...(tally !== undefined && { walkedAt: tally }),
  });
  try {
    if (profile === 'strict' && NEEDS_PERFMON.has(program.type))
      throw new Refusal(`programs of type ${program.type} need CAP_PERFMON`, 'rejected', -1);
    checkAttachType(program);
    checkMaps(program, profile);
    checkHook(program);
    const code = prepare(program);
    prepared = code;
    checkReplaced(program, code);
    checkInsns(code, program, kernel.behaviour);
    checkPads(code);
    const { facts: wanted = true } = options;
    const keeps = typeof wanted === 'function' ? { keepsState: wanted(code) } : {};
    const walkOptions: WalkOptions = {
      profile,
      kernel,
      budget: options.budget ?? INSN_BUDGET,
      widening: options.widening !== false,
      ...(options.pruning === undefined ? {} : { pruning: options.pruning }),
      ...(options.cpus === undefined ? {} : { cpus: options.cpus }),
      ...(options.economical === undefined ? {} : { economical: options.economical }),
    };
    const counted = tally === undefined ? {} : { tally };
    const plainly = (visits: VisitGraph | undefined): Walk =>
      new Walk(program, code, {
        ...walkOptions,
        ...keeps,
        ...counted,
        ...(visits !== undefined && { visits }),
      });
    const precision = options.precision !== false;
    const graph = wanted === false ? undefined : new VisitGraph();
    walk = precision
      ? new Walk(program, code, {
          ...walkOptions,
          ...keeps,
          ...counted,
          precision,
          ...(graph && { visits: graph }),
        })
      : plainly(graph);
    walkAll(walk, program);
    const use = { depth: walk.path.stackDepth, ...walk.calledBack };
    checkCallGraph(program, code, use, kernel.behaviour);
    const { walked, states, calledBack } = walk;
    const walkedAt = tally === undefined ? {} : { walkedAt: tally };
    const accepted = {
      ok: true,
      profile,
      kernel,
      walked,
      states,
      code,
      later: calledBack.async,
      ...walkedAt,
    } as const;
    if (graph === undefined) return { ...accepted, facts: NO_FACTS, lastId: walk.path.lastId };
    if (!precision) return { ...accepted, facts: factsOf(graph, 0, graph.size), lastId: walk.path.lastId };
    if (walk.makesFacts && options.oneWalk !== false) {
      const facts = factsOf(graph, 0, graph.size, headsOfWalk(walk, graph));
      return { ...accepted, facts, lastId: walk.path.lastId };
    }
    const closed = closeFacts(walk, { ...walkOptions, ...keeps }, (closing, then) => {
      walkAll(closing, program, then);
    });
    if (closed !== undefined) {
      const facts = factsOf(closed.graph, 0, closed.graph.size, closed.heads);
      return { ...accepted, facts, lastId: closed.lastId };
    }
    // A state that holds only as far as checks relied on it is no fact.
    tally?.fill(0);
    const plain = new VisitGraph();
    walk = plainly(plain);
    walkAll(walk, program);
    return { ...accepted, facts: factsOf(plain, 0, plain.size), lastId: walk.path.lastId };
  } catch (error) {
    if (error instanceof Refusal) {
      const slot = error.at ?? walk?.slot ?? -1;
      const missing = missingTypes(program, error.message, slot);
      const told =
        options.explain === true && prepared !== undefined
          ? explain(program, prepared, error, walk)
          : undefined;
      return missing === undefined
        ? refused(error.message, slot, error.reason, error.lines, told)
        : refused(`${error.message}: ${missing}`, slot, 'unsupported', error.lines, told);
    }
    if (error instanceof Error && error.name === 'InputError') {
      const slot = /^insn (\d+)/.exec(error.message);
      return refused(error.message, slot === null ? -1 : Number(slot[1]), 'rejected');
    }
    throw error;
  }
}

/**
 * The main program, and the global subprograms that it calls, and those that they call. What is never called is not verified. Calls `then` after each.
 */
function walkAll(walk: Walk, program: Program, then: () => void = () => {}): void {
  const onThrow = exceptionCallbackOf(program);
  if (onThrow?.linkage === 'static')
    throw new Refusal(`exception callback '${onThrow.name}' must have global linkage`, 'rejected', -1);
  walk.from({ slot: 0, state: entryState(walk, 0) });
  then();
  if (onThrow !== undefined) walk.called.add(onThrow.start);
  const done = new Set([0]);
  for (;;) {
    const start = program.subprogs.find((s) => walk.called.has(s.start) && !done.has(s.start))?.start;
    if (start === undefined) return;
    done.add(start);
    walk.from({ slot: start, state: entryState(walk, start) });
    then();
  }
}

/** Program types that need CAP_PERFMON, because they can read kernel memory (is_perfmon_prog_type of kernel/bpf/syscall.c). */
const NEEDS_PERFMON: ReadonlySet<ProgType> = new Set<ProgType>([
  'kprobe',
  'tracepoint',
  'perf_event',
  'raw_tracepoint',
  'raw_tracepoint_writable',
  'tp_btf',
  'iter',
  'fentry',
  'lsm',
  'struct_ops',
]);

/** The kernel says only EINVAL here. What is not said to be attached may be loaded for something that suits it. */
function checkAttachType({ type, attach }: Program): void {
  if (attach !== undefined && !takesAttachType(type, attach.type))
    throw new Refusal(`programs of type ${type} have no attach type ${attach.type}`, 'rejected', -1);
}

/** What is checked of a struct_ops program before its insns (check_struct_ops_btf_id). */
function checkHook({ type, attach, license, sleepable, kernelTypes }: Program): void {
  if (type !== 'struct_ops') return;
  const refuse: (message: string) => never = (message) => {
    throw new Refusal(message, 'rejected', -1);
  };
  if (!isGplCompatible(license)) refuse('struct ops programs must have a GPL compatible license');
  const operation = operationOf(attach?.target);
  if (attach === undefined || operation === undefined)
    throw new Refusal(
      'a struct_ops program stands in for no function: it has no .attach INDEX STRUCT.MEMBER',
      'rejected',
      -1,
    );
  const { struct, member } = operation;
  const { refused, sleeps } = structOps(struct);
  if (refused?.has(member) === true) refuse(`attach to unsupported member ${member} of struct ${struct}`);
  if (sleepable === true && sleeps?.has(member) === false)
    refuse(`attach to unsupported member ${member} of struct ${struct}`);
  if (
    kernelTypes?.arguments(type, attach)?.some((arg) => arg.kind === 'pointer' && arg.held === true) === true
  )
    throw new Refusal(
      `${member} of struct ${struct} is handed a reference, which is not modelled`,
      'unsupported',
      -1,
    );
}

function checkMaps(program: Program, profile: Profile): void {
  const info = progType(program.type);
  const sleepable = program.sleepable === true || info.sleepable;
  for (const type of ['cgroup_storage', 'percpu_cgroup_storage']) {
    if (program.maps.filter((map) => map.type === type).length > 1)
      throw new Refusal('only one cgroup storage of each type is allowed', 'rejected', -1);
  }
  const arenas = program.maps.filter(isArena).length;
  if (arenas > 1) throw new Refusal('Only one arena per program', 'rejected', -1);
  if (arenas > 0 && profile === 'strict')
    throw new Refusal('CAP_BPF and CAP_PERFMON are required to use arena', 'rejected', -1);
  for (const map of program.maps) {
    const why = mapRefusal(map);
    if (why !== undefined) throw new Refusal(`map '${map.name}': ${why}`, 'rejected', -1);
    if (sleepable && !mapType(map.type).sleepable) {
      throw new Refusal(
        'Sleepable programs can only use array, hash, ringbuf and local storage maps',
        'rejected',
        -1,
      );
    }
    for (const field of map.fields) {
      const refusedField = info.refusedFields.get(field.kind);
      if (refusedField !== undefined) throw new Refusal(refusedField, 'rejected', -1);
    }
  }
}
