/**
 * The words in which a kernel function is described: its arguments as the verifier checks them, and the outcomes
 * that a call may have. One table of contracts drives the verifier (which explores every outcome), the VM (which picks one
 * from its environment), the symbolic engine (which forks on them) and a stub (which fixes one).
 *
 * Argument kinds follow enum bpf_arg_type and the kfunc argument suffixes of kernel/bpf/verifier.c (Linux 6.18).
 */
import type { MapType, ProgType } from '../object/program.js';

/** Resources that can be held and must be given back. `null_dynptr` is a dynptr to nothing, which must be destroyed too. */
export type Resource =
  | 'socket'
  | 'ringbuf_record'
  | 'task'
  | 'cgroup'
  | 'cpumask'
  | 'key'
  | 'crypto_ctx'
  | 'nf_conn'
  | 'nf_conn_init'
  | 'xfrm_state'
  | 'file'
  | 'hid_bpf_ctx'
  | 'mem_cgroup'
  | 'object'
  | 'percpu_object'
  /** An object of the kernel of no class of its own: what a declared function acquires. */
  | 'reference'
  | 'kptr'
  | 'dynptr'
  | 'null_dynptr'
  | 'iterator';

export type LockKind = 'spin_lock' | 'res_spin_lock' | 'res_spin_lock_irqsave';
export type SectionKind = 'rcu' | 'preempt';
export type DynptrType = 'local' | 'ringbuf' | 'skb' | 'xdp' | 'skb_meta';
/** Open-coded iterators: `num` stands for struct bpf_iter_num and so on. */
export type IterType =
  | 'num'
  | 'task'
  | 'bits'
  | 'css'
  | 'css_task'
  | 'task_vma'
  | 'kmem_cache'
  | 'dmabuf'
  | 'scx_dsq';
export type SockType = 'sock_common' | 'sock' | 'tcp_sock' | 'xdp_sock';

/** Where the size of a memory argument is: another argument (index from 0), or a fixed number of bytes. */
export type MemSize = { readonly arg: number } | { readonly bytes: number };

/** How the kernel calls a function of the program back, and what that function may return. */
export interface CallbackSpec {
  /** What each argument register of the callback holds on entry, r1 first. */
  readonly args: readonly CallbackArg[];
  /** Inclusive range that the callback's r0 must lie in. */
  readonly returns: readonly [number, number];
  /** Runs later, in a context of its own (bpf_timer_set_callback). */
  readonly async?: true;
  /** Index of the argument that is passed through as the callback's context pointer. */
  readonly contextArg?: number;
  /** Index of the scalar argument that bounds the number of calls (bpf_loop): where it is known to be 0, the callback is not walked. */
  readonly countArg?: number;
}

export type CallbackArg =
  | 'scalar'
  | 'map_ptr'
  | 'map_key'
  | 'map_value'
  | 'context'
  | 'dynptr'
  | 'rb_node'
  | 'task'
  | 'vma'
  | 'timer_map_ptr'
  | 'none';

/** What the verifier demands of one argument register, r1 to r5. */
export type Arg =
  /** Any initialised register (ARG_ANYTHING). */
  | { readonly kind: 'anything' }
  /** A scalar; `constant`: it must be known (`__k`). */
  | { readonly kind: 'scalar'; readonly constant?: true }
  | { readonly kind: 'map'; readonly types?: readonly MapType[] }
  | { readonly kind: 'map_key' }
  /** `uninit`: the function writes it (ARG_PTR_TO_MAP_VALUE | MEM_UNINIT). */
  | { readonly kind: 'map_value'; readonly uninit?: true; readonly nullable?: true }
  /** A per-CPU variable of the kernel, or a per-CPU object (ARG_PTR_TO_PERCPU_BTF_ID). */
  | { readonly kind: 'percpu' }
  /** Memory that the function reads, writes (`write`: need not be initialised before), or both. */
  | {
      readonly kind: 'mem';
      readonly access: 'read' | 'write' | 'readwrite';
      readonly size: MemSize;
      readonly nullable?: true;
      /** The slice buffer of bpf_dynptr_slice (`__opt`): may be NULL. */
      readonly optional?: true;
      /** Only a pointer into a map value is taken (bpf_dynptr_from_mem). */
      readonly mapValue?: true;
      /** Must be aligned to its size (MEM_ALIGNED). */
      readonly aligned?: true;
    }
  /** Size in bytes of the memory argument before it; `zero`: may be 0 (ARG_CONST_SIZE_OR_ZERO). */
  | { readonly kind: 'size'; readonly zero: boolean; readonly constant?: true }
  /** Size of the memory that is returned, a known constant (ARG_CONST_ALLOC_SIZE_OR_ZERO). */
  | { readonly kind: 'alloc_size' }
  | { readonly kind: 'ctx'; readonly nullable?: true }
  /** A socket of one of these types. `release`: the reference is given back by this argument. */
  | {
      readonly kind: 'sock';
      readonly types: readonly SockType[];
      readonly release?: true;
      readonly nullable?: true;
      /** A BTF pointer to a kernel socket is taken as well (ARG_PTR_TO_BTF_ID_SOCK_COMMON). */
      readonly btf?: true;
    }
  /** A ring-buffer record, given back (ARG_PTR_TO_RINGBUF_MEM | OBJ_RELEASE). */
  | { readonly kind: 'record'; readonly release: true }
  | { readonly kind: 'spin_lock'; readonly lock: LockKind }
  | { readonly kind: 'timer' }
  | { readonly kind: 'wq' }
  | {
      readonly kind: 'dynptr';
      readonly state: 'uninit' | 'init';
      readonly type?: DynptrType;
      readonly release?: true;
      readonly rdonly?: true;
      readonly nullable?: true;
    }
  | { readonly kind: 'iter'; readonly type: IterType; readonly state: 'uninit' | 'init' }
  | { readonly kind: 'irq_flag'; readonly state: 'uninit' | 'init' }
  /**
   * A pointer to a kernel struct. `trusted` wants KF_TRUSTED_ARGS, `rcu` KF_RCU (trusted ones too); `any` takes every pointer to
   * the struct but an untrusted one.
   * Several structs: any of them is taken (struct cpumask where bpf_cpumask is passed).
   */
  | {
      readonly kind: 'btf';
      readonly structs: readonly string[];
      readonly trust: 'trusted' | 'rcu' | 'any';
      readonly release?: true;
      readonly nullable?: true;
    }
  /** A kptr field inside a map value or object (ARG_KPTR_XCHG_DEST). */
  | { readonly kind: 'kptr_slot' }
  /** An owned pointer moved into a kptr slot; may be NULL. */
  | { readonly kind: 'kptr_value' }
  | { readonly kind: 'callback'; readonly callback: CallbackSpec }
  /** A stack pointer or NULL (ARG_PTR_TO_STACK_OR_NULL), passed to a callback. */
  | { readonly kind: 'stack_or_null' }
  /** A NUL-terminated string in a frozen read-only map. */
  | { readonly kind: 'const_str' }
  /** An owned object of a local type (`p__alloc`). */
  | { readonly kind: 'object'; readonly release: true; readonly percpu?: true }
  /** An owning or non-owning object with a refcount field (`p__refcounted_kptr`). */
  | { readonly kind: 'refcounted' }
  | { readonly kind: 'graph_root'; readonly graph: 'list' | 'rbtree' }
  /** `owned`: an owning reference is moved into the graph; otherwise a non-owning one is named. */
  | { readonly kind: 'graph_node'; readonly graph: 'list' | 'rbtree'; readonly owned: boolean }
  /** Ignored by the verifier (`__ign`). */
  | { readonly kind: 'ignored' };

/** What a pointer returned by a function points to. */
export type PointerKind =
  | { readonly kind: 'map_value' }
  | { readonly kind: 'sock'; readonly type: SockType }
  /** A ring-buffer record; its size is the `alloc_size` argument. */
  | { readonly kind: 'record' }
  /** Plain memory; `slice`: lives as long as the dynptr argument (and the packet, if it is one). */
  | {
      readonly kind: 'mem';
      readonly size: MemSize;
      readonly readonly?: true;
      readonly slice?: { readonly arg: number };
    }
  /** `none`: a plain PTR_TO_BTF_ID. It may be read through, but functions with KF_TRUSTED_ARGS or KF_RCU do not accept it. */
  | {
      readonly kind: 'btf';
      readonly struct: string;
      readonly trust: 'trusted' | 'rcu' | 'untrusted' | 'none';
    }
  /** An untrusted pointer to the kernel type whose BTF id is the constant in `arg` (bpf_rdonly_cast). */
  | { readonly kind: 'cast'; readonly arg: number }
  /** The kernel's own context struct of the program type, trusted (bpf_cast_to_kern_ctx). */
  | { readonly kind: 'kern_ctx' }
  /** A local-type object made by bpf_obj_new, type given by the constant argument 0. */
  | { readonly kind: 'object'; readonly percpu?: true }
  /** The same object as argument `arg` (bpf_refcount_acquire). */
  | { readonly kind: 'same'; readonly arg: number }
  /** A graph node: of the container type of the root in argument 0. `owning`: removed from the graph. */
  | { readonly kind: 'graph_node'; readonly owning: boolean }
  /** The copy of one CPU of the per-CPU object in argument `arg`. */
  | { readonly kind: 'percpu'; readonly arg: number }
  /** What the kptr slot of argument 0 held. */
  | { readonly kind: 'kptr' };

/** The value of r0 after one outcome. Bounds are inclusive, signed 64-bit. */
export type R0 =
  | { readonly kind: 'void' }
  /** `upTo`: not above the largest value of this size argument either (do_refine_retval_range). */
  | { readonly kind: 'scalar'; readonly min: bigint; readonly max: bigint; readonly upTo?: number }
  | { readonly kind: 'null' }
  /**
   * `derives`: shares the reference that this argument holds or derives from, and dies with it: a socket cast, an element of an
   * iterator.
   */
  | {
      readonly kind: 'pointer';
      readonly to: PointerKind;
      readonly acquires?: Resource;
      readonly derives?: number;
    };

/** What an outcome does besides setting r0. Argument indices count from 0 (r1). */
export type Effect =
  /** The reference in this argument is given back. */
  | { readonly kind: 'release'; readonly arg: number }
  | { readonly kind: 'lock'; readonly arg: number; readonly lock: LockKind }
  | { readonly kind: 'unlock'; readonly arg: number; readonly lock: LockKind }
  | { readonly kind: 'enter'; readonly section: SectionKind }
  | { readonly kind: 'leave'; readonly section: SectionKind }
  /** `by`: a resilient lock saved the flags, and only its unlock may restore them. */
  | { readonly kind: 'irq_save'; readonly arg: number; readonly by?: 'lock' }
  | { readonly kind: 'irq_restore'; readonly arg: number; readonly by?: 'lock' }
  /**
   * The slot becomes a dynptr. `acquires`: it must be destroyed (`dynptr` holds a record, `null_dynptr` holds nothing).
   * Without it the dynptr is only a view.
   */
  | {
      readonly kind: 'init_dynptr';
      readonly arg: number;
      readonly type: DynptrType;
      readonly acquires?: 'dynptr' | 'null_dynptr';
      readonly null?: true;
    }
  /** The slot takes the type of the dynptr in `from` (bpf_dynptr_clone). */
  | { readonly kind: 'clone_dynptr'; readonly arg: number; readonly from: number }
  | { readonly kind: 'destroy_dynptr'; readonly arg: number }
  | { readonly kind: 'iter_new'; readonly arg: number }
  | { readonly kind: 'iter_next'; readonly arg: number; readonly to: 'active' | 'drained' }
  | { readonly kind: 'iter_destroy'; readonly arg: number }
  /** Output memory of this argument is written in full. */
  | { readonly kind: 'write'; readonly arg: number }
  /** The callback in this argument runs: never, or any number of times. */
  | { readonly kind: 'callback'; readonly arg: number; readonly times: 'none' | 'any' }
  /** A callback set before may run from now on (bpf_timer_start, bpf_wq_start). */
  | { readonly kind: 'arm'; readonly arg: number }
  /** The owned pointer in `arg` moves into a map or graph; `nonOwning`: the program keeps a non-owning reference to it. */
  | { readonly kind: 'transfer'; readonly arg: number; readonly nonOwning?: true }
  /** Packet pointers in registers and on the stack are no longer valid; `dynptr`: only if that argument is a view of an skb or of its metadata. */
  | { readonly kind: 'invalidate_packet'; readonly dynptr?: number }
  /** The program ends here (bpf_throw). */
  | { readonly kind: 'throw' }
  /** Another program runs in place of this one. */
  | { readonly kind: 'tail_call' };

/** A condition over what the verifier knows at the call site; an outcome whose guard is false cannot happen there. */
export type Guard =
  /** Argument 1 is not a constant key inside an array map (argument 0): the lookup may miss. */
  | { readonly kind: 'key_may_miss' }
  /** Argument 0 is a map of sockets, which gives them out with a reference; `is` false: it is any other map. */
  | { readonly kind: 'map_of_sockets'; readonly is: boolean }
  /** The argument is not an owning reference: taking another one may fail. */
  | { readonly kind: 'not_owning'; readonly arg: number };

/**
 * One way in which a call may end: when it is possible, what r0 is, what else changes. The verifier walks all outcomes, a run takes
 * one, and a stub must lie inside one.
 */
export interface Outcome {
  /** Unique in its contract: `null`, `found`, `ok`, `error`, `taken`, `done`, ... */
  readonly name: string;
  readonly guard?: Guard;
  readonly r0: R0;
  readonly effects: readonly Effect[];
  /** May sleep, spin on another CPU, or take long. */
  readonly blocks?: true;
  /**
   * The range that a running kernel really returns in this outcome (inclusive), if it is narrower than the verifier's `r0`. Used to pick
   * likely values; no proof may rely on it.
   */
  readonly usual?: readonly [bigint, bigint];
}

/** A helper or kfunc: who may call it, with which arguments, and how a call may end. */
export interface Contract {
  readonly name: string;
  readonly kind: 'helper' | 'kfunc';
  /** Helper id (enum bpf_func_id); -1 for a kfunc. */
  readonly id: number;
  readonly args: readonly Arg[];
  /** At least one. In order of preference where something must choose: failures first. */
  readonly outcomes: readonly Outcome[];
  /** Program types that may call it; none where no type that is modelled may. */
  readonly types: readonly ProgType[];
  /** May only be called where sleeping is allowed (KF_SLEEPABLE, might_sleep). */
  readonly sleeps?: true;
  /** Needs an RCU read section around it (KF_RCU_PROTECTED). */
  readonly needsRcu?: true;
  /** Answers the same at every call of one run: what the program runs on, or for whom, does not change under it. */
  readonly steady?: true;
  /** The kernel inlines it, or treats it as keeping r1 to r5, where it can (bpf_fastcall). */
  readonly fastcall?: true;
  /** Only GPL-compatible programs may call it. */
  readonly gpl?: true;
  /** Memory and key arguments may point into the packet (`pkt_access` of the prototype; always so for a kfunc). */
  readonly packetArgs?: true;
  /** May be called while a spin lock is held. */
  readonly underLock?: true;
  /** The KF_* flags of Linux 6.18, or of the neighbour that has the function, for rules that are written in terms of them. */
  readonly flags: readonly string[];
  /** The return type as the kernel's prototype states it, for rules in terms of it (RET_INTEGER, RET_VOID, ...; for kfuncs the C type). */
  readonly ret: string;
}
