/** The maps that generated programs name, and the structs they allocate: one of each shape that Linux treats differently. */
import type { LocalType, MapDef, SpecialField } from '../../src/object/program.js';

type Shape = Pick<MapDef, 'name' | 'type' | 'keySize' | 'valueSize' | 'maxEntries'> &
  Partial<Pick<MapDef, 'fields' | 'flags' | 'initial' | 'frozen'>>;

const map = (shape: Shape): MapDef => ({ flags: 0, fields: [], ...shape });
const array = (
  name: string,
  valueSize: number,
  fields: readonly SpecialField[] = [],
  maxEntries = 1,
): MapDef => map({ name, type: 'array', keySize: 4, valueSize, maxEntries, fields });

const SPIN_LOCK: SpecialField = { kind: 'spin_lock', offset: 0, size: 4 };
const RES_SPIN_LOCK: SpecialField = { kind: 'res_spin_lock', offset: 0, size: 4 };

/** Maps with plain values, by what `bpf_map_lookup_elem` makes of them. */
export const PLAIN_MAPS: readonly MapDef[] = [
  array('counters', 16, [], 4),
  map({ name: 'flows', type: 'hash', keySize: 8, valueSize: 24, maxEntries: 16 }),
  map({ name: 'percpu', type: 'percpu_array', keySize: 4, valueSize: 16, maxEntries: 4 }),
  map({ name: 'recent', type: 'lru_hash', keySize: 4, valueSize: 8, maxEntries: 16 }),
];

export const PERCPU = PLAIN_MAPS[2]!;
export const EVENTS = map({ name: 'events', type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096 });
export const JUMPS = map({ name: 'jumps', type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 4 });
/** Maps that only functions of their own use. */
export const SPECIAL_MAPS: readonly MapDef[] = [
  map({ name: 'waiting', type: 'queue', keySize: 0, valueSize: 8, maxEntries: 4 }),
  map({ name: 'piled', type: 'stack', keySize: 0, valueSize: 8, maxEntries: 4 }),
  map({ name: 'samples', type: 'perf_event_array', keySize: 4, valueSize: 4, maxEntries: 4 }),
  map({ name: 'traces', type: 'stack_trace', keySize: 4, valueSize: 64, maxEntries: 8 }),
  map({ name: 'groups', type: 'cgroup_array', keySize: 4, valueSize: 4, maxEntries: 4 }),
  map({ name: 'devices', type: 'devmap', keySize: 4, valueSize: 4, maxEntries: 4 }),
  map({ name: 'sockets', type: 'sockmap', keySize: 4, valueSize: 4, maxEntries: 4 }),
  map({ name: 'sockhash', type: 'sockhash', keySize: 4, valueSize: 4, maxEntries: 4 }),
  map({ name: 'sharers', type: 'reuseport_sockarray', keySize: 4, valueSize: 8, maxEntries: 4 }),
  map({ name: 'requests', type: 'user_ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096 }),
];
/** One value, for what is too big for the stack or has to be a map value. */
export const SCRATCH = array('scratch', 512);

/** Maps whose values begin with a bpf_spin_lock. */
export const LOCKED_MAPS: readonly MapDef[] = [
  array('locked', 24, [SPIN_LOCK], 2),
  map({ name: 'lockedflows', type: 'hash', keySize: 8, valueSize: 16, maxEntries: 16, fields: [SPIN_LOCK] }),
];
/** Two maps with a bpf_res_spin_lock, so that one lock can be taken inside the other. */
export const RESILIENT_MAPS: readonly MapDef[] = [
  array('resilient', 16, [RES_SPIN_LOCK], 2),
  map({
    name: 'resilientflows',
    type: 'hash',
    keySize: 4,
    valueSize: 16,
    maxEntries: 16,
    fields: [RES_SPIN_LOCK],
  }),
];

/** Maps of one value with a lock, whose address needs no lookup; two of each kind, for one lock inside the other. */
export const DIRECT_LOCKED_MAPS: readonly MapDef[] = [
  array('guard', 16, [SPIN_LOCK]),
  array('otherguard', 24, [SPIN_LOCK]),
];
export const DIRECT_RESILIENT_MAPS: readonly MapDef[] = [
  array('fence', 16, [RES_SPIN_LOCK]),
  array('otherfence', 24, [RES_SPIN_LOCK]),
];

/** Structs that programs allocate. */
export const PLAIN_OBJECT = { name: 'plain', size: 16, fields: [] } as const satisfies Omit<LocalType, 'id'>;
export const COUNTED_OBJECT: Omit<LocalType, 'id'> = {
  name: 'counted',
  size: 16,
  fields: [{ kind: 'refcount', offset: 8, size: 4 }],
};
export const LIST_OBJECT: Omit<LocalType, 'id'> = {
  name: 'listed',
  size: 32,
  fields: [{ kind: 'list_node', offset: 8, size: 24 }],
};
export const TREE_OBJECT: Omit<LocalType, 'id'> = {
  name: 'sorted',
  size: 40,
  fields: [{ kind: 'rb_node', offset: 8, size: 32 }],
};

/** An object that may be in a list and have several owners. */
export const SHARED_OBJECT: Omit<LocalType, 'id'> = {
  name: 'shared',
  size: 40,
  fields: [
    { kind: 'list_node', offset: 8, size: 24 },
    { kind: 'refcount', offset: 32, size: 4 },
  ],
};
export const SHARED_LIST_MAP = array('sharedqueue', 24, [
  SPIN_LOCK,
  { kind: 'list_head', offset: 8, size: 16, struct: 'shared', node: 'node' },
]);

/** Sockets: what is looked up there is held. */
export const SOCKET_MAP = map({ name: 'sockets', type: 'sockmap', keySize: 4, valueSize: 4, maxEntries: 2 });

/** A lock and the list or tree that it guards. */
export const LIST_MAP = array('queue', 24, [
  SPIN_LOCK,
  { kind: 'list_head', offset: 8, size: 16, struct: 'listed', node: 'node' },
]);
export const TREE_MAP = array('index', 24, [
  SPIN_LOCK,
  { kind: 'rb_root', offset: 8, size: 16, struct: 'sorted', node: 'node' },
]);

/** A map with one owned pointer to a struct, in bytes 0 to 7 of its value. */
export function kptrMap(struct: string): MapDef {
  return array(`kept_${struct}`, 16, [{ kind: 'kptr', offset: 0, size: 8, struct }]);
}

export const TIMER_MAP = array('timers', 24, [{ kind: 'timer', offset: 0, size: 16 }]);
export const WORK_MAP = array('works', 24, [{ kind: 'wq', offset: 0, size: 16 }]);

const BPF_F_RDONLY_PROG = 1 << 7;
const text = new TextEncoder().encode('value\0');
/** A constant string, as the verifier wants format strings: in a frozen map that programs may only read. It asks for no values. */
export const TEXT = map({
  name: 'text',
  type: 'array',
  keySize: 4,
  valueSize: 16,
  maxEntries: 1,
  flags: BPF_F_RDONLY_PROG,
  initial: Uint8Array.from({ length: 16 }, (_, i) => text[i] ?? 0),
  frozen: true,
});

/** Byte ranges of a value or object that plain loads and stores may not touch. */
export function holesOf(fields: readonly SpecialField[]): (readonly [number, number])[] {
  return fields.map(({ offset, size }) => [offset, offset + size] as const);
}
