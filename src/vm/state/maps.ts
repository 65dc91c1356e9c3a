/**
 * Map contents. Each value is a region of its own, made when it is first asked for. Removing an entry unlinks the value but leaves it
 * readable, as RCU does for a program that still holds a pointer. A per-CPU map has a value for each key and CPU. The program sees the
 * value of its own CPU, unless it asks for another.
 */
import type { MapDef, Program } from '../../object/program.js';
import { parseHex, toHex } from './environment.js';
import type { Memory } from './memory.js';

/** BPF_F_RDONLY_PROG: programs may not write values. */
const RDONLY_PROG = 1 << 7;

/** Negative error numbers of the map operations. */
export const ERRNO = { ENOENT: -2n, E2BIG: -7n, EEXIST: -17n, EINVAL: -22n } as const;
const ENOSPC = -28n;
/** Update flags (include/uapi/linux/bpf.h). */
const BPF_NOEXIST = 1n;
const BPF_EXIST = 2n;
/** The element is written in place, with its lock held. */
const BPF_F_LOCK = 4n;

const isLru = (map: MapDef): boolean => map.type === 'lru_hash' || map.type === 'lru_percpu_hash';
/** Each CPU has a value of its own. */
export const isPerCpu = (map: MapDef): boolean => map.type.includes('percpu');
const isArray = (map: MapDef): boolean => map.type === 'array' || map.type === 'percpu_array';
/** The entries of these map types are maps. User space puts them in and takes them out. */
export const isOuter = (map: MapDef): boolean => map.type === 'array_of_maps' || map.type === 'hash_of_maps';

/** Keys of a map, to be gone through by number. */
export interface Keys {
  readonly count: number;
  at(i: number): Uint8Array;
}

/** A map that is an entry of a map of maps. Immutable. */
interface InnerMap {
  /** Indices into Program.maps: of the map of maps, and of its template. */
  readonly outer: number;
  readonly template: number;
  /** Region that stands for the map. */
  readonly handle: number;
  /** The number that user space knows it by, in hex; undefined for one that no other entry has. */
  readonly id: string | undefined;
}

/**
 * The entries of all maps of one run. They know which region holds which value; the bytes are in `Memory`. Inner maps of maps of maps
 * are numbered after the program's own.
 */
export class Maps {
  /** By map number: region of each value (of a map of maps: of each inner map) by key (hex), oldest entry first. */
  private entries: ReadonlyMap<string, number>[];
  /** Values of other CPUs, by map, key and CPU. */
  private elsewhere: ReadonlyMap<string, number> = new Map();
  /** Inner maps that the run has met. They are numbered after the program's maps, in this order. */
  private inner: readonly InnerMap[] = [];

  constructor(private readonly program: Program) {
    this.entries = program.maps.map(() => new Map());
  }

  fork(): Maps {
    const copy = new Maps(this.program);
    copy.entries = this.entries.slice();
    copy.elsewhere = this.elsewhere;
    copy.inner = this.inner;
    return copy;
  }

  /** Index into Program.maps of the definition of map number `index`. An inner map has its template's definition. */
  template(index: number): number {
    return index < this.program.maps.length ? index : this.inner[index - this.program.maps.length]!.template;
  }

  /** The definition of map number `index`. */
  def(index: number): MapDef {
    return this.program.maps[this.template(index)]!;
  }

  /** The number of the map whose handle is this region, which is one of a map. */
  numberOf(region: number, map: number): number {
    const at = this.inner.findIndex(({ handle }) => handle === region);
    return at < 0 ? map : this.program.maps.length + at;
  }

  /**
   * The handle of an inner map of outer map `index`. `contents` is what the entry holds, the number that user space knows the inner map by:
   * entries with the same number are the same map. Without contents it is a map that no other entry has.
   */
  private innerMap(memory: Memory, index: number, contents: Uint8Array): number {
    const id = contents.length === 0 ? undefined : toHex(contents).padEnd(8, '0').slice(0, 8);
    const known = this.inner.find((one) => one.outer === index && id !== undefined && one.id === id);
    if (known !== undefined) return known.handle;
    const outer = this.program.maps[index]!;
    const template = this.program.maps.indexOf(outer.inner!);
    const name = `inner map of ${outer.name}`;
    const handle = memory.add({
      kind: 'map',
      bytes: new Uint8Array(0),
      writable: false,
      name,
      map: template,
    });
    this.inner = [...this.inner, { outer: index, template, handle, id }];
    this.entries.push(new Map());
    return handle;
  }

  private link(index: number, key: string, region: number): void {
    this.entries[index] = new Map(this.entries[index]).set(key, region);
  }

  private unlink(index: number, key: string): void {
    const left = new Map(this.entries[index]);
    left.delete(key);
    this.entries[index] = left;
  }

  /** Adds a value; shorter contents are filled up with zero bytes. */
  private create(memory: Memory, index: number, key: string, contents: Uint8Array): number {
    const region = isOuter(this.def(index))
      ? this.innerMap(memory, index, contents)
      : this.makeValue(memory, index, contents);
    this.link(index, key, region);
    const others = [...this.elsewhere].filter(([name]) => !name.startsWith(`${index}:${key}:`));
    if (others.length !== this.elsewhere.size) this.elsewhere = new Map(others);
    return region;
  }

  private makeValue(memory: Memory, index: number, contents: Uint8Array): number {
    const map = this.def(index);
    const bytes = new Uint8Array(map.valueSize);
    bytes.set(contents.subarray(0, map.valueSize));
    const writable = (map.flags & RDONLY_PROG) === 0 && !map.type.startsWith('devmap');
    return memory.add({
      kind: 'map_value',
      bytes,
      writable,
      name: `value of map ${map.name}`,
      map: this.template(index),
    });
  }

  /** Region of another CPU's value for a key of a per-CPU map, 0 when there is none; it comes into being with these contents. */
  lookupOn(
    memory: Memory,
    index: number,
    key: Uint8Array,
    cpu: number,
    contents: Uint8Array = new Uint8Array(0),
  ): number {
    if (this.present(memory, index, key) === 0) return 0;
    const name = `${index}:${toHex(key)}:${cpu}`;
    const found = this.elsewhere.get(name);
    if (found !== undefined) return found;
    const region = this.makeValue(memory, index, contents);
    this.elsewhere = new Map(this.elsewhere).set(name, region);
    return region;
  }

  /** Number of entries that exist: all of an array, those linked of a hash. */
  size(index: number): number {
    const map = this.def(index);
    return isArray(map) ? map.maxEntries : this.entries[index]!.size;
  }

  /** The key of the entry of map `index` whose value is this region; undefined where no entry has it any more. */
  keyOf(index: number, region: number): Uint8Array | undefined {
    for (const [key, value] of this.entries[index]!) if (value === region) return parseHex(key);
    return undefined;
  }

  /** The keys that exist now, to be gone through while the map changes. */
  snapshot(index: number): Keys {
    const map = this.def(index);
    if (isArray(map)) return { count: map.maxEntries, at: (i) => parseHex(indexKey(i)) };
    const keys = [...this.entries[index]!.keys()];
    return { count: keys.length, at: (i) => parseHex(keys[i] ?? '') };
  }

  /**
   * The bytes of the value for a key (of a per-CPU map, that of the program's own CPU), undefined where there is none. Nothing comes into being, and no
   * entry counts as used. They must not be kept.
   */
  contents(memory: Memory, index: number, key: Uint8Array): Uint8Array | undefined {
    const map = this.def(index);
    const found = this.entries[index]!.get(nameOf(map, key));
    if (found !== undefined) return memory.get(found)?.bytes;
    if (!isArray(map) || indexOf(key) >= map.maxEntries) return undefined;
    const bytes = new Uint8Array(map.valueSize);
    if (indexOf(key) === 0) bytes.set((map.initial ?? bytes).subarray(0, map.valueSize));
    return bytes;
  }

  /** As `lookup`, but the entry does not count as used. */
  present(memory: Memory, index: number, key: Uint8Array): number {
    return this.entries[index]!.get(toHex(key)) ?? this.lookup(memory, index, key);
  }

  /** Region of the value for a key, 0 when there is none. A value of an array comes into being here. */
  lookup(memory: Memory, index: number, key: Uint8Array): number {
    const map = this.def(index);
    const name = nameOf(map, key);
    const found = this.entries[index]!.get(name);
    if (found !== undefined) {
      if (isLru(map)) {
        this.unlink(index, name);
        this.link(index, name, found);
      }
      return found;
    }
    if (map.type === 'lpm_trie') return this.longestPrefix(index, key);
    if (!isArray(map)) return 0;
    const at = indexOf(key);
    if (at >= map.maxEntries) return 0;
    return this.create(memory, index, name, at === 0 && map.initial ? map.initial : new Uint8Array(0));
  }

  /** The value of the longest prefix that the key begins with, 0 when there is none: a key is a length in bits, and bytes. */
  private longestPrefix(index: number, key: Uint8Array): number {
    if (prefixOf(key) > mostBits(key)) return 0;
    const begins = (prefix: Uint8Array, length: number): boolean => {
      for (let bit = 0; bit < length; bit++) {
        const at = 4 + (bit >> 3);
        if ((((prefix[at]! ^ key[at]!) >> (7 - (bit & 7))) & 1) !== 0) return false;
      }
      return true;
    };
    let best = -1;
    let region = 0;
    for (const [name, value] of this.entries[index]!) {
      const prefix = parseHex(name);
      const length = prefixOf(prefix);
      if (length <= best || length > prefixOf(key) || !begins(prefix, length)) continue;
      best = length;
      region = value;
    }
    return region;
  }

  /** Puts an entry in, even if the map is full, and replaces an old one. Answers the region of the value. */
  put(memory: Memory, index: number, key: Uint8Array, contents: Uint8Array): number {
    return this.create(memory, index, nameOf(this.def(index), key), contents);
  }

  /** Puts an entry in from outside of the program. Answers the region of the value; 0 if the map is full or no hash. */
  insert(memory: Memory, index: number, key: Uint8Array, contents: Uint8Array): number {
    const map = this.def(index);
    if (map.type === 'array_of_maps' && indexOf(key) >= map.maxEntries) return 0;
    if (isArray(map)) {
      const region = this.lookup(memory, index, key);
      if (region !== 0) memory.own(region).bytes.set(contents.subarray(0, map.valueSize));
      return region;
    }
    if (this.entries[index]!.size >= map.maxEntries) return 0;
    return this.create(memory, index, nameOf(map, key), contents);
  }

  /**
   * bpf_map_update_elem: 0 or a negative error number. `value` are valueSize bytes; `copy` writes them into an existing value,
   * leaving out the fields that only helpers may touch.
   */
  update(memory: Memory, index: number, key: Uint8Array, value: Uint8Array, flags: bigint): bigint {
    const map = this.def(index);
    const locked = !isLru(map) && (flags & BPF_F_LOCK) !== 0n;
    const how = locked ? flags & ~BPF_F_LOCK : flags;
    if (how > BPF_EXIST) return ERRNO.EINVAL;
    if (map.type === 'lpm_trie' && (locked || prefixOf(key) > mostBits(key))) return ERRNO.EINVAL;
    const lockable = map.fields.some((field) => field.kind === 'spin_lock');
    const name = nameOf(map, key);
    if (isArray(map)) {
      const region = this.lookup(memory, index, key);
      if (region === 0) return ERRNO.E2BIG;
      if (how === BPF_NOEXIST) return ERRNO.EEXIST;
      if (locked && !lockable) return ERRNO.EINVAL;
      overwrite(memory, region, map, value);
      return 0n;
    }
    if (locked && !lockable) return ERRNO.EINVAL;
    const old = this.entries[index]!.get(name);
    if (old !== undefined && how === BPF_NOEXIST) return ERRNO.EEXIST;
    if (old === undefined && how === BPF_EXIST) return ERRNO.ENOENT;
    if (old !== undefined && (locked || isPerCpu(map))) {
      overwrite(memory, old, map, value);
      return 0n;
    }
    if (old === undefined && this.entries[index]!.size >= map.maxEntries) {
      if (!isLru(map)) return map.type === 'lpm_trie' ? ENOSPC : ERRNO.E2BIG;
      this.unlink(index, [...this.entries[index]!.keys()][0]!);
    }
    // A hash replaces the old element by a new one. Readers may still see the old one.
    const fresh = this.create(memory, index, name, new Uint8Array(0));
    overwrite(memory, fresh, map, value);
    return 0n;
  }

  /** bpf_map_delete_elem: 0 or a negative error number. */
  remove(index: number, key: Uint8Array): bigint {
    const map = this.def(index);
    if (isArray(map)) return ERRNO.EINVAL;
    if (map.type === 'lpm_trie' && prefixOf(key) > mostBits(key)) return ERRNO.EINVAL;
    const name = nameOf(map, key);
    if (!this.entries[index]!.has(name)) return ERRNO.ENOENT;
    this.unlink(index, name);
    return 0n;
  }
}

/** Of a key of an array: the index. */
const indexOf = (key: Uint8Array): number =>
  new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(0, true);

/** Of a key of an LPM trie, a length in bits and then bytes: the length, and the most that it may be. */
const prefixOf = (key: Uint8Array): number => new DataView(key.buffer, key.byteOffset).getUint32(0, true);
const mostBits = (key: Uint8Array): number => 8 * (key.length - 4);

/** The key under which an entry is kept, in hex. In an LPM trie the bits behind the prefix are cleared. */
export function nameOf(map: MapDef, key: Uint8Array): string {
  if (map.type !== 'lpm_trie') return toHex(key);
  const bits = prefixOf(key);
  return toHex(
    key.map((byte, i) => {
      const kept = Math.max(0, Math.min(8, bits - 8 * (i - 4)));
      return i < 4 ? byte : byte & (0xff00 >> kept);
    }),
  );
}

/** The key of an array's entry: four bytes, little endian. */
export function indexKey(index: number): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, index, true);
  return toHex(bytes);
}

function overwrite(memory: Memory, region: number, map: MapDef, value: Uint8Array): void {
  const bytes = memory.own(region).bytes;
  const kept = map.fields.map((field) => ({
    field,
    old: bytes.slice(field.offset, field.offset + field.size),
  }));
  bytes.set(value.subarray(0, map.valueSize));
  for (const { field, old } of kept) bytes.set(old, field.offset);
}
