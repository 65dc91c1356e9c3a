/**
 * Loads through pointers to kernel structs: a pointer loaded from one is trusted less than the one it was loaded through, unless RCU or
 * a promise of the kernel keeps both alive. Follows check_ptr_to_btf_access of kernel/bpf/verifier.c.
 */
import type { StructAccess } from '../../object/program.js';
import type { Path } from '../state/path.js';
import { ownedRef, pointerReg } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';

/** Members that are trusted inside an RCU section and never NULL (BTF_TYPE_SAFE_RCU). */
const SAFE_RCU: ReadonlySet<string> = new Set([
  'task_struct.real_parent',
  'task_struct.group_leader',
  'task_struct.cgroups',
  'task_struct.cpus_ptr',
  'cgroup.kn',
  'css_set.dfl_cgrp',
  'cgroup_subsys_state.cgroup',
]);
/** The same, but may be NULL (BTF_TYPE_SAFE_RCU_OR_NULL). */
const SAFE_RCU_OR_NULL: ReadonlySet<string> = new Set([
  'mm_struct.exe_file',
  'sk_buff.sk',
  'request_sock.sk',
]);
/** Members that are always trusted and never NULL (BTF_TYPE_SAFE_TRUSTED). */
const SAFE_TRUSTED: ReadonlySet<string> = new Set([
  'bpf_iter_meta.seq',
  'bpf_iter__task.meta',
  'bpf_iter__task.task',
  'linux_binprm.file',
  'file.f_inode',
]);
/** The same, but may be NULL (BTF_TYPE_SAFE_TRUSTED_OR_NULL). */
const SAFE_TRUSTED_OR_NULL: ReadonlySet<string> = new Set(['socket.sk', 'dentry.d_inode']);

const USER = ' __user';

/** The name under which a struct of user space is known, so that it is never taken for one of the kernel. */
export const userStruct = (name: string): string => `${name}${USER}`;

type Pointer = Extract<StructAccess, { kind: 'pointer' }>;

/** What a load of `size` bytes at `at` of a kernel struct gives, where that is a pointer; refuses what no member fits. */
export function loadMember(p: Path, reg: Reg, regno: number, at: number, size: number): Reg | undefined {
  if (reg.struct.endsWith(USER))
    refuse(`R${regno} is ptr_${reg.struct.slice(0, -USER.length)} access user memory: off=${at}`);
  const access = accessOf(p, reg, at, size);
  if (access?.kind === 'refused') refuse(access.message);
  return access?.kind === 'pointer' ? memberPointer(p, reg, access) : undefined;
}

function accessOf(p: Path, reg: Reg, at: number, size: number): StructAccess | undefined {
  const { kernelTypes, kernelPointers } = p.program;
  if (kernelTypes?.has(reg.struct)) return kernelTypes.access(reg.struct, at, size);
  const known =
    size === 8 ? kernelPointers?.find((k) => k.struct === reg.struct && k.offset === at) : undefined;
  if (known === undefined) return undefined;
  const { to, member, rcu } = known;
  return { kind: 'pointer', to, member, viaUnion: false, ...(rcu ? { tag: 'rcu' as const } : {}) };
}

function memberPointer(p: Path, reg: Reg, { to, member, viaUnion, tag }: Pointer): Reg {
  const pointer = (trust: Reg['trust'], nullable = false): Reg =>
    pointerReg('btf', {
      struct: tag === 'user' && trust !== 'untrusted' ? userStruct(to) : to,
      trust,
      nullable,
      percpu: tag === 'percpu' && trust !== 'untrusted',
      id: nullable ? p.newId() : 0,
    });
  // The pointer is to no struct. The memory may only be loaded from, and the kernel makes the load safe (WALK_PTR_UNTRUSTED).
  if (to === 'void') return pointer('untrusted');
  /** Nothing vouches for the pointer. It may be read through, unless it is in a union and may be something else. */
  const plain = (): Reg => pointer(viaUnion ? 'untrusted' : 'none');
  if (reg.trust === 'untrusted') return pointer('untrusted');
  const trusted = reg.trust === 'trusted' || ownedRef(reg) !== 0;
  if (!trusted && reg.trust !== 'rcu') return plain();
  const name = `${reg.struct}.${member}`;
  if (SAFE_TRUSTED.has(name)) return pointer('trusted');
  if (SAFE_TRUSTED_OR_NULL.has(name)) return pointer('trusted', true);
  if (!p.inRcu) return pointer('untrusted');
  if (SAFE_RCU.has(name)) return pointer('rcu');
  if (SAFE_RCU_OR_NULL.has(name)) return pointer('rcu', true);
  if (tag === 'rcu') return viaUnion ? pointer('untrusted', true) : pointer('rcu', true);
  return plain();
}
