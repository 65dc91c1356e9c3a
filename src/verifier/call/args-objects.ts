/**
 * Arguments that are kernel objects: sockets, structs of the kernel, kptrs and objects of the program's own types. Follows check_reg_type,
 * process_kf_arg_ptr_to_btf_id, process_kptr_func and check_func_arg_reg_off of kernel/bpf/verifier.c.
 */

import type { Arg, SockType } from '../../kernel/contract.js';
import { isKptr } from '../../object/program.js';
import type { Path } from '../state/path.js';
import { fixedOffset, hasFixedOffset, isNull, ownedRef, typeName } from '../state/regs.js';
import { fieldsOf } from '../state/special-fields.js';
import type { Reg, RegType } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import { checkHelperMem } from './args-memory.js';
import { type CallSite, trustsArguments } from './call-site.js';

/** Refuses an argument of a type that the function does not take, in the kernel's words. */
export function mismatch(reg: Reg, regno: number, expected: string): never {
  refuse(`R${regno} type=${typeName(reg)} expected=${expected}`);
}

/** A pointer that is given back, or that a kfunc trusts, must point to the start of its object (check_func_arg_reg_off). */
export function requireStart(reg: Reg, regno: number): void {
  if (!hasFixedOffset(reg) || fixedOffset(reg) !== 0) {
    refuse(`R${regno} must have zero offset when passed to release func or trusted arg to kfunc`);
  }
}

/** Refuses an argument that a function releases, unless it is a reference that the program holds, or NULL. */
export function requireReferenced(reg: Reg, regno: number): void {
  if (ownedRef(reg) === 0 && !isNull(reg))
    refuse(`R${regno} must be referenced when passed to release function`);
}

const BTF_SOCKETS = new Set([
  'sock',
  'sock_common',
  'tcp_sock',
  'tcp6_sock',
  'udp6_sock',
  'unix_sock',
  'tcp_timewait_sock',
  'tcp_request_sock',
  'mptcp_sock',
]);

/** Whether the pointer is to a kernel struct that starts with a sock_common (btf_sock_ids). */
function isSocket(p: Path, reg: Reg): boolean {
  if (BTF_SOCKETS.has(reg.struct) && fixedOffset(reg) === 0) return true;
  return p.program.kernelTypes?.holds(reg.struct, fixedOffset(reg), 'sock_common') === true;
}

/**
 * Checks that an argument is a socket of one of the types that the function takes; if the function releases it, that it is a
 * reference.
 */
export function checkSock(p: Path, reg: Reg, regno: number, arg: Extract<Arg, { kind: 'sock' }>): void {
  if (arg.nullable === true && isNull(reg)) return;
  const names = `${arg.types.join(', ')}${arg.btf === true ? ', ptr_, trusted_ptr_' : ''}`;
  const taken =
    !reg.nullable &&
    (arg.types.includes(reg.type as SockType) ||
      (arg.btf === true && reg.type === 'btf' && isSocket(p, reg) && reg.trust !== 'untrusted'));
  if (!taken) mismatch(reg, regno, names);
  if (arg.release === true) {
    requireStart(reg, regno);
    requireReferenced(reg, regno);
  }
}

/** Structs whose first member is another struct. A pointer to the outer one may be passed for the inner one (btf_struct_ids_match). */
const FIRST_MEMBER: Readonly<Record<string, readonly string[]>> = {
  cpumask: ['bpf_cpumask'],
  cgroup_subsys_state: ['cgroup'],
  sock_common: [
    'sock',
    'tcp_sock',
    'tcp6_sock',
    'udp6_sock',
    'unix_sock',
    'tcp_request_sock',
    'tcp_timewait_sock',
  ],
  sock: ['tcp_sock', 'tcp6_sock', 'udp6_sock', 'unix_sock'],
};

/** Whether the kernel lets the kfunc take pointers that are not trusted. */
function takesLesser({ kernel }: Path, { contract }: CallSite): boolean {
  return kernel.behaviour.lesserKfuncPointers && !trustsArguments(contract);
}

/**
 * Checks that an argument points to a kernel struct that the function takes, and is trusted as far as the function asks: referenced,
 * RCU-protected, or any. Follows process_kf_arg_ptr_to_btf_id and check_reg_type.
 */
export function checkBtf(p: Path, site: CallSite, index: number, arg: Extract<Arg, { kind: 'btf' }>): void {
  const reg = site.regs[index]!;
  const regno = index + 1;
  const isKfunc = site.contract.kind === 'kfunc';
  if (arg.nullable === true && isNull(reg)) return;
  if (isKfunc && (reg.nullable || isNull(reg)) && arg.nullable !== true) {
    refuse(`Possibly NULL pointer passed to trusted arg${index}`);
  }
  if (reg.type !== 'btf' || (reg.nullable && arg.nullable !== true)) {
    if (isKfunc) {
      checkPlainMemory(p, site, index, arg);
      return;
    }
    mismatch(reg, regno, 'ptr_, trusted_ptr_, rcu_ptr_');
  }
  if (arg.release === true && ownedRef(reg) === 0) {
    refuse(`release kernel function ${site.contract.name} expects refcounted PTR_TO_BTF_ID`);
  }
  const trusted = reg.trust === 'trusted' || ownedRef(reg) !== 0;
  const trust = isKfunc && takesLesser(p, site) ? 'any' : arg.trust;
  if (trust === 'trusted' && !trusted) refuse(`R${regno} must be referenced or trusted`);
  if (trust === 'rcu' && !trusted && !(reg.trust === 'rcu' && p.inRcu))
    refuse(`R${regno} must be a rcu pointer`);
  if (trust === 'any' && reg.trust === 'untrusted') mismatch(reg, regno, 'ptr_, trusted_ptr_, rcu_ptr_');
  const types = p.program.kernelTypes;
  const inside = types !== undefined && arg.release !== true && hasFixedOffset(reg);
  if (!inside) requireStart(reg, regno);
  const matches = arg.structs.some(
    (s) =>
      (s === reg.struct && fixedOffset(reg) === 0) ||
      (FIRST_MEMBER[s]?.includes(reg.struct) === true && fixedOffset(reg) === 0) ||
      (inside && types.holds(reg.struct, fixedOffset(reg), s)),
  );
  if (!matches) {
    if (isKfunc) {
      refuse(
        `kernel function ${site.contract.name} args#${index} expected pointer to STRUCT ${arg.structs[0]} but R${regno} has a pointer to STRUCT ${reg.struct}`,
      );
    }
    refuse(`R${regno} is of type ${reg.struct} but ${arg.structs[0]} is expected`);
  }
}

/** The struct that Linux takes a socket type for where a struct is wanted (reg2btf_ids). */
const SOCKET_STRUCT: Readonly<Partial<Record<RegType, string>>> = {
  sock: 'sock',
  sock_common: 'sock_common',
  tcp_sock: 'tcp_sock',
};

/**
 * If a kfunc wants a struct that is made of numbers only, any memory of its size will do: a `struct cpumask` in a map or on the stack
 * (get_kfunc_ptr_arg_type, check_mem_reg). Linux takes it also for a struct with a reference count. We refuse that: the function would
 * count references to memory in a map, and free it.
 */
function checkPlainMemory(p: Path, site: CallSite, index: number, arg: Extract<Arg, { kind: 'btf' }>): void {
  const { contract } = site;
  const reg = site.regs[index]!;
  const [struct] = arg.structs;
  const socket = SOCKET_STRUCT[reg.type];
  // A socket is trusted as it is (is_trusted_reg).
  const fits = arg.structs.some((s) => s === socket || FIRST_MEMBER[s]?.includes(socket ?? '') === true);
  if (fits && arg.release !== true) {
    requireStart(reg, index + 1);
    return;
  }
  if (socket !== undefined)
    refuse(
      `kernel function ${contract.name} args#${index} expected pointer to STRUCT ${struct} but R${index + 1} has a pointer to STRUCT ${socket}`,
    );
  const acquires = contract.outcomes.some(({ r0 }) => r0.kind === 'pointer' && r0.acquires !== undefined);
  const size = acquires ? undefined : p.program.kernelTypes?.plainSize?.(struct!);
  if (size === undefined || reg.type === 'object')
    refuse(`arg#${index} pointer type STRUCT ${struct} must point to scalar, or struct with scalar`);
  checkHelperMem(p, reg, index + 1, size, 'readwrite', true);
  if (arg.release === true)
    refuse(`release kernel function ${contract.name} expects refcounted PTR_TO_BTF_ID`);
}

/**
 * Checks that an argument points at a referenced kptr field of a map value or object, as `bpf_kptr_xchg` needs. Follows
 * process_kptr_func.
 */
export function checkKptrSlot(p: Path, reg: Reg, regno: number): void {
  if (reg.nullable || (reg.type !== 'map_value' && reg.type !== 'object'))
    mismatch(reg, regno, 'map_value, ptr_');
  if (!hasFixedOffset(reg))
    refuse(`R${regno} doesn't have constant offset. kptr has to be at the constant offset`);
  const off = fixedOffset(reg);
  const field = fieldsOf(p, reg).find((f) => f.offset === off && isKptr(f));
  if (field === undefined) refuse(`off=${off} doesn't point to kptr`);
  if (field.kind === 'kptr_untrusted') refuse(`off=${off} kptr isn't referenced kptr`);
}

/** Checks what `bpf_kptr_xchg` puts into the field: NULL, or a reference to the field's own type. */
export function checkKptrValue(p: Path, site: CallSite, index: number): void {
  const reg = site.regs[index]!;
  if (isNull(reg)) return;
  if ((reg.type !== 'btf' && reg.type !== 'object') || reg.nonOwning)
    mismatch(reg, index + 1, 'ptr_, trusted_ptr_, rcu_ptr_');
  if (reg.nullable) refuse(`Possibly NULL pointer passed to helper arg${index + 1}`);
  requireStart(reg, index + 1);
  requireReferenced(reg, index + 1);
  const slot = site.regs[0]!;
  const field = fieldsOf(p, slot).find((f) => f.offset === fixedOffset(slot));
  if (field?.struct !== reg.struct || (reg.percpu && field.kind !== 'kptr_percpu'))
    refuse(
      `invalid kptr access, R${index + 1} type=${typeName(reg)}${reg.struct} expected=ptr_${field?.struct ?? ''}`,
    );
}

/** Checks that an argument is an object which the program allocated and owns; per-CPU or not, as the contract says. */
export function checkObject(site: CallSite, index: number, arg: Extract<Arg, { kind: 'object' }>): void {
  const reg = site.regs[index]!;
  if (reg.type !== 'object') {
    if (site.contract.kind === 'kfunc' && reg.type === 'scalar')
      refuse(`R${index + 1} must be referenced or trusted`);
    refuse(`arg#${index} expected pointer to allocated object`);
  }
  if (reg.nullable) refuse(`Possibly NULL pointer passed to trusted arg${index}`);
  if (ownedRef(reg) === 0) refuse('allocated object must be referenced');
  requireStart(reg, index + 1);
  if (reg.percpu !== (arg.percpu === true)) refuse(`arg#${index} expected pointer to allocated object`);
}

/**
 * Checks the argument of bpf_refcount_acquire: an object with a reference count. The program must hold it, or a lock or RCU must protect
 * it.
 */
export function checkRefcounted(p: Path, reg: Reg, index: number): void {
  if (reg.type !== 'object' || reg.nullable) refuse(`arg#${index} is neither owning or non-owning ref`);
  if (ownedRef(reg) === 0 && !reg.nonOwning && reg.trust !== 'rcu')
    refuse(`arg#${index} is neither owning or non-owning ref`);
  if (!fieldsOf(p, reg).some((f) => f.kind === 'refcount')) {
    refuse(`arg#${index} doesn't point to a type with bpf_refcount field`);
  }
  // The kernel adds the count's offset to the pointer as it is, so the pointer must be to the object's start.
  requireStart(reg, index + 1);
}
