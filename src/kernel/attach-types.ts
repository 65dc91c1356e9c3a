/** Which attach types the kernel loads a program for. Follows bpf_prog_load_check_attach of kernel/bpf/syscall.c. */
import type { ProgType } from '../object/program.js';
import { ATTACH as A } from './contexts/attach.js';

/** Program types that are loaded for these attach types only (`expected_attach_type`); 0 is none. All others take any number. */
const TAKEN: Partial<Record<ProgType, ReadonlySet<number>>> = {
  cgroup_skb: new Set([A.INET_INGRESS, A.INET_EGRESS]),
  cgroup_sock: new Set([0, A.SOCK_CREATE, A.SOCK_RELEASE, A.INET4_POST_BIND, A.INET6_POST_BIND]),
  cgroup_sock_addr: new Set([
    A.INET4_BIND,
    A.INET6_BIND,
    A.INET4_CONNECT,
    A.INET6_CONNECT,
    A.UNIX_CONNECT,
    A.INET4_GETPEERNAME,
    A.INET6_GETPEERNAME,
    A.UNIX_GETPEERNAME,
    A.INET4_GETSOCKNAME,
    A.INET6_GETSOCKNAME,
    A.UNIX_GETSOCKNAME,
    A.UDP4_SENDMSG,
    A.UDP6_SENDMSG,
    A.UNIX_SENDMSG,
    A.UDP4_RECVMSG,
    A.UDP6_RECVMSG,
    A.UNIX_RECVMSG,
  ]),
  cgroup_sockopt: new Set([A.GETSOCKOPT, A.SETSOCKOPT]),
  sk_lookup: new Set([A.SK_LOOKUP]),
  sk_reuseport: new Set([0, A.SK_REUSEPORT_SELECT, A.SK_REUSEPORT_SELECT_OR_MIGRATE]),
  netfilter: new Set([A.NETFILTER]),
  syscall: new Set([0]),
};

/** The kernel loads programs of this type for this attach type. */
export const takesAttachType = (type: ProgType, attach: number): boolean =>
  TAKEN[type]?.has(attach) !== false;
