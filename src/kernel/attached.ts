/**
 * Functions whose use also depends on how a program of the type attaches. Follows cgroup_common_func_proto and cg_sockopt_func_proto in
 * kernel/bpf/cgroup.c, sock_addr_func_proto in net/core/filter.c and bpf_iter_get_func_proto.
 */
import type { Program } from '../object/program.js';
import { operationOf } from '../object/struct-ops.js';
import { symbols } from './catalog.js';
import { ATTACH as A } from './contexts/attach.js';
import { ADDED_HELPERS, structOps } from './struct-ops.js';

const NO_RETVAL: ReadonlySet<number> = new Set([
  A.INET_INGRESS,
  A.INET_EGRESS,
  A.UDP4_RECVMSG,
  A.UDP6_RECVMSG,
  A.UNIX_RECVMSG,
  A.INET4_GETPEERNAME,
  A.INET6_GETPEERNAME,
  A.UNIX_GETPEERNAME,
  A.INET4_GETSOCKNAME,
  A.INET6_GETSOCKNAME,
  A.UNIX_GETSOCKNAME,
]);
const CONNECTS: ReadonlySet<number> = new Set([A.INET4_CONNECT, A.INET6_CONNECT]);
const SOCKET_ITERATORS: ReadonlySet<string> = new Set(['tcp', 'unix']);

/** What one struct of functions adds, programs of another do not have; and those of Qdisc_ops alone may call what is for packets. */
function refusedOperation(name: string, target: string | undefined): boolean {
  const operation = operationOf(target);
  const { helpers, without } = structOps(operation?.struct);
  if (helpers === 'none') return symbols.helperId(name) !== undefined;
  if (ADDED_HELPERS.has(name) && !helpers.has(name)) return true;
  return without?.[operation?.member ?? '']?.has(name) === true;
}

/** The type of the program may call this function, but not attached like this. */
export function refusedAttached(name: string, { type, attach }: Program): boolean {
  const at = attach?.type || (type === 'cgroup_sock' ? A.SOCK_CREATE : 0);
  if (type === 'struct_ops' && refusedOperation(name, attach?.target)) return true;
  switch (name) {
    case 'bpf_get_retval':
    case 'bpf_set_retval':
      return NO_RETVAL.has(at);
    case 'bpf_bind':
      return !CONNECTS.has(at);
    case 'bpf_setsockopt':
    case 'bpf_getsockopt':
      if (type === 'cgroup_sockopt') return at !== A.SETSOCKOPT;
      return type === 'iter' && !SOCKET_ITERATORS.has(attach?.target ?? '');
    default:
      return false;
  }
}
