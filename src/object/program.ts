/**
 * A program as swansong sees it: insns, the maps and kfuncs they name, its subprograms. Everything that reads a
 * program from somewhere (an object file, a case, a generator) makes one of these; everything else takes one.
 */
import type { Insn } from '../isa/insn.js';

/**
 * Program types that are modelled. The words are libbpf's, `tc` standing for SCHED_CLS and `action` for SCHED_ACT; `tp_btf`, `iter` and
 * `fentry` are the kinds of TRACING, by where they attach (`fentry` stands for fexit and fmod_ret as well).
 */
export const PROG_TYPES = [
  'xdp',
  'tc',
  'socket_filter',
  'tracepoint',
  'syscall',
  'kprobe',
  'raw_tracepoint',
  'raw_tracepoint_writable',
  'perf_event',
  'tp_btf',
  'iter',
  'fentry',
  'lsm',
  'action',
  'cgroup_skb',
  'cgroup_sock',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'cgroup_device',
  'cgroup_sysctl',
  'lwt_in',
  'lwt_out',
  'lwt_xmit',
  'lwt_seg6local',
  'sk_skb',
  'sk_msg',
  'sock_ops',
  'sk_lookup',
  'sk_reuseport',
  'flow_dissector',
  'netfilter',
  'struct_ops',
] as const;

/** A program type that is modelled. Programs of other types are skipped when an object is read. */
export type ProgType = (typeof PROG_TYPES)[number];

/** Map types that are modelled, in the kernel's words. */
export const MAP_TYPES = [
  'array',
  'percpu_array',
  'hash',
  'lru_hash',
  'ringbuf',
  'prog_array',
  'percpu_hash',
  'lru_percpu_hash',
  'lpm_trie',
  'perf_event_array',
  'stack_trace',
  'cgroup_array',
  'array_of_maps',
  'hash_of_maps',
  'devmap',
  'devmap_hash',
  'cpumap',
  'xskmap',
  'sockmap',
  'sockhash',
  'reuseport_sockarray',
  'cgroup_storage',
  'percpu_cgroup_storage',
  'queue',
  'stack',
  'bloom_filter',
  'sk_storage',
  'inode_storage',
  'task_storage',
  'cgrp_storage',
  'user_ringbuf',
  'arena',
] as const;

/** A map type that is modelled. A program that uses a map of another type is skipped. */
export type MapType = (typeof MAP_TYPES)[number];

/** Where a program is to be attached, for types whose verification depends on it. */
export interface Attachment {
  /** enum bpf_attach_type (expected_attach_type). */
  readonly type: number;
  /**
   * What it attaches to, by its name in the kernel's BTF: a tracepoint, a function, the target of an iterator. For a struct_ops program
   * `STRUCT.MEMBER`, the function of a kernel struct that it stands in for; `type` is then the index of the member.
   */
  readonly target?: string;
  /** What that function returns, where it is no number: nothing (`void`), or a pointer to a struct (`*NAME`). Of struct_ops and LSM programs only. */
  readonly returns?: string;
}

/** A field inside a map value (or an allocated object) that only helpers may touch. Offsets and sizes in bytes. */
export interface SpecialField {
  readonly kind:
    | 'spin_lock'
    | 'res_spin_lock'
    | 'timer'
    | 'wq'
    | 'kptr'
    | 'kptr_untrusted'
    | 'kptr_percpu'
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

/** An entry of a map of programs: where it is, and the name of the program. */
export interface ArrayEntry {
  readonly index: number;
  readonly program: string;
}

/** Whether a field is a pointer that plain insns load: referenced, untrusted, or to an object of which each CPU has its own. */
export const isKptr = ({ kind }: Pick<SpecialField, 'kind'>): boolean =>
  kind === 'kptr' || kind === 'kptr_untrusted' || kind === 'kptr_percpu';

/** A map as bpf(BPF_MAP_CREATE) is told to make it. Sizes are in bytes. */
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
  /** For a map of maps: what its entries are like. */
  readonly inner?: MapDef;
  /** For a map of programs: what the object puts into it before any program runs. User space may change it at any time. */
  readonly programs?: readonly ArrayEntry[];
  /** map_extra of bpf(2): hash functions of a bloom filter, where an arena is mapped. */
  readonly extra?: bigint;
}

/** A function of the program: `start` is its first slot; the main program is the one at slot 0. */
export interface Subprog {
  readonly name: string;
  readonly start: number;
  readonly linkage: 'static' | 'global';
  /** BTF id of its FUNC type in `Program.btf`, where it has one. */
  readonly btfId?: number;
  /** The function is the program's exception callback (`exception_callback:` tag of the main function). There is at most one. */
  readonly exceptionCallback?: true;
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
   * The constant that `bpf_obj_new_impl` takes: the struct's BTF id. Whoever makes BTF for a program without `btf` bytes must give the
   * struct this id.
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

/** What a load from a kernel struct gives, or why it is refused, in the kernel's words. */
export type StructAccess =
  | { readonly kind: 'scalar' }
  | {
      readonly kind: 'pointer';
      /** The struct it points to; `void` for anything else. */
      readonly to: string;
      /** The member that was loaded. */
      readonly member: string;
      /** The member is in a union with others. */
      readonly viaUnion: boolean;
      readonly tag?: 'user' | 'percpu' | 'rcu';
    }
  | { readonly kind: 'refused'; readonly message: string };

/** One argument of the kernel function that a program attaches to, as its context holds it. */
export type KernelArgument =
  /** `size`: bytes that a load must have; 0: any. */
  | { readonly kind: 'scalar'; readonly size: 0 | 8 }
  | {
      readonly kind: 'pointer';
      readonly to: string;
      readonly trust: 'trusted' | 'none';
      readonly nullable: boolean;
      readonly tag?: 'user' | 'percpu';
      /** The program is handed a reference that it must give back (`__ref`). */
      readonly held?: true;
    }
  /** Memory of a size that only shows when the program is attached; may be NULL. */
  | { readonly kind: 'buffer'; readonly readonly: boolean }
  | { readonly kind: 'refused'; readonly message: string };

/** The structs of the kernel that a program is fitted to, by name; `btf_id N` names one without a name. */
export interface KernelTypes {
  has(struct: string): boolean;
  /** Name of the struct with this BTF id, undefined where it is none. */
  nameOf(id: number): string | undefined;
  /** A variable of the kernel by its BTF id; `struct`: of which it is one, if it is. Sizes in bytes. */
  variable(
    id: number,
  ): { readonly struct: string | undefined; readonly size: number; readonly percpu: boolean } | undefined;
  /** At `offset` of a struct there lies a struct `inner`, however deep; at offset 0 it may be the struct itself. */
  holds(struct: string, offset: number, inner: string): boolean;
  /** Bytes of a struct that is made of numbers only, however deep; undefined for any other. */
  plainSize?(struct: string): number | undefined;
  /** Where a member of a struct is, in bytes; undefined where it has none of that name at its first level. */
  member(struct: string, name: string): { readonly offset: number; readonly size: number } | undefined;
  /** A load of `size` bytes at `offset` of a struct. */
  access(struct: string, offset: number, size: number): StructAccess;
  /** The context of a program on this target; undefined where the kernel does not have it. */
  arguments(type: ProgType, attach: Attachment): readonly KernelArgument[] | undefined;
  /**
   * The function that a struct_ops or LSM program stands in for: what it returns (see `Attachment.returns`) and, in a struct, its index. Asked when an
   * object is read. Undefined where the kernel does not have it.
   */
  hook?(
    type: ProgType,
    attach: Attachment,
  ): { readonly returns?: string; readonly index?: number } | undefined;
}

/** A kfunc that kernels may lack; see weak.ts. */
export interface WeakKfunc {
  readonly name: string;
  /** The BTF id that its address is loaded by; undefined where it never is. */
  readonly btfId?: number;
}

/**
 * A function that a person declares beside a program, a case or rules, because no kernel has it yet: `kernel/declare` reads the text. Plain
 * data, so that it can be written down, compared and handed to a thread.
 */
export interface DeclaredFunction {
  readonly kind: 'helper' | 'kfunc';
  readonly name: string;
  /** A helper's number in enum bpf_func_id; -1 for a kfunc. */
  readonly id: number;
  /** The fields of the declaration as one line of JSON. */
  readonly text: string;
}

/** The function that a program runs in the place of. */
export interface ReplacedFunction {
  readonly function: string;
  /** The program that the function is part of; undefined where it is not known, as in a text. */
  readonly of?: Program;
  /** The file that it is in, where that is another one. */
  readonly file?: string;
}

/** A whole program, and all that loading it needs. It is never changed; an edit makes a new one. */
export interface Program {
  readonly name: string;
  readonly type: ProgType;
  readonly insns: readonly Insn[];
  readonly maps: readonly MapDef[];
  /** Kfunc names; a kfunc call's `imm` is an index into this list. */
  readonly kfuncs: readonly string[];
  /** Kfuncs that a kernel may lack and load the program all the same (`__weak`); none unless told. */
  readonly weakKfuncs?: readonly WeakKfunc[];
  /** In order of `start`; at least the main program at slot 0. */
  readonly subprogs: readonly Subprog[];
  /** Types that `bpf_obj_new` may allocate; see `LocalType.id`. */
  readonly localTypes: readonly LocalType[];
  /** Pointers in kernel structs that the program may follow; none unless told. */
  readonly kernelPointers?: readonly KernelPointer[];
  /** All structs of the kernel, in place of `kernelPointers`; loads that no member fits are then refused. */
  readonly kernelTypes?: KernelTypes;
  /** Raw `.BTF` bytes, for a kernel that is to load the program. */
  readonly btf?: Uint8Array;
  readonly lines?: readonly LineInfo[];
  /** The licence string; GPL-only helpers need a compatible one. 'GPL' unless told. */
  readonly license?: string;
  /** The ELF section it came from, `xdp` or `tc` or the like. */
  readonly section?: string;
  /** Loaded with BPF_F_SLEEPABLE. */
  readonly sleepable?: boolean;
  readonly attach?: Attachment;
  /** It is loaded to run in the place of a function of another program (BPF_PROG_TYPE_EXT). Type and attachment are then those of that program. */
  readonly replaces?: ReplacedFunction;
  /** Functions that it may call and no kernel has yet. They come before those of the tables. */
  readonly declared?: readonly DeclaredFunction[];
}

/** The exception callback of the program, if it has one. Without one, the number that is thrown becomes the program's return value. */
export function exceptionCallbackOf({ subprogs }: Program): Subprog | undefined {
  return subprogs.find(({ exceptionCallback }) => exceptionCallback === true);
}
