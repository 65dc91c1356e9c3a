/** Maps in the kernel: made from a `MapDef`, filled, frozen, read back, closed. */
import { readFileSync } from 'node:fs';
import { mapTypeNumber, UNTYPED_MAPS } from '../object/map-types.js';
import type { MapDef } from '../object/program.js';
import { Attr, BpfCmd, bpf, closeFd, errnoName, KernelError } from './syscall.js';

/** BTF of a map: descriptor of loaded BTF, type ids of key (0 for a data section) and value in it. */
export interface MapBtf {
  readonly fd: number;
  readonly key: number;
  readonly value: number;
}

let cpus: number | undefined;

/** CPUs that may ever come online: the number of values in one entry of a per-CPU map. At least 1. */
export function possibleCpus(): number {
  if (cpus === undefined) {
    const text = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim();
    const last = text.split(/[-,]/).at(-1) ?? '0';
    cpus = Number(last) + 1;
  }
  return cpus;
}

/** One map in the kernel. Close it, whatever happens. */
export class KernelMap {
  private open = true;

  constructor(
    readonly def: MapDef,
    readonly fd: number,
  ) {}

  /** Bytes that a lookup returns: for a per-CPU map one value a CPU, each rounded up to 8 bytes. */
  get entrySize(): number {
    if (!this.def.type.includes('percpu')) return this.def.valueSize;
    return Math.ceil(this.def.valueSize / 8) * 8 * possibleCpus();
  }

  /** The value at `key`, or undefined if there is none. Locks and timers inside it read as zero. */
  lookup(key: Uint8Array): Uint8Array | undefined {
    const value = Buffer.alloc(this.entrySize);
    const result = this.element(BpfCmd.mapLookup, key, value, 0);
    if (result >= 0) return value;
    if (errnoName(result) === 'ENOENT') return undefined;
    throw new KernelError(`look up in map ${this.def.name}`, errnoName(result));
  }

  /** Writes `value` (of `entrySize` bytes) at `key`; `flags` as for bpf_map_update_elem: 0 any, 1 no such key, 2 existing key. */
  update(key: Uint8Array, value: Uint8Array, flags = 0): void {
    const result = this.element(BpfCmd.mapUpdate, key, value, flags);
    if (result < 0) throw new KernelError(`update map ${this.def.name}`, errnoName(result));
  }

  /** Puts a loaded program at an index of a prog_array, for tail calls. */
  setProgram(index: number, programFd: number): void {
    this.update(word(index), word(programFd));
  }

  /** Deletes the entry at `key`; false if there is none. */
  delete(key: Uint8Array): boolean {
    const result = this.element(BpfCmd.mapDelete, key, undefined, 0);
    if (result >= 0) return true;
    if (errnoName(result) === 'ENOENT') return false;
    throw new KernelError(`delete from map ${this.def.name}`, errnoName(result));
  }

  /** All keys, in the kernel's order (for hash maps not a meaningful one). Ring buffers have none. */
  keys(): Uint8Array[] {
    const found: Uint8Array[] = [];
    let before: Uint8Array | undefined;
    // One more than the map can hold: if others write to the map meanwhile, the iteration over a hash may start again.
    while (found.length <= this.def.maxEntries) {
      const next = Buffer.alloc(this.def.keySize);
      const attr = new Attr(32).u32(0, this.fd).pointer(16, next);
      if (before !== undefined) attr.pointer(8, before);
      const result = bpf(BpfCmd.mapNextKey, attr);
      if (result < 0) {
        if (errnoName(result) === 'ENOENT') break;
        throw new KernelError(`iterate over map ${this.def.name}`, errnoName(result));
      }
      found.push(next);
      before = next;
    }
    return found;
  }

  /** Key and value of every entry, as `keys` and `lookup` give them. */
  entries(): { key: Uint8Array; value: Uint8Array }[] {
    return this.keys().flatMap((key) => {
      const value = this.lookup(key);
      return value === undefined ? [] : [{ key, value }];
    });
  }

  /** Forbids further writes from user space; the verifier may then read constants out of a read-only map. */
  freeze(): void {
    const result = bpf(BpfCmd.mapFreeze, new Attr(4).u32(0, this.fd));
    if (result < 0) throw new KernelError(`freeze map ${this.def.name}`, errnoName(result));
  }

  /** Closes the descriptor; more than once does nothing. The map lives on while a program uses it. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    closeFd(this.fd);
  }

  private element(cmd: 1 | 2 | 3, key: Uint8Array, value: Uint8Array | undefined, flags: number): number {
    // The kernel copies as many bytes as the map was made with, so a short buffer would be overrun.
    if (key.length !== this.def.keySize) {
      throw new RangeError(`key of ${key.length} bytes, map ${this.def.name} has ${this.def.keySize}`);
    }
    if (value !== undefined && value.length !== this.entrySize) {
      throw new RangeError(`value of ${value.length} bytes, map ${this.def.name} has ${this.entrySize}`);
    }
    const attr = new Attr(32).u32(0, this.fd).pointer(8, key).u64(24, BigInt(flags));
    if (value !== undefined) attr.pointer(16, value);
    return bpf(cmd, attr);
  }
}

function word(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/**
 * Makes a map as `def` says, with its initial contents, frozen if asked. Throws KernelError when the kernel will not,
 * leaving nothing open. `btf` is dropped for map types that take none.
 */
export function createMap(def: MapDef, btf?: MapBtf): KernelMap {
  // Made only to say what the entries are like: the outer map keeps no hold on it.
  const inner = def.inner === undefined ? undefined : createMap(def.inner, innerBtf(def.inner, btf));
  let fd = bpf(BpfCmd.mapCreate, attributesOf(def, inner, btf));
  // Some maps are not made with the types of the object, though they are without; libbpf then tries so too.
  if (fd < 0 && btf !== undefined && def.fields.length === 0 && errnoName(fd) === 'EINVAL')
    fd = bpf(BpfCmd.mapCreate, attributesOf(def, inner, undefined));
  inner?.close();
  if (fd < 0) throw new KernelError(`create ${def.type} map ${def.name}`, errnoName(fd));
  const map = new KernelMap(def, fd);
  try {
    if (def.initial !== undefined) fill(map, def.initial);
    if (def.frozen === true) map.freeze();
  } catch (error) {
    map.close();
    throw error;
  }
  return map;
}

/** Where user space would map an arena of which the object says nothing: Linux loads no program before that is decided. */
const ARENA_ADDRESS = 1n << 44n;

function attributesOf(def: MapDef, inner: KernelMap | undefined, btf: MapBtf | undefined): Attr {
  const attr = new Attr(80)
    .u32(0, mapTypeNumber(def.type))
    .u32(4, def.keySize)
    .u32(8, def.valueSize)
    .u32(12, def.maxEntries)
    .u32(16, def.flags)
    .name(28, def.name);
  if (btf !== undefined && btf.value !== 0 && !UNTYPED_MAPS.has(def.type))
    attr.u32(48, btf.fd).u32(52, btf.key).u32(56, btf.value);
  const extra = def.extra ?? (def.type === 'arena' ? ARENA_ADDRESS : undefined);
  if (extra !== undefined) attr.u64(64, extra);
  if (inner !== undefined) attr.u32(20, inner.fd);
  return attr;
}

/** BTF of the entries of a map of maps: from the same place as that of the map. */
function innerBtf(inner: MapDef, btf: MapBtf | undefined): MapBtf | undefined {
  if (btf === undefined || inner.btfValue === undefined) return undefined;
  return { fd: btf.fd, key: inner.btfKey ?? 0, value: inner.btfValue };
}

/** Writes `initial` to entry 0, padded with zeros: a `.bss` may be longer than what the object file holds of it. */
function fill(map: KernelMap, initial: Uint8Array): void {
  const value = Buffer.alloc(map.entrySize);
  value.set(initial.subarray(0, map.def.valueSize));
  if (value.some((byte) => byte !== 0)) map.update(Buffer.alloc(map.def.keySize), value);
}

/** Closes all of `maps`, even when closing one of them fails. */
export function closeMaps(maps: readonly KernelMap[]): void {
  let failure: unknown;
  for (const map of maps) {
    try {
      map.close();
    } catch (error) {
      failure = error;
    }
  }
  if (failure !== undefined) throw failure;
}
