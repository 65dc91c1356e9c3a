/** Which functions make what an argument needs. */
import type { Arg, Contract, DynptrType } from '../../src/kernel/contract.js';
import { contractOfDeclared } from '../../src/kernel/declare/declare.js';
import type { DeclaredFunction, ProgType } from '../../src/object/program.js';

const STRUCTS: Readonly<Record<string, readonly string[]>> = {
  task_struct: ['bpf_task_from_pid', 'bpf_get_current_task_btf', 'bpf_task_from_vpid'],
  cgroup: ['bpf_cgroup_from_id'],
  // The state of a cgroup is its first member, so a pointer to the one is a pointer to the other.
  cgroup_subsys_state: ['bpf_cgroup_from_id'],
  bpf_cpumask: ['bpf_cpumask_create'],
  cpumask: ['bpf_cpumask_create'],
  bpf_key: ['bpf_lookup_system_key', 'bpf_lookup_user_key'],
  bpf_crypto_ctx: ['bpf_crypto_ctx_create'],
  nf_conn: ['bpf_xdp_ct_lookup', 'bpf_skb_ct_lookup'],
  nf_conn___init: ['bpf_xdp_ct_alloc', 'bpf_skb_ct_alloc'],
  xfrm_state: ['bpf_xdp_get_xfrm_state'],
  kmem_cache: ['bpf_get_kmem_cache'],
};

const DYNPTRS: Readonly<Record<DynptrType, readonly string[]>> = {
  local: ['bpf_dynptr_from_mem'],
  ringbuf: ['bpf_ringbuf_reserve_dynptr'],
  skb: ['bpf_dynptr_from_skb'],
  xdp: ['bpf_dynptr_from_xdp'],
  skb_meta: ['bpf_dynptr_from_skb_meta'],
};

/** Stands for the socket of the packet, read from the context. */
export const CONTEXT_SOCKET = '__sk_buff.sk';

/**
 * Functions that make a thing for `arg`, declared ones first; those that cannot be called where they are needed are passed over.
 */
export function producersOf(
  arg: Arg,
  type: ProgType,
  declared: readonly DeclaredFunction[] = [],
): readonly string[] {
  const own = declared.filter((one) => makes(contractOfDeclared(one), arg)).map(({ name }) => name);
  return own.length === 0 ? fromTables(arg, type) : [...own, ...fromTables(arg, type)];
}

/** A declared function returns, or leaves in a slot, what the argument needs. */
function makes({ outcomes }: Contract, arg: Arg): boolean {
  return outcomes.some(({ r0, effects }) => {
    if (arg.kind === 'dynptr')
      return effects.some(
        (effect) => effect.kind === 'init_dynptr' && (arg.type === undefined || effect.type === arg.type),
      );
    if (r0.kind !== 'pointer') return false;
    if (arg.kind === 'btf') {
      if (r0.to.kind !== 'btf' || !arg.structs.includes(r0.to.struct)) return false;
      return arg.trust === 'any'
        ? r0.to.trust !== 'untrusted'
        : r0.to.trust === 'trusted' || r0.to.trust === arg.trust;
    }
    return arg.kind === 'sock' && r0.to.kind === 'sock' && arg.types.includes(r0.to.type);
  });
}

function fromTables(arg: Arg, type: ProgType): readonly string[] {
  switch (arg.kind) {
    case 'sock':
      // A lookup that may find a request socket gives only the common part.
      return arg.types.includes('sock_common')
        ? ['bpf_sk_lookup_tcp', 'bpf_skc_lookup_tcp', 'bpf_sk_lookup_udp', CONTEXT_SOCKET]
        : ['bpf_sk_lookup_tcp', 'bpf_sk_lookup_udp'];
    case 'btf':
      return arg.structs.flatMap((struct) => STRUCTS[struct] ?? []);
    case 'dynptr':
      if (arg.type !== undefined) return DYNPTRS[arg.type];
      if (arg.rdonly !== true) return [...DYNPTRS.local, ...DYNPTRS.ringbuf];
      return [...DYNPTRS.local, ...DYNPTRS.ringbuf, ...(type === 'xdp' ? DYNPTRS.xdp : DYNPTRS.skb)];
    default:
      return [];
  }
}
