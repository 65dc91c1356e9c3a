/** Reads the generated tables: one row a helper or kfunc, as the kernel's source and a running 6.18 have it. */
import type { ProgType } from '../../object/program.js';
import { HELPER_LINES } from './helpers.js';
import { KFUNC_LINES } from './kfuncs.js';

/** What the kernel's source says of a helper beyond its prototype. */
export type HelperMark =
  | 'acquires'
  | 'releases'
  /** Returns its socket argument under another type (is_ptr_cast_function). */
  | 'cast'
  | 'callback'
  | 'sleeps'
  /** May move the packet (bpf_helper_changes_pkt_data). */
  | 'packet'
  | 'null'
  | 'gpl'
  | 'fastcall';

/** What the kernel's source says of one helper (struct bpf_func_proto), and which program types are given it. */
export interface HelperRow {
  readonly id: number;
  readonly name: string;
  /** enum bpf_return_type, flags joined by `+`. */
  readonly ret: string;
  /** enum bpf_arg_type of the arguments that are checked, flags joined by `+`, a fixed size in brackets. */
  readonly args: readonly string[];
  readonly marks: readonly HelperMark[];
  readonly types: readonly ProgType[];
}

/** What the kernel's source says of one kfunc (its declaration and BTF_ID_FLAGS), and which program types may call it. */
export interface KfuncRow {
  readonly name: string;
  /** The C return type. */
  readonly ret: string;
  /** C parameters with their suffixes (`__k`, `__ign`, ...). */
  readonly params: readonly string[];
  /** KF_* flags. */
  readonly flags: readonly string[];
  /** The release whose source declares it and gives the flags, where Linux 6.18 is not known to have it. */
  readonly release?: string;
  /** Program types that may call it; none of the modelled ones when empty. */
  readonly types: readonly ProgType[];
}

/** How a cell of the tables names a program type. */
export const LETTERS: Readonly<Record<string, ProgType>> = {
  x: 'xdp',
  t: 'tc',
  f: 'socket_filter',
  p: 'tracepoint',
  s: 'syscall',
  k: 'kprobe',
  r: 'raw_tracepoint',
  w: 'raw_tracepoint_writable',
  e: 'perf_event',
  b: 'tp_btf',
  I: 'iter',
  a: 'action',
  g: 'cgroup_skb',
  c: 'cgroup_sock',
  A: 'cgroup_sock_addr',
  G: 'cgroup_sockopt',
  d: 'cgroup_device',
  y: 'cgroup_sysctl',
  i: 'lwt_in',
  o: 'lwt_out',
  m: 'lwt_xmit',
  '6': 'lwt_seg6local',
  S: 'sk_skb',
  M: 'sk_msg',
  O: 'sock_ops',
  L: 'sk_lookup',
  R: 'sk_reuseport',
  D: 'flow_dissector',
  n: 'netfilter',
  l: 'lsm',
  F: 'fentry',
  T: 'struct_ops',
};

const words = (cell: string | undefined): string[] => (cell ? cell.split(' ') : []);

/**
 * Programs on functions and LSM hooks are given what those on tracepoints and iterators are given: no cell tells, for where no
 * such program could be loaded none could be asked about.
 */
function types(cell: string | undefined): ProgType[] {
  const known = [...(cell ?? '')].map((letter) => LETTERS[letter]!);
  return known.some((type) => type === 'tp_btf' || type === 'iter') ? [...known, 'fentry', 'lsm'] : known;
}

function helperRow(line: string): HelperRow {
  const [id, name, ret, args, marks, letters] = line.split('|');
  return {
    id: Number(id),
    name: name ?? '',
    ret: ret ?? '',
    args: words(args),
    marks: words(marks) as HelperMark[],
    types: types(letters),
  };
}

function kfuncRow(line: string): KfuncRow {
  const [name, ret, params, flags, letters, release] = line.split('|');
  return {
    name: name ?? '',
    ret: ret ?? '',
    params: params ? params.split('; ') : [],
    flags: words(flags),
    types: types(letters),
    ...(release ? { release } : {}),
  };
}

/** All helpers, in the order of their ids (1 to 211). */
export const HELPERS: readonly HelperRow[] = HELPER_LINES.map(helperRow);
/** All kfuncs known by name, in alphabetical order. */
export const KFUNCS: readonly KfuncRow[] = KFUNC_LINES.map(kfuncRow);
