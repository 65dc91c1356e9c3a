/** What a person writes to declare a function: `kfunc({...})` and `helper({...})` of rule files, and `.declare` of cases. */
import type { MapType, ProgType } from '../../object/program.js';
import type { Arg, CallbackSpec, DynptrType, Effect, Guard, PointerKind, Resource } from '../contract.js';

type Int = number | bigint | string;
/** An inclusive range of signed 64-bit numbers. */
export type Range = readonly [least: Int, most: Int];

/** An outcome in the words of contract.ts; numbers may be plain, or text where they are too large for that. */
export interface OutcomeSpec {
  readonly name: string;
  readonly r0:
    | 'void'
    | 'null'
    | 'any'
    | Range
    | { readonly kind: 'scalar'; readonly min: Int; readonly max: Int; readonly upTo?: number }
    | {
        readonly kind: 'pointer';
        readonly to: PointerKind;
        readonly acquires?: Resource;
        readonly derives?: number;
      };
  readonly effects?: readonly Effect[];
  readonly blocks?: boolean;
  readonly usual?: Range;
  readonly guard?: Guard;
}

/** What prototypes do not tell. Only what has an effect on the function may be there. */
export interface Answers {
  /** Program types that may call it. */
  readonly types: readonly ProgType[] | ProgType | 'all';
  /** What a number that is returned is likely to be: 0 or an error, anything, or a range. No proof rests on it. */
  readonly returns?: 'error' | 'any' | Range;
  /** A call may wait, spin or take long. */
  readonly blocks?: boolean;
  /** Class of the reference that is returned. */
  readonly resource?: Resource;
  /** What it does with its lock argument: waits for it, tries to take it (0, or an error without it), or gives it back. */
  readonly lock?: 'takes' | 'tries' | 'releases';
  readonly section?: 'enters rcu' | 'leaves rcu' | 'enters preempt' | 'leaves preempt';
  readonly callback?: CallbackSpec;
  /** Types of maps that it takes. */
  readonly maps?: readonly MapType[] | MapType | 'any';
  /** Packet pointers are no longer valid after a call. */
  readonly movesPacket?: boolean;
  /** May be called while a spin lock is held. */
  readonly underLock?: boolean;
  /** Answers the same at every call of one run, as the number of the CPU does. */
  readonly steady?: boolean;
  /** Arguments in the words of contract.ts, by name (of a helper arg1 to arg5), in place of what is inferred. */
  readonly arguments?: Readonly<Record<string, Arg>>;
  /** Outcomes in full, in place of what is inferred. */
  readonly outcomes?: readonly OutcomeSpec[];
}

/** What is written to declare a kernel function that BTF names, besides the answers. */
export interface KfuncSpec extends Answers {
  /** The C prototype, as in the kernel's source. */
  readonly proto: string;
  /** KF_ flags, as a list or as they stand in BTF_ID_FLAGS; [] for none. */
  readonly flags: string | readonly string[];
  /** Parameters whose memory it always fills; [] where it fills none. */
  readonly writes?: readonly string[];
  /** Bytes of parameters that are plain memory of a fixed size. */
  readonly memory?: Readonly<Record<string, number>>;
  /** The parameter that KF_RELEASE gives back, where there are several pointers. */
  readonly releases?: string;
  /** The parameter whose object moves into a graph. */
  readonly transfers?: string;
  /** What it does with its __irq_flag parameter. */
  readonly irq?: 'saves' | 'restores';
  /** What a new dynptr (__uninit) is over. */
  readonly dynptr?: DynptrType;
  /** How far the elements of an iterator are trusted. */
  readonly trust?: 'trusted' | 'rcu';
}

/** The fields of `helper({...})`, most of them those of struct bpf_func_proto. */
export interface HelperSpec extends Answers {
  readonly name: string;
  /** Number in enum bpf_func_id. */
  readonly id: number;
  /** .ret_type, the struct of a BTF id in brackets: `RET_PTR_TO_BTF_ID_OR_NULL [task_struct]`. */
  readonly ret: string;
  /** .arg1_type to .arg5_type, a struct or a number of bytes in brackets: `ARG_PTR_TO_FIXED_SIZE_MEM | MEM_UNINIT [8]`. */
  readonly args?: readonly string[];
  /** .gpl_only */
  readonly gpl?: boolean;
  /** .might_sleep */
  readonly sleeps?: boolean;
  /** .pkt_access */
  readonly packetArgs?: boolean;
  /** .allow_fastcall */
  readonly fastcall?: boolean;
  /** What it returns must be given back; `cast`: it is argument 1 seen as another type. */
  readonly acquires?: boolean | 'cast';
}
