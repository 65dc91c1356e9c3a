/**
 * Which functions the running kernel lets programs of each type name. A program of one call is loaded for each pair, without a log: the error
 * number tells whether the function was refused or its arguments were, since the kernel looks at the function first (check_helper_call,
 * check_kfunc_call of kernel/bpf/verifier.c). Where a refusal is not what the tables say, the log is asked.
 */
import { BPF_CALL, BPF_JMP, BPF_PSEUDO_KFUNC_CALL } from '../../isa/opcodes.js';
import { ATTACH } from '../../kernel/contexts/attach.js';
import { builtInSleeps, type KernelProfile } from '../../kernel/profile.js';
import { progType } from '../../kernel/progtypes.js';
import { HELPERS, type HelperRow, KFUNCS, type KfuncRow } from '../../kernel/tables/rows.js';
import { PROG_TYPES, type ProgType } from '../../object/program.js';
import { kernelFunctionId, kernelShowsBtf, kernelTypeId } from '../btf.js';
import { BPF_F_SLEEPABLE } from '../load.js';
import { Attr, BpfCmd, bpf, closeFd, errnoName } from '../syscall.js';

/** Programs on functions and LSM hooks cannot be loaded everywhere, and are given what those on tracepoints are. */
const NOT_ASKED: readonly ProgType[] = ['fentry', 'lsm'];
const LOG_BYTES = 4096;
const LICENSE = Buffer.from('GPL\0');

/** What stands for a type's attachment where the kernel asks for one. */
function attachment(type: ProgType): readonly [attach: number, target: number] {
  const target = (name: string, kind: 'typedef' | 'func'): number =>
    (kernelShowsBtf() ? kernelTypeId(name, kind) : undefined) ?? 0;
  switch (type) {
    case 'tp_btf':
      return [ATTACH.TRACE_RAW_TP, target('btf_trace_sched_switch', 'typedef')];
    case 'iter':
      return [ATTACH.TRACE_ITER, target('bpf_iter_task', 'func')];
    case 'struct_ops':
      // The first member, whatever its name: bpf_dummy_ops, which all kernels have, lends no helpers.
      return [0, kernelShowsBtf() ? (kernelTypeId('tcp_congestion_ops', 'struct') ?? 0) : 0];
    case 'sk_lookup':
      return [ATTACH.SK_LOOKUP, 0];
    case 'sk_reuseport':
      return [ATTACH.SK_REUSEPORT_SELECT, 0];
    case 'netfilter':
      return [ATTACH.NETFILTER, 0];
    case 'cgroup_sock_addr':
      return [ATTACH.INET4_CONNECT, 0];
    case 'cgroup_sockopt':
      return [ATTACH.SETSOCKOPT, 0];
    default:
      return [0, 0];
  }
}

/** What the kernel says of a function that programs of the type must not call, and of one that sleeps where that is not allowed. */
const REFUSED = /calling kernel function \S+ is not allowed|cannot use helper|(invalid|unknown) func/;
const SLEEPS = /must be sleepable|might sleep/;

/** A loader of programs that call one function and exit. */
class Prober {
  private readonly insns = Buffer.alloc(24);
  private readonly log = Buffer.alloc(LOG_BYTES);

  private readonly attach: number;
  private readonly target: number;

  constructor(private readonly type: ProgType) {
    [this.attach, this.target] = attachment(type);
    this.insns[0] = BPF_JMP | BPF_CALL;
    // r0 = 0; exit
    this.insns[8] = 0xb7;
    this.insns[16] = 0x95;
  }

  /** The error number's name, `OK` where the program loads. With `told` the kernel's log is asked, and read from `said`. */
  load(isKfunc: boolean, id: number, told = false): string {
    this.insns[1] = isKfunc ? BPF_PSEUDO_KFUNC_CALL << 4 : 0;
    this.insns.writeInt32LE(id, 4);
    const info = progType(this.type);
    const attr = new Attr(152)
      .u32(0, info.number)
      .u32(4, 3)
      .pointer(8, this.insns)
      .pointer(16, LICENSE)
      .u32(44, info.sleepable ? BPF_F_SLEEPABLE : 0)
      .u32(68, this.attach)
      .u32(108, this.target);
    if (told) attr.u32(24, 1).u32(28, LOG_BYTES).pointer(32, this.log);
    const fd = bpf(BpfCmd.progLoad, attr);
    if (fd >= 0) {
      closeFd(fd);
      return 'OK';
    }
    return errnoName(fd);
  }

  get said(): string {
    const end = this.log.indexOf(0);
    return this.log.toString('latin1', 0, end < 0 ? LOG_BYTES : end);
  }

  /** Whether the kernel lets the function be called by programs of the type, and, where that shows, whether it may sleep. */
  ask(row: HelperRow | KfuncRow, id: number): { readonly takes: boolean; readonly sleeps?: boolean } {
    const isKfunc = !('id' in row);
    const errno = this.load(isKfunc, id);
    const awake = !progType(this.type).sleepable;
    // The function itself is refused by these; what else refuses with them only the log tells.
    if (errno !== (isKfunc ? 'EACCES' : 'EINVAL'))
      return awake ? { takes: true, sleeps: false } : { takes: true };
    if (!row.types.includes(this.type)) return { takes: false };
    this.load(isKfunc, id, true);
    if (REFUSED.test(this.said)) return { takes: false };
    return awake ? { takes: true, sleeps: SLEEPS.test(this.said) } : { takes: true };
  }
}

/**
 * By name, the types that may name the function, and whether it sleeps, where the tables have it otherwise. Types of which the running kernel
 * loads no program at all are taken to be as in the tables. Throws InputError where bpf(2) cannot be called.
 */
export function differingFunctions(): Pick<KernelProfile, 'types' | 'sleeps'> {
  const asked = PROG_TYPES.filter((type) => !NOT_ASKED.includes(type));
  const probers = new Map(asked.map((type) => [type, new Prober(type)] as const));
  // bpf_get_smp_processor_id may be called by all.
  for (const [type, prober] of probers) if (prober.load(false, 8) !== 'OK') probers.delete(type);
  const differing: Record<string, readonly ProgType[]> = {};
  const sleeping: Record<string, boolean> = {};
  for (const row of [...HELPERS, ...KFUNCS]) {
    const id = 'id' in row ? row.id : kernelShowsBtf() ? kernelFunctionId(row.name) : undefined;
    let sleeps: boolean | undefined;
    const types = PROG_TYPES.filter((type) => {
      const prober = probers.get(type);
      if (id === undefined) return false;
      // bpf_get_retval and others may be called or not by how a program attaches: the types are those of the tables.
      if (prober === undefined) return row.types.includes(type);
      const answer = prober.ask(row, id);
      sleeps ??= answer.sleeps;
      return answer.takes || isNarrowed(row, type);
    });
    if (types.join() !== PROG_TYPES.filter((type) => row.types.includes(type)).join())
      differing[row.name] = types;
    if (sleeps !== undefined && sleeps !== builtInSleeps(row.name)) sleeping[row.name] = sleeps;
  }
  return { types: differing, sleeps: sleeping };
}

/** Which programs of the type may call it depends on how they attach, and the one that is asked with may not. */
function isNarrowed({ name, types }: HelperRow | KfuncRow, type: ProgType): boolean {
  const narrowed = ['bpf_setsockopt', 'bpf_getsockopt', 'bpf_get_retval', 'bpf_set_retval'];
  return narrowed.includes(name) && types.includes(type);
}
