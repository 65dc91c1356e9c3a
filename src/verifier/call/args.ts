/** Checks the arguments of a call against the function's contract. Follows check_func_arg and check_kfunc_args of kernel/bpf/verifier.c. */
import type { Arg } from '../../kernel/contract.js';
import { isMapOfSockets } from '../../kernel/maptypes.js';
import { checkPointerOffset } from '../insn/access.js';
import { isConst } from '../scalar/scalar.js';
import type { Path } from '../state/path.js';
import { isNull, isPointer, typeName } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import { checkGraphNode, checkGraphRoot } from './args-graph.js';
import { checkConstStr, checkMap, checkSpecialField } from './args-maps.js';
import { checkMapKey, checkMapValue, checkMem, checkSize } from './args-memory.js';
import {
  checkBtf,
  checkKptrSlot,
  checkKptrValue,
  checkObject,
  checkRefcounted,
  checkSock,
  mismatch,
  requireReferenced,
  requireStart,
} from './args-objects.js';
import { checkDynptr, checkIrqFlag, checkIter } from './args-slots.js';
import { type CallSite, mapOf } from './call-site.js';
import { checkLock } from './locks.js';

/** A map of the kernel, by its struct. */
const KERNEL_MAP: Extract<Arg, { kind: 'btf' }> = { kind: 'btf', structs: ['bpf_map'], trust: 'trusted' };

const ANY_SOCKET: Extract<Arg, { kind: 'sock' }> = {
  kind: 'sock',
  types: ['sock_common', 'sock', 'tcp_sock', 'xdp_sock'],
  btf: true,
};

function checkCallbackContext(reg: Reg, regno: number): void {
  if (isNull(reg)) return;
  if (reg.type !== 'stack') mismatch(reg, regno, 'fp');
}

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
    case 'map':
      // Where any map will do, a map of the kernel does too, such as the one that an iterator over maps is given.
      if (arg.types === undefined && reg.type === 'btf') checkBtf(p, site, index, KERNEL_MAP);
      else checkMap(p, site, index, arg);
      return;
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
      // An object that the program owns is none of these: one that a map keeps is, while an RCU section lasts.
      if (!reg.percpu || reg.nullable || (reg.type === 'object' && reg.trust !== 'rcu'))
        mismatch(reg, regno, 'percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_');
      // The result is taken to point to the start of the object, so the argument must point there.
      checkPointerOffset(reg, regno, typeName(reg));
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
      if (reg.type !== 'ctx' && site.contract.kind === 'kfunc')
        refuse(`arg#${index} expected pointer to ctx, but got ${typeName(reg)}`);
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
      checkPointerOffset(reg, regno, 'func');
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
      checkRefcounted(p, reg, index);
      return;
    case 'graph_root':
      checkGraphRoot(p, reg, index, arg.graph);
      return;
    case 'graph_node':
      checkGraphNode(p, site, index, arg);
      return;
  }
}

/** Checks all arguments of a call, from r1 on. Throws Refusal with the kernel's message at the first that is wrong. */
export function checkArgs(p: Path, site: CallSite): void {
  const { args } = site.contract;
  for (let index = 0; index < args.length; index++) checkArg(p, site, index, args[index]!);
  if (site.contract.name === 'bpf_snprintf') checkFormatData(site);
}

/** What bpf_snprintf prints is an array of 64-bit words (check_bpf_snprintf_call, which gives no message here). */
function checkFormatData(site: CallSite): void {
  if (site.regs[4]!.num.value % 8n !== 0n) refuse('data_len of bpf_snprintf must be a multiple of 8');
}
