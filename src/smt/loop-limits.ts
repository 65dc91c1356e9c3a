/**
 * Limits of loops that the verifier does not walk round by round. Such a loop is controlled by an insn or a call, and Linux limits that.
 * The limit must hold whatever else happens on the machine: meanwhile other CPUs change maps and lists, and user space fills ring
 * buffers.
 */
import type { CallbackSpec, Contract } from '../kernel/contract.js';
import { type KernelProfile, MAY_GOTO_MS } from '../kernel/profile.js';
import type { MapDef, MapType, Program } from '../object/program.js';
import type { Reg } from '../verifier/state/state.js';

/** How long a loop may go on after the kill. */
export interface LoopLimit {
  /** Rounds at the most; for a loop that is ended by time, those that the clock does not see. Infinity: nothing limits them. */
  readonly rounds: number;
  /** Milliseconds that it may go on in one frame; 0 where rounds are counted. */
  readonly ms: number;
  /** Why there is no limit; '' where there is one. */
  readonly endless: string;
}

/** BPF_MAX_LOOPS: the most calls of bpf_loop, numbers of bpf_iter_num, and jumps of may_goto where they are counted. */
const MAX_LOOPS = 1 << 23;
/** bpf_iter_bits takes at most 511 words. */
const MAX_BITS = 511 * 64;
/** BPF_MAX_USER_RINGBUF_SAMPLES: user space may go on adding samples, so the size of the ring buffer does not matter. */
const MAX_SAMPLES = 128 * 1024;
/**
 * A red-black tree of n nodes is 2 * log2(n + 1) nodes deep at the most, and a node takes more than 16 bytes of an address space of 2^64. A
 * node is compared once at each depth.
 */
const MAX_DEPTH = 2 * 60;
/** BPF_MAX_TIMED_LOOPS: how often may_goto passes before the clock is read again. */
const UNTIMED_ROUNDS = 0xffff;
/** BPF_F_INNER_MAP: an array in a map of maps may have another number of entries. */
const F_INNER_MAP = 1 << 12;
const MAX_ENTRIES = 0xffff_ffff;

const rounds = (most: number): LoopLimit => ({ rounds: most, ms: 0, endless: '' });
const endless = (why: string): LoopLimit => ({ rounds: Number.POSITIVE_INFINITY, ms: 0, endless: why });

/**
 * The limit that all may_gotos of one frame share. The clock is started after UNTIMED_ROUNDS, and looked at each time after as many. So
 * these rounds are free twice: before it is started, and after the last look that found time left (bpf_check_timed_may_goto).
 */
export function mayGotoLimit({ behaviour }: KernelProfile): LoopLimit {
  return behaviour.timedMayGoto
    ? { rounds: 2 * UNTIMED_ROUNDS, ms: MAY_GOTO_MS, endless: '' }
    : rounds(MAX_LOOPS);
}

/** The limit of a loop that a call controls: it gives an iterator's next element or calls a callback. Undefined for other calls. */
export function callLimit(program: Program, contract: Contract, regs: readonly Reg[]): LoopLimit | undefined {
  for (const arg of contract.args) {
    if (arg.kind === 'iter' && contract.outcomes.some((o) => o.effects.some((e) => e.kind === 'iter_next'))) {
      if (arg.type === 'num') return rounds(MAX_LOOPS);
      if (arg.type === 'bits') return rounds(MAX_BITS);
      return endless(`${contract.name} gives elements of a list of the kernel, which may be of any length`);
    }
    if (arg.kind === 'callback') return callbackLimit(program, contract, arg.callback, regs);
  }
  return undefined;
}

function callbackLimit(
  program: Program,
  { name }: Contract,
  { async, countArg }: CallbackSpec,
  regs: readonly Reg[],
): LoopLimit {
  // The callback runs once, later.
  if (async) return rounds(1);
  if (countArg !== undefined) {
    const count = regs[countArg + 1]!.num.umax;
    return rounds(count < BigInt(MAX_LOOPS) ? Number(count) : MAX_LOOPS);
  }
  switch (name) {
    case 'bpf_for_each_map_elem':
      return elementsLimit(program, program.maps[regs[1]!.map]);
    case 'bpf_user_ringbuf_drain':
      return rounds(MAX_SAMPLES);
    case 'bpf_rbtree_add_impl':
      return rounds(MAX_DEPTH);
    case 'bpf_find_vma':
      return rounds(1);
    default:
      return endless(`how often ${name} calls its function is not known`);
  }
}

const ARRAYS: ReadonlySet<MapType> = new Set(['array', 'percpu_array']);

/**
 * The limit of bpf_for_each_map_elem. An array always has the same elements. A hash is walked without a lock: the callback or others may
 * delete an element and add it again at a place that is still to be walked. So the walk may never end.
 */
function elementsLimit(program: Program, map: MapDef | undefined): LoopLimit {
  if (map === undefined || !ARRAYS.has(map.type))
    return endless(
      `bpf_for_each_map_elem over map '${map?.name ?? '?'}' (${map?.type ?? 'of a type that is not known'}) meets elements again that are deleted and added meanwhile`,
    );
  const isInner = program.maps.some(({ inner }) => inner === map);
  const mayBeLarger = isInner && (map.type !== 'array' || (map.flags & F_INNER_MAP) !== 0);
  return rounds(mayBeLarger ? MAX_ENTRIES : map.maxEntries);
}
