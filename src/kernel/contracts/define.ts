/**
 * The words in which the contract tables are written. `helper` and `kfunc` add what the generated tables know (id, flags, return
 * type, program types, GPL, sleeping), so that an entry states only arguments and outcomes.
 */
import { S64_MAX, S64_MIN } from '../../isa/integer.js';
import type { ProgType } from '../../object/program.js';
import type {
  Arg,
  CallbackSpec,
  Contract,
  Effect,
  Guard,
  IterType,
  LockKind,
  MemSize,
  Outcome,
  PointerKind,
  R0,
  Resource,
  SockType,
} from '../contract.js';
import type { HelperRow, KfuncRow } from '../tables/rows.js';
import { HELPERS, KFUNCS } from '../tables/rows.js';

const helperRows = new Map<string, HelperRow>(HELPERS.map((row) => [row.name, row]));
const kfuncRows = new Map<string, KfuncRow>(KFUNCS.map((row) => [row.name, row]));

/** What neither the generated tables nor arguments and outcomes say of a function. */
export interface More {
  readonly underLock?: true;
  /** A helper whose memory arguments may point into the packet (`pkt_access`). */
  readonly packetArgs?: true;
  /**
   * Only these program types, fewer than the kernel's allow list. Programs of the other types may name the function, but can never
   * satisfy its arguments.
   */
  readonly only?: readonly ProgType[];
  /** The same, by naming those that cannot. */
  readonly except?: readonly ProgType[];
}

const narrowed = (types: readonly ProgType[], more: More): readonly ProgType[] =>
  types.filter((type) => more.only?.includes(type) !== false && more.except?.includes(type) !== true);

/** A contract for a helper; throws if the tables do not have it (a mistake in the table that is being written). */
export function helper(name: string, args: Arg[], outcomes: Outcome[], more: More = {}): Contract {
  const row = helperRows.get(name);
  if (row === undefined) throw new Error(`no helper ${name} in the tables`);
  return {
    name,
    kind: 'helper',
    id: row.id,
    args,
    outcomes,
    types: narrowed(row.types, more),
    ...(row.marks.includes('sleeps') ? { sleeps: true } : {}),
    ...(row.marks.includes('fastcall') ? { fastcall: true } : {}),
    ...(row.marks.includes('gpl') ? { gpl: true } : {}),
    ...(more.packetArgs ? { packetArgs: true } : {}),
    ...(more.underLock ? { underLock: true } : {}),
    flags: [],
    ret: row.ret,
  };
}

/** A contract for a kfunc; all kfuncs need a GPL-compatible program (check_kfunc_call). */
export function kfunc(name: string, args: Arg[], outcomes: Outcome[], more: More = {}): Contract {
  const row = kfuncRows.get(name);
  if (row === undefined) throw new Error(`no kfunc ${name} in the tables`);
  return {
    name,
    kind: 'kfunc',
    id: -1,
    args,
    outcomes,
    types: narrowed(row.types, more),
    ...(row.flags.includes('KF_SLEEPABLE') ? { sleeps: true } : {}),
    ...(row.flags.includes('KF_RCU_PROTECTED') ? { needsRcu: true } : {}),
    ...(row.flags.includes('KF_FASTCALL') ? { fastcall: true } : {}),
    gpl: true,
    packetArgs: true,
    ...(more.underLock ? { underLock: true } : {}),
    flags: row.flags,
    ret: row.ret,
  };
}

// Arguments.

export const any: Arg = { kind: 'anything' };
export const scalar: Arg = { kind: 'scalar' };
export const constant: Arg = { kind: 'scalar', constant: true };
export const ctx: Arg = { kind: 'ctx' };
export const ignored: Arg = { kind: 'ignored' };
export const constStr: Arg = { kind: 'const_str' };
export const stackOrNull: Arg = { kind: 'stack_or_null' };
export const size: Arg = { kind: 'size', zero: false };
export const sizeOrZero: Arg = { kind: 'size', zero: true };

type Access = 'read' | 'write' | 'readwrite';
/** Memory whose size is in argument `arg`. */
export const mem = (access: Access, arg: number): Arg => ({ kind: 'mem', access, size: { arg } });
/** Memory for the function, as `mem`, or NULL. Argument number `arg` (from 0) gives the size in bytes. */
export const memOrNull = (access: Access, arg: number): Arg => ({
  kind: 'mem',
  access,
  size: { arg },
  nullable: true,
});
/** Memory of a fixed number of bytes. */
export const fixedMem = (access: Access, bytes: number): Arg => ({ kind: 'mem', access, size: { bytes } });
/** The same, and aligned to its size. */
export const alignedMem = (access: Access, bytes: number): Arg => ({
  kind: 'mem',
  access,
  size: { bytes },
  aligned: true,
});

/** The four types that ARG_PTR_TO_SOCK_COMMON takes (sock_types in verifier.c). */
const SOCKS: readonly SockType[] = ['sock_common', 'sock', 'tcp_sock', 'xdp_sock'];
/** ARG_PTR_TO_SOCK_COMMON. */
export const sock: Arg = { kind: 'sock', types: SOCKS };
/** ARG_PTR_TO_BTF_ID_SOCK_COMMON. */
export const sockOrBtf: Arg = { kind: 'sock', types: SOCKS, btf: true };
/** ARG_PTR_TO_BTF_ID_SOCK_COMMON | OBJ_RELEASE. */
export const sockReleased: Arg = { kind: 'sock', types: SOCKS, btf: true, release: true };

/** A kernel struct; `trust` as KF_TRUSTED_ARGS or KF_RCU ask for it. */
export const btf = (trust: 'trusted' | 'rcu' | 'any', ...structs: string[]): Arg => ({
  kind: 'btf',
  structs,
  trust,
});
/** A kernel struct whose reference is given back here. */
export const btfReleased = (struct: string): Arg => ({
  kind: 'btf',
  structs: [struct],
  trust: 'any',
  release: true,
});

/** An initialised dynptr that is read; of one type only if `type` is given. */
export const dynptr: Arg = { kind: 'dynptr', state: 'init', rdonly: true };
/** An initialised dynptr that is written through. */
export const dynptrWritten: Arg = { kind: 'dynptr', state: 'init' };
/** A pointer to an open-coded iterator on the stack, which the call makes (`uninit`) or uses (`init`). */
export const iter = (type: IterType, state: 'uninit' | 'init'): Arg => ({ kind: 'iter', type, state });
/** A pointer to a `bpf_spin_lock` or `bpf_res_spin_lock` in a map value or in an object of the program. */
export const lockArg = (lock: LockKind): Arg => ({ kind: 'spin_lock', lock });
/** A function of the program that the kernel calls back, during the call or later. */
export const callback = (spec: CallbackSpec): Arg => ({ kind: 'callback', callback: spec });

// Values of r0.

/** MAX_ERRNO of include/linux/err.h. */
export const MAX_ERRNO = 4095n;

export const VOID: R0 = { kind: 'void' };
export const NULL: R0 = { kind: 'null' };
/** Any number: the verifier's result for RET_INTEGER, and for a kfunc that returns an integer of any width. */
export const INTEGER: R0 = { kind: 'scalar', min: S64_MIN, max: S64_MAX };
/** r0 is a number from `min` to `max`, both included, as a signed 64-bit number. */
export const range = (min: bigint, max: bigint): R0 => ({ kind: 'scalar', min, max });
export const ERROR_RANGE: readonly [bigint, bigint] = [-MAX_ERRNO, -1n];
/** [-MAX_ERRNO, largest value of the size argument]; BPF_MAX_VAR_SIZ bounds every size. */
export const errorOrUpTo = (arg: number): R0 => ({
  kind: 'scalar',
  min: -MAX_ERRNO,
  max: (1n << 29n) - 1n,
  upTo: arg,
});
/** r0 is a pointer, not NULL, that the program need not give back. */
export const pointer = (to: PointerKind): R0 => ({ kind: 'pointer', to });
/** r0 is a pointer, not NULL, and a new reference that the program must give back. */
export const acquired = (to: PointerKind, acquires: Resource): R0 => ({ kind: 'pointer', to, acquires });
/** Shares the reference of argument `derives`. */
export const derived = (to: PointerKind, derives: number): R0 => ({ kind: 'pointer', to, derives });

/** A kernel struct of the given name. What is held counts as trusted for as long as it is held (is_trusted_reg). */
export const struct = (
  name: string,
  trust: 'trusted' | 'rcu' | 'untrusted' | 'none' = 'trusted',
): PointerKind => ({ kind: 'btf', struct: name, trust });
/** A pointer to a socket, as the verifier tells them apart: `sock_common`, `sock`, `tcp_sock`, `xdp_sock`. */
export const sockOf = (type: SockType): PointerKind => ({ kind: 'sock', type });
/**
 * A pointer to plain memory of this size. `readonly`: stores are refused. `slice`: it is part of the dynptr in that argument and dies
 * with it.
 */
export const memOf = (
  memSize: MemSize,
  more: { readonly?: true; slice?: { arg: number } } = {},
): PointerKind => ({
  kind: 'mem',
  size: memSize,
  ...more,
});

// Outcomes.

/** One way in which a call may end. The name is what a case's `.env` line calls it; the effects happen in the order given. */
export const outcome = (name: string, r0: R0, ...effects: Effect[]): Outcome => ({ name, r0, effects });
/** An outcome that may sleep, spin or take long. */
export const slow = (name: string, r0: R0, ...effects: Effect[]): Outcome => ({
  ...outcome(name, r0, ...effects),
  blocks: true,
});
/** An outcome that only happens where `guard` holds. */
export const guarded = (guard: Guard, o: Outcome): Outcome => ({ ...o, guard });
/** An outcome whose r0 is narrower in a running kernel than the verifier knows. */
export const usually = (usual: readonly [bigint, bigint], o: Outcome): Outcome => ({ ...o, usual });
/** The call failed, and nothing happened except these effects. r0 is an error number, but the verifier takes it for any number. */
export const failed = (...effects: Effect[]): Outcome =>
  usually(ERROR_RANGE, outcome('error', INTEGER, ...effects));

// Effects.

/** The function fills the memory of argument `arg` (from 0). */
export const writes = (arg: number): Effect => ({ kind: 'write', arg });
/** The function takes back the reference in argument `arg` (from 0). The program may not use it afterwards. */
export const releases = (arg: number): Effect => ({ kind: 'release', arg });
/** The lock in argument `arg` (from 0) is held after the call. */
export const locks = (arg: number, lock: LockKind): Effect => ({ kind: 'lock', arg, lock });
/** The lock in argument `arg` (from 0) is not held any more after the call. */
export const unlocks = (arg: number, lock: LockKind): Effect => ({ kind: 'unlock', arg, lock });
/** The callback in argument `arg` (from 0) is called never, or any number of times, before the call returns. */
export const runs = (arg: number, times: 'none' | 'any'): Effect => ({ kind: 'callback', arg, times });
export const moves: Effect = { kind: 'invalidate_packet' };
