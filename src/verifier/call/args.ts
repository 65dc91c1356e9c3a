/** Checks the arguments of a call against the function's contract. Follows check_func_arg and check_kfunc_args of kernel/bpf/verifier.c. */
import type { Arg, SockType } from '../../kernel/contract.js';
import { isMapOfSockets, MAP_FLAGS } from '../../kernel/maptypes.js';
import type { Program, ProgType } from '../../object/program.js';
import { checkPointerOffset } from '../insn/memory.js';
import { isConst } from '../scalar/scalar.js';
import type { Path } from '../state/path.js';
import { fixedOffset, hasFixedOffset, isNull, isPointer, typeName } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import { checkGraphNode, checkGraphRoot } from './args-graph.js';
import { checkMapKey, checkMapValue, checkMem, checkSize } from './args-memory.js';
import { checkDynptr, checkIrqFlag, checkIter } from './args-slots.js';
import { type CallSite, mapOf } from './call-site.js';
import { checkLock, fieldsOf } from './locks.js';

function mismatch(reg: Reg, regno: number, expected: string): never {
  refuse(`R${regno} type=${typeName(reg)} expected=${expected}`);
}

/** A pointer that is given back, or that a kfunc trusts, must point to the start of its object (check_func_arg_reg_off). */
function requireStart(reg: Reg, regno: number): void {
  if (!hasFixedOffset(reg) || fixedOffset(reg) !== 0) {
    refuse(`R${regno} must have zero offset when passed to release func or trusted arg to kfunc`);
  }
}

function requireReferenced(reg: Reg, regno: number): void {
  if (reg.ref === 0 && !isNull(reg)) refuse(`R${regno} must be referenced when passed to release function`);
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

/** A struct of the kernel that starts with what all sockets have (btf_sock_ids). */
function isSocket(p: Path, reg: Reg): boolean {
  if (BTF_SOCKETS.has(reg.struct)) return true;
  return p.program.kernelTypes?.holds(reg.struct, fixedOffset(reg), 'sock_common') === true;
}

function checkSock(p: Path, reg: Reg, regno: number, arg: Extract<Arg, { kind: 'sock' }>): void {
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

/** Structs that start with another one, so that a pointer to them may be passed for it (btf_struct_ids_match). */
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

function checkBtf(p: Path, site: CallSite, index: number, arg: Extract<Arg, { kind: 'btf' }>): void {
  const reg = site.regs[index]!;
  const regno = index + 1;
  const isKfunc = site.contract.kind === 'kfunc';
  if (arg.nullable === true && isNull(reg)) return;
  if (isKfunc && (reg.nullable || isNull(reg)) && arg.nullable !== true) {
    refuse(`Possibly NULL pointer passed to trusted arg${index}`);
  }
  if (reg.type !== 'btf' || (reg.nullable && arg.nullable !== true)) {
    if (isKfunc)
      refuse(
        `arg#${index} pointer type STRUCT ${arg.structs[0]} must point to scalar, or struct with scalar`,
      );
    mismatch(reg, regno, 'ptr_, trusted_ptr_, rcu_ptr_');
  }
  if (arg.release === true && reg.ref === 0) {
    refuse(`release kernel function ${site.contract.name} expects refcounted PTR_TO_BTF_ID`);
  }
  const trusted = reg.trust === 'trusted' || reg.ref !== 0;
  if (arg.trust === 'trusted' && !trusted) refuse(`R${regno} must be referenced or trusted`);
  if (arg.trust === 'rcu' && !trusted && !(reg.trust === 'rcu' && p.inRcu))
    refuse(`R${regno} must be a rcu pointer`);
  if (arg.trust === 'any' && reg.trust === 'untrusted') mismatch(reg, regno, 'ptr_, trusted_ptr_, rcu_ptr_');
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

const ELEMENT_CALLS: ReadonlySet<string> = new Set([
  'bpf_map_lookup_elem',
  'bpf_map_update_elem',
  'bpf_map_delete_elem',
]);

const ANY_SOCKET: Extract<Arg, { kind: 'sock' }> = {
  kind: 'sock',
  types: ['sock_common', 'sock', 'tcp_sock', 'xdp_sock'],
  btf: true,
};

/** Types of programs that may change a map of sockets as any map (may_update_sockmap). */
const MAY_CHANGE: ReadonlySet<ProgType> = new Set([
  'iter',
  'socket_filter',
  'tc',
  'action',
  'xdp',
  'sk_reuseport',
  'flow_dissector',
  'sk_lookup',
]);

function mayUseSocketMap({ type }: Program, name: string): boolean {
  if (name === 'bpf_map_lookup_elem' || MAY_CHANGE.has(type)) return true;
  return type === 'sock_ops' && name === 'bpf_map_delete_elem';
}

function checkKptrSlot(p: Path, reg: Reg, regno: number): void {
  if (reg.nullable || (reg.type !== 'map_value' && reg.type !== 'object'))
    mismatch(reg, regno, 'map_value, ptr_');
  if (!hasFixedOffset(reg))
    refuse(`R${regno} doesn't have constant offset. kptr has to be at the constant offset`);
  const off = fixedOffset(reg);
  const field = fieldsOf(p, reg).find(
    (f) => f.offset === off && (f.kind === 'kptr' || f.kind === 'kptr_untrusted'),
  );
  if (field === undefined) refuse(`off=${off} doesn't point to kptr`);
  if (field.kind !== 'kptr') refuse(`off=${off} kptr isn't referenced kptr`);
}

function checkKptrValue(p: Path, site: CallSite, index: number): void {
  const reg = site.regs[index]!;
  if (isNull(reg)) return;
  if ((reg.type !== 'btf' && reg.type !== 'object') || reg.nonOwning || reg.percpu)
    mismatch(reg, index + 1, 'ptr_, trusted_ptr_, rcu_ptr_');
  if (reg.nullable) refuse(`Possibly NULL pointer passed to helper arg${index + 1}`);
  requireStart(reg, index + 1);
  requireReferenced(reg, index + 1);
  const slot = site.regs[0]!;
  const field = fieldsOf(p, slot).find((f) => f.offset === fixedOffset(slot));
  if (field?.struct !== reg.struct)
    refuse(
      `invalid kptr access, R${index + 1} type=${typeName(reg)}${reg.struct} expected=ptr_${field?.struct ?? ''}`,
    );
}

function checkObject(site: CallSite, index: number, arg: Extract<Arg, { kind: 'object' }>): void {
  const reg = site.regs[index]!;
  if (reg.type !== 'object') {
    if (site.contract.kind === 'kfunc' && reg.type === 'scalar')
      refuse(`R${index + 1} must be referenced or trusted`);
    refuse(`arg#${index} expected pointer to allocated object`);
  }
  if (reg.nullable) refuse(`Possibly NULL pointer passed to trusted arg${index}`);
  if (reg.ref === 0) refuse('allocated object must be referenced');
  requireStart(reg, index + 1);
  if (reg.percpu !== (arg.percpu === true)) refuse(`arg#${index} expected pointer to allocated object`);
}

function checkConstStr(p: Path, reg: Reg, regno: number): void {
  if (reg.type !== 'map_value' || reg.nullable) mismatch(reg, regno, 'map_value');
  const map = p.program.maps[reg.map]!;
  if ((map.flags & MAP_FLAGS.RDONLY_PROG) === 0 || map.frozen !== true)
    refuse(`R${regno} does not point to a readonly map'`);
  if (!hasFixedOffset(reg)) refuse(`R${regno} is not a constant address'`);
  const off = fixedOffset(reg);
  if (off < 0 || off > map.valueSize) refuse(`R${regno} min value is outside of the allowed memory range`);
  const bytes = map.initial?.subarray(off);
  if (bytes === undefined || !bytes.includes(0)) refuse('string is not zero-terminated');
}

function checkCallbackContext(reg: Reg, regno: number): void {
  if (isNull(reg)) return;
  if (reg.type !== 'stack') mismatch(reg, regno, 'fp');
}

function checkSpecialField(p: Path, reg: Reg, regno: number, kind: 'timer' | 'wq'): void {
  if (reg.type !== 'map_value' || reg.nullable) mismatch(reg, regno, 'map_value');
  if (!hasFixedOffset(reg))
    refuse(`R${regno} doesn't have constant offset. bpf_${kind} has to be at the constant offset`);
  const field = fieldsOf(p, reg).find((f) => f.kind === kind);
  if (field === undefined) refuse(`map '${p.program.maps[reg.map]?.name ?? ''}' has no valid bpf_${kind}`);
  if (field.offset !== fixedOffset(reg))
    refuse(`off ${fixedOffset(reg)} doesn't point to 'struct bpf_${kind}' that is at ${field.offset}`);
}

/**
 * A timer or work queue is set up with the map that it lies in. For a work queue Linux 6.18 compares the maps only if the one that
 * is passed has special fields of its own, and dereferences NULL if it has none; we refuse every other map.
 */
function requireMapOfTimer(site: CallSite, reg: Reg, regno: number): void {
  const first = site.contract.args[0];
  if (first?.kind !== 'timer' && first?.kind !== 'wq') return;
  if (site.regs[0]!.map === reg.map) return;
  const what = first.kind === 'timer' ? 'timer' : 'workqueue';
  refuse(`${what} pointer in R1 map_uid=0 doesn't match map pointer in R${regno} map_uid=0`);
}

/** What is not for a map that programs may only read (record_func_map). */
const WRITES_MAP: ReadonlySet<string> = new Set([
  'bpf_map_update_elem',
  'bpf_map_delete_elem',
  'bpf_map_push_elem',
  'bpf_map_pop_elem',
]);

/** Refuses the call unless argument `index` is what the function takes. Writes what the function is sure to write. */
function checkArg(p: Path, site: CallSite, index: number, arg: Arg): void {
  const reg = site.regs[index]!;
  const regno = index + 1;
  if (arg.kind === 'ignored') return;
  if (reg.type === 'uninit') refuse(`R${regno} !read_ok`);
  if ((reg.type === 'btf' || reg.type === 'object') && arg.kind !== 'anything')
    checkPointerOffset(reg, regno, 'ptr_', true);
  switch (arg.kind) {
    case 'anything':
      if (p.strict && isPointer(reg)) refuse(`R${regno} leaks addr into helper function`);
      if (site.contract.name === 'bpf_get_local_storage' && !isNull(reg))
        refuse("get_local_storage() doesn't support non-zero flags");
      return;
    case 'scalar':
      if (reg.type !== 'scalar') {
        if (site.contract.kind === 'kfunc') refuse(`R${regno} is not a scalar`);
        mismatch(reg, regno, 'scalar');
      }
      if (arg.constant === true && !isConst(reg.num)) refuse(`R${regno} must be a known constant`);
      return;
    case 'map': {
      if (reg.type !== 'map_ptr' || reg.nullable) mismatch(reg, regno, 'map_ptr');
      const map = p.program.maps[reg.map]!;
      const mismatched = (): never =>
        refuse(`cannot pass map_type ${map.type} into func ${site.contract.name}#${site.contract.id}`);
      if (isMapOfSockets(map) && ELEMENT_CALLS.has(site.contract.name)) {
        if (!mayUseSocketMap(p.program, site.contract.name)) mismatched();
      } else if (arg.types !== undefined && !arg.types.includes(map.type)) {
        mismatched();
      }
      if ((map.flags & MAP_FLAGS.RDONLY_PROG) !== 0 && WRITES_MAP.has(site.contract.name))
        refuse('write into map forbidden');
      requireMapOfTimer(site, reg, regno);
      return;
    }
    case 'map_key':
      checkMapKey(p, site, index);
      return;
    case 'map_value':
      if (arg.nullable === true && isNull(reg)) return;
      // A map of sockets is given a socket, not what to copy into it (resolve_map_arg_type).
      if (isMapOfSockets(mapOf(p, site))) checkSock(p, reg, regno, ANY_SOCKET);
      else checkMapValue(p, site, index, arg.uninit === true);
      return;
    case 'percpu':
      if (!reg.percpu || reg.nullable)
        mismatch(reg, regno, 'percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_');
      if (reg.type === 'object' && reg.trust !== 'rcu' && reg.ref === 0)
        mismatch(reg, regno, 'percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_');
      return;
    case 'mem':
      checkMem(p, site, index, arg);
      return;
    case 'size':
      checkSize(site, index, arg);
      return;
    case 'alloc_size':
      if (reg.type !== 'scalar') mismatch(reg, regno, 'scalar');
      if (!isConst(reg.num)) refuse(`R${regno} is not a known constant'`);
      return;
    case 'ctx':
      if (arg.nullable === true && isNull(reg)) return;
      if (reg.type !== 'ctx') mismatch(reg, regno, 'ctx');
      requireStart(reg, regno);
      return;
    case 'sock':
      checkSock(p, reg, regno, arg);
      return;
    case 'record':
      if (reg.type !== 'record' || reg.nullable) mismatch(reg, regno, 'ringbuf_mem');
      requireStart(reg, regno);
      requireReferenced(reg, regno);
      return;
    case 'spin_lock':
      checkLock(p, reg, regno, arg.lock);
      return;
    case 'timer':
    case 'wq':
      checkSpecialField(p, reg, regno, arg.kind);
      return;
    case 'dynptr':
      checkDynptr(p, site, index, arg);
      return;
    case 'iter':
      checkIter(p, site, index, arg);
      return;
    case 'irq_flag':
      checkIrqFlag(p, site, index, arg.state);
      return;
    case 'btf':
      checkBtf(p, site, index, arg);
      return;
    case 'kptr_slot':
      checkKptrSlot(p, reg, regno);
      return;
    case 'kptr_value':
      checkKptrValue(p, site, index);
      return;
    case 'callback':
      if (reg.type !== 'func') mismatch(reg, regno, 'func');
      return;
    case 'stack_or_null':
      checkCallbackContext(reg, regno);
      return;
    case 'const_str':
      checkConstStr(p, reg, regno);
      return;
    case 'object':
      checkObject(site, index, arg);
      return;
    case 'refcounted':
      if (reg.type !== 'object' || reg.nullable) refuse(`arg#${index} is neither owning or non-owning ref`);
      if (reg.ref === 0 && !reg.nonOwning && reg.trust !== 'rcu')
        refuse(`arg#${index} is neither owning or non-owning ref`);
      if (!fieldsOf(p, reg).some((f) => f.kind === 'refcount')) {
        refuse(`arg#${index} doesn't point to a type with bpf_refcount field`);
      }
      return;
    case 'graph_root':
      checkGraphRoot(p, reg, index, arg.graph);
      return;
    case 'graph_node':
      checkGraphNode(p, site, index, arg);
      return;
  }
}

export function checkArgs(p: Path, site: CallSite): void {
  const { args } = site.contract;
  for (let index = 0; index < args.length; index++) checkArg(p, site, index, args[index]!);
}
