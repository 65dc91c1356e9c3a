/** Which kind of program an ELF section holds, by its name. Follows section_defs of libbpf. */
import type { Attachment, ProgType } from './program.js';

/** What the name of an ELF section says of the program in it. */
export interface ProgramKind {
  readonly type: ProgType;
  readonly sleepable: boolean;
  readonly attach?: Attachment;
  /** It attaches to something that its loader says, and the section does not. */
  readonly attachOpen?: true;
}

/** A pattern, the type, the attach type where the verifier asks (enum bpf_attach_type), and whether a target in BTF is named. */
type Rule = readonly [RegExp, ProgType, number?, 'target'?];

const rule = (pattern: string, type: ProgType, attach?: number, target?: 'target'): Rule => [
  new RegExp(`^(?:${pattern})$`),
  type,
  attach,
  target,
];

/** After a section's name: nothing, or `/` and what the program attaches to. */
const REST = '(?:/.*)?';

const RULES: readonly Rule[] = [
  rule('socket(?:[._/\\d].*)?', 'socket_filter'),
  rule(`sk_reuseport/migrate${REST}`, 'sk_reuseport', 40),
  rule(`sk_reuseport${REST}`, 'sk_reuseport', 39),
  rule(`(?:k|u)(?:ret)?probe(?:\\.s)?${REST}`, 'kprobe'),
  rule(`(?:k|kret)probe\\.multi${REST}`, 'kprobe', 42),
  rule(`kprobe\\.session${REST}`, 'kprobe', 56),
  rule(`(?:u|uret)probe\\.multi(?:\\.s)?${REST}`, 'kprobe', 48),
  rule(`uprobe\\.session(?:\\.s)?${REST}`, 'kprobe', 57),
  rule(`(?:k|kret)syscall${REST}`, 'kprobe'),
  rule(`usdt(?:\\.s)?${REST}`, 'kprobe'),

  rule('(?:tc|tcx|netkit|classifier)(?:[._/].*)?', 'tc'),
  rule('action(?:[._/].*)?', 'action'),
  rule('(?:tp|tracepoint)(?:\\.s)?(?:/.*)?', 'tracepoint'),
  rule(`(?:raw_tracepoint|raw_tp)\\.w${REST}`, 'raw_tracepoint_writable'),
  rule(`(?:raw_tracepoint|raw_tp)${REST}`, 'raw_tracepoint'),
  rule('tp_btf(?:/(.+))?', 'tp_btf', 23, 'target'),
  rule('fentry(?:\\.s)?(?:/(.+))?', 'fentry', 24, 'target'),
  rule('fmod_ret(?:\\.s)?(?:/(.+))?', 'fentry', 26, 'target'),
  rule('fexit(?:\\.s)?(?:/(.+))?', 'fentry', 25, 'target'),
  rule('lsm_cgroup(?:/(.+))?', 'lsm', 43, 'target'),
  rule('lsm(?:\\.s)?(?:/(.+))?', 'lsm', 27, 'target'),
  rule('iter(?:\\.s)?(?:/(.+))?', 'iter', 28, 'target'),
  rule('syscall(?:\\.s)?', 'syscall'),
  rule('xdp(?:\\.frags)?/devmap', 'xdp', 33),
  rule('xdp(?:\\.frags)?/cpumap', 'xdp', 35),
  rule('xdp(?:[._/].*)?', 'xdp'),
  rule('perf_event(?:/.*)?', 'perf_event'),
  rule('lwt_in', 'lwt_in'),
  rule('lwt_out', 'lwt_out'),
  rule('lwt_xmit', 'lwt_xmit'),
  rule('lwt_seg6local', 'lwt_seg6local'),
  rule(`sockops${REST}`, 'sock_ops', 3),
  rule(`sk_skb/stream_parser${REST}`, 'sk_skb', 4),
  rule(`sk_skb/stream_verdict${REST}`, 'sk_skb', 5),
  rule(`sk_skb/verdict${REST}`, 'sk_skb', 38),
  rule(`sk_skb${REST}`, 'sk_skb'),
  rule(`sk_msg${REST}`, 'sk_msg', 7),
  rule(`flow_dissector${REST}`, 'flow_dissector', 17),
  rule('cgroup_skb/ingress', 'cgroup_skb', 0),
  rule('cgroup_skb/egress', 'cgroup_skb', 1),
  rule('cgroup/skb|cgroup_skb', 'cgroup_skb'),
  rule('cgroup/sock_create|cgroup/sock', 'cgroup_sock', 2),
  rule('cgroup/sock_release', 'cgroup_sock', 34),
  rule('cgroup/post_bind4', 'cgroup_sock', 12),
  rule('cgroup/post_bind6', 'cgroup_sock', 13),
  ...(
    [
      ['bind4', 8],
      ['bind6', 9],
      ['connect4', 10],
      ['connect6', 11],
      ['connect_unix', 49],
      ['sendmsg4', 14],
      ['sendmsg6', 15],
      ['sendmsg_unix', 50],
      ['recvmsg4', 19],
      ['recvmsg6', 20],
      ['recvmsg_unix', 51],
      ['getpeername4', 29],
      ['getpeername6', 30],
      ['getpeername_unix', 52],
      ['getsockname4', 31],
      ['getsockname6', 32],
      ['getsockname_unix', 53],
    ] as const
  ).map(([name, attach]) => rule(`cgroup/${name}`, 'cgroup_sock_addr', attach)),
  rule('cgroup/sysctl', 'cgroup_sysctl', 18),
  rule('cgroup/getsockopt', 'cgroup_sockopt', 21),
  rule('cgroup/setsockopt', 'cgroup_sockopt', 22),
  rule('cgroup/dev', 'cgroup_device', 6),
  rule(`sk_lookup${REST}`, 'sk_lookup', 36),
  rule('netfilter', 'netfilter', 45),
  // Which function of which struct is told by the structs of the object; see struct-ops.ts.
  rule(`struct_ops(?:\\.s)?${REST}`, 'struct_ops', 0),
];

/**
 * Kind of the programs in a section; undefined for kinds that are not modelled. A leading `?` (libbpf: do not load
 * unless told to) makes no difference.
 */
export function programKind(section: string): ProgramKind | undefined {
  const name = section.replace(/^\?/, '');
  for (const [pattern, type, attach, named] of RULES) {
    const match = pattern.exec(name);
    if (match === null) continue;
    const target = named === undefined ? undefined : match[1];
    return {
      type,
      ...(named !== undefined && target === undefined && { attachOpen: true }),
      // Linux loads syscall programs only as sleepable ones.
      sleepable: type === 'syscall' || /\.s(?:\/|$)/.test(name),
      ...(attach !== undefined && { attach: { type: attach, ...(target !== undefined && { target }) } }),
    };
  }
  return undefined;
}

/** Sections of subprograms only: nothing in them is a program of its own. */
export function isSubprogSection(section: string): boolean {
  return section === '.text' || section.startsWith('.text.');
}
