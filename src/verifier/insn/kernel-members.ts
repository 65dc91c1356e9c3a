/**
 * Two special accesses to kernel structs: loads through a map pointer, which give members of struct bpf_map, and stores to the members
 * that programs may write. Follows check_ptr_to_map_access of kernel/bpf/verifier.c, nf_conntrack_bpf.c and the btf_struct_access of struct_ops.
 */
import { type MemberPath, structOps } from '../../kernel/struct-ops.js';
import type { KernelTypes, MapType } from '../../object/program.js';
import { operationOf } from '../../object/struct-ops.js';
import type { Path } from '../state/path.js';
import { pointerReg } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import { loadMember } from './btf-access.js';

/** The struct behind a map of each type (map_btf_id); `bpf_map` begins them all. */
const MAP_STRUCTS: Partial<Record<MapType, string>> = {
  array: 'bpf_array',
  percpu_array: 'bpf_array',
  prog_array: 'bpf_array',
  perf_event_array: 'bpf_array',
  cgroup_array: 'bpf_array',
  array_of_maps: 'bpf_array',
  hash: 'bpf_htab',
  lru_hash: 'bpf_htab',
  percpu_hash: 'bpf_htab',
  lru_percpu_hash: 'bpf_htab',
  hash_of_maps: 'bpf_htab',
  lpm_trie: 'lpm_trie',
  devmap: 'bpf_dtab',
  devmap_hash: 'bpf_dtab',
  cpumap: 'bpf_cpu_map',
  xskmap: 'xsk_map',
  sockmap: 'bpf_stab',
  sockhash: 'bpf_shtab',
  ringbuf: 'bpf_ringbuf_map',
  user_ringbuf: 'bpf_ringbuf_map',
  queue: 'bpf_queue_stack',
  stack: 'bpf_queue_stack',
  stack_trace: 'bpf_stack_map',
  cgroup_storage: 'bpf_cgroup_storage_map',
  percpu_cgroup_storage: 'bpf_cgroup_storage_map',
  reuseport_sockarray: 'reuseport_array',
  bloom_filter: 'bpf_bloom_filter',
  arena: 'bpf_arena',
};

/** What a load from the map itself gives, by its members (check_ptr_to_map_access); undefined for a number. */
export function loadMapMember(p: Path, reg: Reg, regno: number, at: number, size: number): Reg | undefined {
  const { type } = p.program.maps[reg.map]!;
  const struct = MAP_STRUCTS[type] ?? 'bpf_local_storage_map';
  if (p.strict) refuse(`'struct ${struct}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`);
  if (at < 0) refuse(`R${regno} is ${struct} invalid negative access: off=${at}`);
  return loadMember(p, pointerReg('btf', { struct }), regno, at, size);
}

/** What a program may write in kernel structs (btf_struct_access of its type): the mark of a connection, what its struct of operations allows. */
export function mayWriteMember(p: Path, reg: Reg, at: number, size: number): boolean {
  if (p.program.type === 'struct_ops') return operationMayWrite(p, reg, at, size);
  return isConnectionMark(p, reg, at, size);
}

function operationMayWrite({ program }: Path, reg: Reg, at: number, size: number): boolean {
  const { kernelTypes, attach } = program;
  if (kernelTypes === undefined || reg.trust === 'untrusted') return false;
  return structOps(operationOf(attach?.target)?.struct).writes.some((allowed) => {
    if (allowed.struct !== reg.struct) return false;
    const place = placeOf(kernelTypes, allowed.path);
    const inner = allowed.from === undefined ? { offset: 0 } : placeOf(kernelTypes, allowed.from);
    if (place === undefined || inner === undefined) return false;
    const end = place.offset + (allowed.bytes ?? place.size) - (allowed.string === true ? 1 : 0);
    const begin = place.offset + inner.offset;
    return (allowed.exact === true ? at === begin : at >= begin) && at + size <= end;
  });
}

/** Where a member of a member lies in the outermost struct, in bytes. */
function placeOf(types: KernelTypes, path: MemberPath): { offset: number; size: number } | undefined {
  let offset = 0;
  let size = 0;
  for (const [struct, member] of path) {
    const found = types.member(struct, member);
    if (found === undefined) return undefined;
    offset += found.offset;
    size = found.size;
  }
  return { offset, size };
}

/** nfct_btf_struct_access. */
function isConnectionMark(p: Path, reg: Reg, at: number, size: number): boolean {
  const { type, kernelTypes } = p.program;
  if (reg.trust === 'untrusted' || (type !== 'xdp' && type !== 'tc' && type !== 'action')) return false;
  if (reg.struct !== 'nf_conn' && reg.struct !== 'nf_conn___init') return false;
  const mark = kernelTypes?.member('nf_conn', 'mark');
  return mark !== undefined && at === mark.offset && size <= mark.size;
}
