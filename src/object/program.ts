/**
 * A program as swansong sees it: insns, the maps and kfuncs they name, its subprograms. Everything that reads a
 * program from somewhere (an object file, a case, a generator) makes one of these; everything else takes one.
 */
import type { Insn } from '../isa/insn.js';

/** Program types that are modelled. The words are libbpf's, `tc` standing for SCHED_CLS. */
export type ProgType = 'xdp' | 'tc' | 'socket_filter' | 'tracepoint' | 'syscall';

export const PROG_TYPES: readonly ProgType[] = ['xdp', 'tc', 'socket_filter', 'tracepoint', 'syscall'];

/** Map types that are modelled. */
export type MapType = 'array' | 'percpu_array' | 'hash' | 'lru_hash' | 'ringbuf' | 'prog_array';

export const MAP_TYPES: readonly MapType[] = [
  'array',
  'percpu_array',
  'hash',
  'lru_hash',
  'ringbuf',
  'prog_array',
];

/** A field inside a map value (or an allocated object) that only helpers may touch. Offsets and sizes in bytes. */
export interface SpecialField {
  readonly kind:
    | 'spin_lock'
    | 'res_spin_lock'
    | 'timer'
    | 'wq'
    | 'kptr'
    | 'kptr_untrusted'
    | 'list_head'
    | 'list_node'
    | 'rb_root'
    | 'rb_node'
    | 'refcount';
  readonly offset: number;
  readonly size: number;
  /** For a kptr: the struct it points to; for a list head or rb root: the struct that is contained. */
  readonly struct?: string;
  /** For a list head or rb root: the name of the node member inside `struct`. For a list or rb node: its own name. */
  readonly node?: string;
}

export interface MapDef {
  readonly name: string;
  readonly type: MapType;
  /** Bytes. 0 for a ring buffer. */
  readonly keySize: number;
  readonly valueSize: number;
  /** Entries; for a ring buffer its size in bytes (a power of two, a multiple of the page size). */
  readonly maxEntries: number;
  /** map_flags of bpf(2): BPF_F_RDONLY_PROG (1 << 7) and the like. */
  readonly flags: number;
  readonly fields: readonly SpecialField[];
  /** Contents of a data section (`.data`, `.rodata`, `.bss`), the value of entry 0. */
  readonly initial?: Uint8Array;
  /** The user side may not write it any more, so that a verifier may read constants out of it (BPF_MAP_FREEZE). */
  readonly frozen?: boolean;
  /** BTF type ids of key and value in `Program.btf`, where it has them. */
  readonly btfKey?: number;
  readonly btfValue?: number;
}

/** A function of the program: `start` is its first slot; the main program is the one at slot 0. */
export interface Subprog {
  readonly name: string;
  readonly start: number;
  readonly linkage: 'static' | 'global';
  /** BTF id of its FUNC type in `Program.btf`, where it has one. */
  readonly btfId?: number;
}

/** Source position of a slot, from BTF.ext. Lines and columns count from 1. */
export interface LineInfo {
  readonly slot: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A struct that programs allocate with `bpf_obj_new` (a local type in the program's BTF). */
export interface LocalType {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly SpecialField[];
  /**
   * The constant that `bpf_obj_new_impl` takes: the struct's BTF id. In a program without `btf` bytes the type at
   * index i has id i + 1, and whoever makes BTF for the program must lay the structs out so.
   */
  readonly id: number;
}

/**
 * A pointer inside a kernel struct that the program follows, at the offset that it has in the kernel the program was fitted to.
 * Loads of it are pointers; loads at any other offset are numbers.
 */
export interface KernelPointer {
  readonly struct: string;
  readonly member: string;
  readonly offset: number;
  /** The struct it points to. */
  readonly to: string;
  /** Tagged `__rcu`: valid for as long as the RCU section in which it was loaded. */
  readonly rcu?: true;
}

export interface Program {
  readonly name: string;
  readonly type: ProgType;
  readonly insns: readonly Insn[];
  readonly maps: readonly MapDef[];
  /** Kfunc names; a kfunc call's `imm` is an index into this list. */
  readonly kfuncs: readonly string[];
  /** In order of `start`; at least the main program at slot 0. */
  readonly subprogs: readonly Subprog[];
  /** Types that `bpf_obj_new` may allocate; see `LocalType.id`. */
  readonly localTypes: readonly LocalType[];
  /** Pointers in kernel structs that the program may follow; none unless told. */
  readonly kernelPointers?: readonly KernelPointer[];
  /** Raw `.BTF` bytes, for a kernel that is to load the program. */
  readonly btf?: Uint8Array;
  readonly lines?: readonly LineInfo[];
  /** The licence string; GPL-only helpers need a compatible one. 'GPL' unless told. */
  readonly license?: string;
  /** The ELF section it came from, `xdp` or `tc` or the like. */
  readonly section?: string;
  /** Loaded with BPF_F_SLEEPABLE. */
  readonly sleepable?: boolean;
}
