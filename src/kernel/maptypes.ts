/**
 * Map types: their kernel numbers, what bpf(BPF_MAP_CREATE) accepts, which helpers take them, which special fields their values may
 * have. Follows map_alloc_check of each type (kernel/bpf/{arraymap,hashtab,ringbuf}.c), map_check_btf (kernel/bpf/syscall.c) and
 * btf_parse_fields (kernel/bpf/btf.c).
 */
import { mapTypeNumber } from '../object/map-types.js';
import type { MapDef, MapType, SpecialField } from '../object/program.js';
import type { Arg } from './contract.js';
import { FIELD_LAYOUT } from './structs.js';

/** map_flags of bpf(2), include/uapi/linux/bpf.h. */
export const MAP_FLAGS = {
  NO_PREALLOC: 1 << 0,
  NO_COMMON_LRU: 1 << 1,
  NUMA_NODE: 1 << 2,
  RDONLY: 1 << 3,
  WRONLY: 1 << 4,
  STACK_BUILD_ID: 1 << 5,
  ZERO_SEED: 1 << 6,
  RDONLY_PROG: 1 << 7,
  WRONLY_PROG: 1 << 8,
  CLONE: 1 << 9,
  MMAPABLE: 1 << 10,
  PRESERVE_ELEMS: 1 << 11,
  INNER_MAP: 1 << 12,
  SEGV_ON_FAULT: 1 << 17,
  NO_USER_CONV: 1 << 18,
} as const;

const F = MAP_FLAGS;
const ACCESS = F.RDONLY | F.WRONLY | F.RDONLY_PROG | F.WRONLY_PROG;
const PAGE = 4096;
/** KMALLOC_MAX_SIZE on x86-64. */
const KMALLOC_MAX = 4 << 20;
/** PCPU_MIN_UNIT_SIZE. */
const PERCPU_MAX = 32 << 10;
/** sysctl_perf_event_max_stack, unless someone has raised it. */
const STACK_DEPTH = 127;
/** Bytes of struct bpf_stack_build_id. */
const BUILD_ID = 32;
/** Bytes of struct htab_elem, which every element of a hash has before its key. */
const HTAB_ELEM = 48;
/** Longest key of a sockhash (MAX_BPF_STACK). */
const SOCKHASH_KEY_MAX = 512;

/** What Linux demands of maps of one type, and what programs may do with them. */
export interface MapTypeInfo {
  readonly type: MapType;
  /** enum bpf_map_type. */
  readonly number: number;
  /** Exact key sizes in bytes; `undefined`: any from 1. */
  readonly keySizes: readonly number[] | undefined;
  /** Exact value sizes in bytes; `undefined`: any from 1. */
  readonly valueSizes: readonly number[] | undefined;
  /** Flags that may be set. */
  readonly flags: number;
  /** Flags that must be set. */
  readonly needs: number;
  /** Fields that a value may have. */
  readonly fields: ReadonlySet<SpecialField['kind']>;
  /** A constant index below max_entries is always there (can_elide_value_nullness). */
  readonly indexed: boolean;
  /** Programs look up, update and delete elements. */
  readonly elements: boolean;
  /** A program that may sleep may use it (check_map_prog_compatibility). */
  readonly sleepable: boolean;
  /** Has no number of entries: it grows with what it is attached to. */
  readonly unsized?: true;
  /** Made only with BTF for its key and value. */
  readonly typed?: true;
}

type Field = SpecialField['kind'];
const LOCKS: readonly Field[] = ['spin_lock', 'res_spin_lock'];
const LATER: readonly Field[] = ['timer', 'wq'];
const KPTRS: readonly Field[] = ['kptr', 'kptr_untrusted', 'kptr_percpu', 'refcount'];
const GRAPHS: readonly Field[] = ['list_head', 'rb_root'];

/**
 * Fields that a value may have only once. With two timers or workqueues the kernel does make the map, but then it has no special fields
 * at all (map_check_btf keeps the error in place of the record), so that no helper takes them: a refusal in effect.
 */
const UNIQUE: readonly Field[] = [...LOCKS, ...LATER, 'refcount'];

const USER = F.RDONLY | F.WRONLY;
const INDEX: readonly number[] = [4];
const FD: readonly number[] = [4];
/** A descriptor, or the cookie of a socket. */
const FD_OR_COOKIE: readonly number[] = [4, 8];
const NO: readonly number[] = [0];

const PLAIN = {
  keySizes: undefined,
  valueSizes: undefined,
  needs: 0,
  fields: [] as readonly Field[],
  indexed: false,
  elements: false,
  sleepable: false,
} as const;

type Part = { readonly flags: number; readonly fields?: readonly Field[] } & Partial<
  Omit<MapTypeInfo, 'type' | 'number' | 'fields' | 'flags'>
>;

const HASH = F.NO_PREALLOC | F.ZERO_SEED | ACCESS;
const ELEMENTS = { elements: true, sleepable: true } as const;
/** An array of descriptors of other things, which user space fills. */
const DESCRIPTORS = { keySizes: INDEX, valueSizes: FD, flags: F.NUMA_NODE | USER } as const;
const STORAGE = {
  keySizes: [4],
  needs: F.NO_PREALLOC,
  fields: [...LOCKS, ...KPTRS],
  sleepable: true,
  unsized: true,
  typed: true,
} as const;

const PARTS: Readonly<Record<MapType, Part>> = {
  hash: {
    flags: HASH | F.NUMA_NODE,
    fields: [...LOCKS, ...LATER, ...KPTRS, ...GRAPHS],
    ...ELEMENTS,
  },
  array: {
    keySizes: INDEX,
    flags: F.NUMA_NODE | F.MMAPABLE | F.INNER_MAP | ACCESS,
    fields: [...LOCKS, ...LATER, ...KPTRS, ...GRAPHS],
    indexed: true,
    ...ELEMENTS,
  },
  // Not for programs that may sleep: they make no tail calls.
  prog_array: DESCRIPTORS,
  percpu_array: {
    keySizes: INDEX,
    flags: ACCESS,
    fields: KPTRS,
    indexed: true,
    ...ELEMENTS,
  },
  // No locks, because an element may be reused for another key while its lock is held.
  lru_hash: {
    flags: F.NO_COMMON_LRU | F.NUMA_NODE | F.ZERO_SEED | ACCESS,
    fields: [...LATER, ...KPTRS, ...GRAPHS],
    ...ELEMENTS,
  },
  percpu_hash: { flags: HASH, fields: KPTRS, ...ELEMENTS },
  lru_percpu_hash: { flags: F.NO_COMMON_LRU | F.ZERO_SEED | ACCESS, fields: KPTRS, ...ELEMENTS },
  lpm_trie: { flags: F.NO_PREALLOC | F.NUMA_NODE | ACCESS, needs: F.NO_PREALLOC, elements: true },
  ringbuf: { keySizes: NO, valueSizes: NO, flags: F.NUMA_NODE, sleepable: true },
  user_ringbuf: { keySizes: NO, valueSizes: NO, flags: F.NUMA_NODE, sleepable: true },
  perf_event_array: { ...DESCRIPTORS, flags: F.NUMA_NODE | USER | F.PRESERVE_ELEMS },
  stack_trace: { keySizes: INDEX, flags: F.NUMA_NODE | USER | F.STACK_BUILD_ID },
  cgroup_array: DESCRIPTORS,
  array_of_maps: { ...DESCRIPTORS, sleepable: true },
  hash_of_maps: { valueSizes: FD, flags: HASH | F.NUMA_NODE, sleepable: true },
  devmap: { keySizes: INDEX, valueSizes: FD_OR_COOKIE, flags: F.NUMA_NODE | USER },
  devmap_hash: { keySizes: INDEX, valueSizes: FD_OR_COOKIE, flags: F.NUMA_NODE | USER },
  cpumap: { keySizes: INDEX, valueSizes: FD_OR_COOKIE, flags: F.NUMA_NODE },
  xskmap: { keySizes: INDEX, valueSizes: FD, flags: F.NUMA_NODE | USER },
  sockmap: { keySizes: INDEX, valueSizes: FD_OR_COOKIE, flags: F.NUMA_NODE | USER },
  sockhash: { valueSizes: FD_OR_COOKIE, flags: F.NUMA_NODE | USER },
  reuseport_sockarray: {
    keySizes: INDEX,
    valueSizes: FD_OR_COOKIE,
    flags: F.NUMA_NODE | ACCESS,
  },
  // The id of a cgroup, alone or with the attach type.
  cgroup_storage: { keySizes: [8, 16], flags: F.NUMA_NODE | ACCESS, fields: LOCKS, unsized: true },
  percpu_cgroup_storage: { keySizes: [8, 16], flags: F.NUMA_NODE | ACCESS, unsized: true },
  queue: { keySizes: NO, flags: F.NUMA_NODE | ACCESS, sleepable: true },
  stack: { keySizes: NO, flags: F.NUMA_NODE | ACCESS, sleepable: true },
  bloom_filter: { keySizes: NO, flags: F.NUMA_NODE | F.ZERO_SEED | ACCESS },
  sk_storage: { ...STORAGE, flags: F.NO_PREALLOC | F.CLONE },
  inode_storage: { ...STORAGE, flags: F.NO_PREALLOC | F.CLONE },
  task_storage: { ...STORAGE, flags: F.NO_PREALLOC | F.CLONE },
  cgrp_storage: { ...STORAGE, flags: F.NO_PREALLOC | F.CLONE },
  arena: {
    keySizes: NO,
    valueSizes: NO,
    flags: F.MMAPABLE | F.SEGV_ON_FAULT | F.NO_USER_CONV,
    needs: F.MMAPABLE,
    sleepable: true,
  },
};

const INFO = Object.fromEntries(
  Object.entries(PARTS).map(([type, part]) => [
    type,
    {
      ...PLAIN,
      ...part,
      type,
      number: mapTypeNumber(type as MapType),
      fields: new Set(part.fields ?? []),
    },
  ]),
) as unknown as Readonly<Record<MapType, MapTypeInfo>>;

/** All that is known of a map type. */
export function mapType(type: MapType): MapTypeInfo {
  return INFO[type];
}

/** Its entries are sockets: programs put them in, and are given them with a reference. */
export function isMapOfSockets(def: MapDef | undefined): boolean {
  return def?.type === 'sockmap' || def?.type === 'sockhash';
}

const ELEMENT_CALLS: ReadonlySet<string> = new Set([
  'bpf_map_lookup_elem',
  'bpf_map_update_elem',
  'bpf_map_delete_elem',
]);

/** Does a function look up, update or delete an element of a map of sockets? Only some types of programs may (may_update_sockmap). */
export const callsSocketMap = (name: string, map: MapDef): boolean =>
  isMapOfSockets(map) && ELEMENT_CALLS.has(name);

/** Does a function with this name and this map argument take the map? Follows check_map_func_compatibility, apart from program types. */
export function takesMap(name: string, arg: Extract<Arg, { kind: 'map' }>, map: MapDef): boolean {
  return callsSocketMap(name, map) || arg.types === undefined || arg.types.includes(map.type);
}

/** Why the kernel would refuse this map, or not see its fields, in one sentence; `undefined` if it would take it. */
export function mapRefusal(def: MapDef): string | undefined {
  return sizesRefusal(def) ?? flagsRefusal(def) ?? fieldsRefusal(def);
}

function sizesRefusal(def: MapDef): string | undefined {
  const { type, keySize, valueSize, maxEntries } = def;
  const info = INFO[type];
  for (const [what, is, wanted] of [
    ['key', keySize, info.keySizes],
    ['value', valueSize, info.valueSizes],
  ] as const) {
    if (wanted !== undefined && !wanted.includes(is))
      return `${type} map: ${what} size is ${is}, must be ${wanted.join(' or ')}`;
    if (wanted === undefined && is < 1) return `${type} map: ${what} size must be at least 1`;
  }
  if (info.unsized === true && maxEntries !== 0) return `${type} map: may not say how many entries it has`;
  if (info.unsized !== true && maxEntries < 1) return `${type} map: must have at least one entry`;
  if (type.endsWith('ringbuf') && (maxEntries % PAGE !== 0 || (maxEntries & (maxEntries - 1)) !== 0)) {
    return `${type} map: ${maxEntries} is not a power of two that is a multiple of the page size`;
  }
  if (type.includes('percpu') && valueSize > PERCPU_MAX) {
    return `${type} map: value size ${valueSize} is above ${PERCPU_MAX}`;
  }
  if (type === 'lpm_trie' && (keySize < 5 || keySize > 260))
    return `lpm_trie map: key size is ${keySize}, must be from 5 to 260`;
  if (type === 'sockhash' && keySize > SOCKHASH_KEY_MAX)
    return `sockhash map: key size is ${keySize}, must be at most ${SOCKHASH_KEY_MAX}`;
  // An entry of a stack is its address, or the build id of the file and the offset there.
  const entry = (def.flags & F.STACK_BUILD_ID) === 0 ? 8 : BUILD_ID;
  if (type === 'stack_trace' && (valueSize % entry !== 0 || valueSize > STACK_DEPTH * entry))
    return `stack_trace map: value size is ${valueSize}, must be a multiple of ${entry} up to ${STACK_DEPTH * entry}`;
  if (type === 'arena') return arenaRefusal(def);
  if (type.endsWith('_of_maps') && def.inner === undefined)
    return `${type} map: no map says what its entries are like`;
  // An element of a hash is one allocation.
  if (type !== 'array' && keySize + valueSize >= KMALLOC_MAX - HTAB_ELEM)
    return `${type} map: an element of ${keySize + valueSize} bytes is too large`;
  return undefined;
}

const FOUR_GIB = 1n << 32n;

/** An arena has 4 GiB at the most, and its addresses in user space differ in their low 32 bits only (arena_map_alloc). */
function arenaRefusal({ maxEntries, extra = 0n }: MapDef): string | undefined {
  const size = BigInt(maxEntries) * BigInt(PAGE);
  if (size > FOUR_GIB) return `arena map: ${maxEntries} pages are more than 4 GiB`;
  if (extra % BigInt(PAGE) !== 0n)
    return `arena map: its address 0x${extra.toString(16)} is no multiple of the page size`;
  if (extra / FOUR_GIB !== (extra + size - 1n) / FOUR_GIB)
    return `arena map: ${maxEntries} pages from 0x${extra.toString(16)} cross a multiple of 4 GiB`;
  return undefined;
}

function flagsRefusal({ type, flags }: MapDef): string | undefined {
  const { flags: allowed, needs } = INFO[type];
  const stray = flags & ~allowed;
  if (stray !== 0) return `${type} map: flags 0x${stray.toString(16)} are not allowed`;
  if ((flags & needs) !== needs) return `${type} map: flags 0x${needs.toString(16)} must be set`;
  const both = (a: number, b: number): boolean => (flags & (a | b)) === (a | b);
  if (both(F.RDONLY_PROG, F.WRONLY_PROG) || both(F.RDONLY, F.WRONLY)) {
    return `${type} map: flags say that it may be neither read nor written`;
  }
  return undefined;
}

function fieldsRefusal({ type, flags, fields, valueSize }: MapDef): string | undefined {
  if (fields.length > 0 && (flags & (F.RDONLY_PROG | F.WRONLY_PROG)) !== 0) {
    return `${type} map: a value with special fields must be readable and writable for programs`;
  }
  const has = (kind: Field): boolean => fields.some((f) => f.kind === kind);
  for (const field of fields) {
    const { size, align } = FIELD_LAYOUT[field.kind];
    if (!INFO[type].fields.has(field.kind)) return `${type} map: a value may not have a ${field.kind}`;
    if (field.offset % align !== 0 || field.offset + size > valueSize) {
      return `${type} map: ${field.kind} at ${field.offset} is misaligned or outside the value`;
    }
  }
  for (const kind of UNIQUE) {
    if (fields.filter((f) => f.kind === kind).length > 1)
      return `${type} map: more than one ${kind} in a value`;
  }
  if (has('spin_lock') && has('res_spin_lock')) return `${type} map: both kinds of lock in one value`;
  if ((has('list_head') || has('rb_root')) && !has('spin_lock') && !has('res_spin_lock')) {
    return `${type} map: a list or tree needs a lock in the same value`;
  }
  return undefined;
}
