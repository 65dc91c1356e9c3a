/**
 * Map types: their kernel numbers, what bpf(BPF_MAP_CREATE) accepts, which helpers take them, which special fields their values may
 * have. Follows map_alloc_check of each type (kernel/bpf/{arraymap,hashtab,ringbuf}.c), map_check_btf (kernel/bpf/syscall.c) and
 * btf_parse_fields (kernel/bpf/btf.c).
 */
import { mapTypeNumber } from '../object/map-types.js';
import type { MapDef, MapType, SpecialField } from '../object/program.js';
import { FIELD_LAYOUT } from './structs.js';

/** map_flags of bpf(2), include/uapi/linux/bpf.h. */
export const MAP_FLAGS = {
  NO_PREALLOC: 1 << 0,
  NO_COMMON_LRU: 1 << 1,
  NUMA_NODE: 1 << 2,
  RDONLY: 1 << 3,
  WRONLY: 1 << 4,
  ZERO_SEED: 1 << 6,
  RDONLY_PROG: 1 << 7,
  WRONLY_PROG: 1 << 8,
  MMAPABLE: 1 << 10,
  PRESERVE_ELEMS: 1 << 11,
  INNER_MAP: 1 << 12,
} as const;

const F = MAP_FLAGS;
const ACCESS = F.RDONLY | F.WRONLY | F.RDONLY_PROG | F.WRONLY_PROG;
const PAGE = 4096;
/** KMALLOC_MAX_SIZE on x86-64. */
const KMALLOC_MAX = 4 << 20;
/** PCPU_MIN_UNIT_SIZE. */
const PERCPU_MAX = 32 << 10;

export interface MapTypeInfo {
  readonly type: MapType;
  /** enum bpf_map_type. */
  readonly number: number;
  /** Exact key size in bytes; `undefined`: any from 1. */
  readonly keySize: number | undefined;
  /** Exact value size in bytes; `undefined`: any from 1. */
  readonly valueSize: number | undefined;
  /** Flags that may be set. */
  readonly flags: number;
  /** Fields that a value may have. */
  readonly fields: ReadonlySet<SpecialField['kind']>;
  /** A constant index below max_entries is always there (can_elide_value_nullness). */
  readonly indexed: boolean;
  /** Programs look up, update and delete elements. */
  readonly elements: boolean;
  /** A program that may sleep may use it (check_map_prog_compatibility). */
  readonly sleepable: boolean;
}

type Field = SpecialField['kind'];
const LOCKS: readonly Field[] = ['spin_lock', 'res_spin_lock'];
const LATER: readonly Field[] = ['timer', 'wq'];
const KPTRS: readonly Field[] = ['kptr', 'kptr_untrusted', 'refcount'];
const GRAPHS: readonly Field[] = ['list_head', 'rb_root'];

/**
 * What a value has once at most. With two timers or workqueues the kernel does make the map, but then it has no special fields at all
 * (map_check_btf keeps the error in place of the record), so that no helper takes them: a refusal in effect.
 */
const UNIQUE: readonly Field[] = [...LOCKS, ...LATER, 'refcount'];

const INFO: Readonly<Record<MapType, MapTypeInfo>> = {
  hash: {
    type: 'hash',
    number: mapTypeNumber('hash'),
    keySize: undefined,
    valueSize: undefined,
    flags: F.NO_PREALLOC | F.NUMA_NODE | F.ZERO_SEED | ACCESS,
    fields: new Set([...LOCKS, ...LATER, ...KPTRS, ...GRAPHS]),
    indexed: false,
    elements: true,
    sleepable: true,
  },
  array: {
    type: 'array',
    number: mapTypeNumber('array'),
    keySize: 4,
    valueSize: undefined,
    flags: F.NUMA_NODE | F.MMAPABLE | F.PRESERVE_ELEMS | F.INNER_MAP | ACCESS,
    fields: new Set([...LOCKS, ...LATER, ...KPTRS, ...GRAPHS]),
    indexed: true,
    elements: true,
    sleepable: true,
  },
  prog_array: {
    type: 'prog_array',
    number: mapTypeNumber('prog_array'),
    keySize: 4,
    valueSize: 4,
    flags: F.NUMA_NODE | F.RDONLY | F.WRONLY,
    fields: new Set(),
    indexed: false,
    elements: false,
    // Not in the list: a program that may sleep makes no tail calls.
    sleepable: false,
  },
  percpu_array: {
    type: 'percpu_array',
    number: mapTypeNumber('percpu_array'),
    keySize: 4,
    valueSize: undefined,
    flags: F.PRESERVE_ELEMS | ACCESS,
    fields: new Set(KPTRS),
    indexed: true,
    elements: true,
    sleepable: true,
  },
  // No locks: an element may be given to another key while it is held.
  lru_hash: {
    type: 'lru_hash',
    number: mapTypeNumber('lru_hash'),
    keySize: undefined,
    valueSize: undefined,
    flags: F.NO_COMMON_LRU | F.NUMA_NODE | F.ZERO_SEED | ACCESS,
    fields: new Set([...LATER, ...KPTRS, ...GRAPHS]),
    indexed: false,
    elements: true,
    sleepable: true,
  },
  ringbuf: {
    type: 'ringbuf',
    number: mapTypeNumber('ringbuf'),
    keySize: 0,
    valueSize: 0,
    flags: F.NUMA_NODE,
    fields: new Set(),
    indexed: false,
    elements: false,
    sleepable: true,
  },
};

/** All that is known of a map type. */
export function mapType(type: MapType): MapTypeInfo {
  return INFO[type];
}

/** Why the kernel would refuse this map, or not see its fields, in one sentence; `undefined` if it would take it. */
export function mapRefusal(def: MapDef): string | undefined {
  return sizesRefusal(def) ?? flagsRefusal(def) ?? fieldsRefusal(def);
}

function sizesRefusal({ type, keySize, valueSize, maxEntries }: MapDef): string | undefined {
  const info = INFO[type];
  for (const [what, is, wanted] of [
    ['key', keySize, info.keySize],
    ['value', valueSize, info.valueSize],
  ] as const) {
    if (wanted !== undefined && is !== wanted) return `${type} map: ${what} size is ${is}, must be ${wanted}`;
    if (wanted === undefined && is < 1) return `${type} map: ${what} size must be at least 1`;
  }
  if (maxEntries < 1) return `${type} map: must have at least one entry`;
  if (type === 'ringbuf' && (maxEntries % PAGE !== 0 || (maxEntries & (maxEntries - 1)) !== 0)) {
    return `ringbuf map: ${maxEntries} is not a power of two that is a multiple of the page size`;
  }
  if (type === 'percpu_array' && valueSize > PERCPU_MAX) {
    return `percpu_array map: value size ${valueSize} is above ${PERCPU_MAX}`;
  }
  // An element of a hash is one allocation, with about 64 bytes of its own.
  if (keySize + valueSize >= KMALLOC_MAX - 64)
    return `${type} map: an element of ${keySize + valueSize} bytes is too large`;
  return undefined;
}

function flagsRefusal({ type, flags }: MapDef): string | undefined {
  const stray = flags & ~INFO[type].flags;
  if (stray !== 0) return `${type} map: flags 0x${stray.toString(16)} are not allowed`;
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
