/** Map types and map flags by number, as include/uapi/linux/bpf.h counts them. */
import { MAP_TYPES, type MapType } from './program.js';

/** enum bpf_map_type, in order; the words are the kernel's. */
const NAMES: readonly string[] = (
  'unspec hash array prog_array perf_event_array percpu_hash percpu_array stack_trace cgroup_array lru_hash ' +
  'lru_percpu_hash lpm_trie array_of_maps hash_of_maps devmap sockmap cpumap xskmap sockhash cgroup_storage ' +
  'reuseport_sockarray percpu_cgroup_storage queue stack sk_storage devmap_hash struct_ops ringbuf inode_storage ' +
  'task_storage bloom_filter user_ringbuf cgrp_storage arena insn_array'
).split(' ');

/** Types whose maps the kernel refuses to make with BTF of key and value (map_check_no_btf). */
export const UNTYPED_MAPS: ReadonlySet<MapType> = new Set([
  'ringbuf',
  'user_ringbuf',
  'prog_array',
  'perf_event_array',
  'cgroup_array',
  'stack_trace',
  'array_of_maps',
  'hash_of_maps',
  'devmap',
  'devmap_hash',
  'cpumap',
  'xskmap',
  'sockmap',
  'sockhash',
  'reuseport_sockarray',
  'queue',
  'stack',
  'bloom_filter',
  'arena',
]);

/** Programs may read but not write the map (BPF_F_RDONLY_PROG). */
export const BPF_F_RDONLY_PROG = 1 << 7;
/** User space may map the map into memory (BPF_F_MMAPABLE). */
export const BPF_F_MMAPABLE = 1 << 10;

/** The modelled map type of that number, undefined for all others. */
export function mapType(number: number): MapType | undefined {
  const name = NAMES[number];
  return MAP_TYPES.find((type) => type === name);
}

/** The number of bpf(2) for a map type: the inverse of `mapType`. */
export function mapTypeNumber(type: MapType): number {
  return NAMES.indexOf(type);
}

/** For messages: the kernel's word for a map type, or its number. */
export function mapTypeName(number: number): string {
  return NAMES[number] ?? `type ${number}`;
}
