import { BREAKS, nearMissesOf } from '../../../generators/near-miss.js';
import { GENERATED_TYPES, type GeneratedProgram } from '../../../generators/program.js';
import { sample } from '../../../generators/sample.js';
import { ATTACH } from '../../kernel/contexts/attach.js';
import type { KernelProfile } from '../../kernel/profile.js';
import { type Attachment, PROG_TYPES, type Program, type ProgType } from '../../object/program.js';
import { withRunningTypes } from '../../oracle/btf.js';
import { KernelJudge } from '../../oracle/bulk.js';
import { mayCrashLinux } from '../../oracle/danger.js';
import { possibleCpus } from '../../oracle/maps.js';
import { runningProfile } from '../../oracle/profile/running.js';
import type { Profile } from '../../verifier/state/profile.js';
import { stricterLine } from '../../verifier/stricter.js';
import { INSN_BUDGET, verify } from '../../verifier/verify.js';
import type { JudgedFor, OpenComparison, Tally } from './comparison.js';

/** Which programs, good ones and broken ones, to compare verdicts on. */
export interface VerdictsOptions extends JudgedFor {
  /** Places at which each way to break a program is tried, 1 unless told. */
  readonly places?: number;
  /** Ways to break a program, all unless told. */
  readonly breaks?: readonly string[];
  /** Program types to draw from; all that can be loaded unless told, the everyday ones more often. */
  readonly types?: readonly ProgType[];
  /**
   * Insns that we may walk; as many as Linux unless told. With fewer, programs that take longer are left out: a program without an end
   * takes seconds.
   */
  readonly budget?: number;
  /**
   * Also count which messages of ours stand for which of Linux's: `words: Linux says ..., we say ...`. Different messages are no
   * difference in verdicts.
   */
  readonly words?: boolean;
}

/** A program to be judged, and what it is. */
interface CandidateProgram {
  readonly program: Program;
  /** `generated`, or the way in which it was broken. */
  readonly way: string;
  readonly about: string;
}

/** The two judges of programs in one profile. */
interface ProfileJudges {
  readonly profile: Profile;
  readonly judge: KernelJudge;
  /** Asked only where the reason matters. A log takes longer than a verdict, and much longer for a program that never ends. */
  readonly explain: KernelJudge;
}

function openJudges(profile: Profile): ProfileJudges {
  const strictCaps = profile === 'strict';
  return {
    profile,
    judge: new KernelJudge({ strictCaps, explain: false }),
    explain: new KernelJudge({ strictCaps }),
  };
}

/** A message without numbers and names, so that the same complaint about two programs is the same text. */
export function kindOfComplaint(message: string): string {
  return message
    .replace(/0x[0-9a-f]+/g, 'N')
    .replace(/-?\d+/g, 'N')
    .replace(/\(N; N\)/g, 'T')
    .slice(0, 160);
}

/** Opens the comparison; holds a few maps of the kernel's until it is closed. Throws InputError where bpf(2) is refused. */
export function openVerdicts(options: VerdictsOptions = {}): OpenComparison {
  const courts = (options.profiles ?? (['privileged', 'strict'] as const)).map(openJudges);
  const structs = withRunningTypes();
  const told = { ...options, kernel: options.kernel ?? runningProfile() };
  return {
    compare(seed, index, tally) {
      const type = options.types ?? (index % 3 === 2 ? [rareTypeFor(index)] : GENERATED_TYPES);
      const drawn = sample(seed, index, { types: type });
      const original = {
        ...drawn,
        program: { ...withAttachment(drawn.program, index), ...structs },
      };
      const about = `seed ${seed} program ${index}`;
      const whole = { program: original.program, way: 'generated', about };
      // Near misses are made only of accepted programs. If the program itself is refused, no other mistake would show.
      const accepting = courts.filter((court) => compareVerdicts(court, whole, told, tally));
      if (accepting.length === 0) return;
      for (const judged of nearMisses(original, about, seed + index, options)) {
        for (const court of accepting) compareVerdicts(court, judged, told, tally);
      }
    },
    close() {
      for (const { judge, explain } of courts) {
        judge.close();
        explain.close();
      }
    },
  };
}

/** Every third program has one of the less frequent types, in turn. */
function rareTypeFor(index: number): ProgType {
  return RARE_TYPES[Math.floor(index / 3) % RARE_TYPES.length]!;
}

/** On many machines programs of these types do not reach the verifier, because they may not be attached. */
const NOT_LOADABLE: ReadonlySet<ProgType> = new Set(['fentry', 'lsm']);
const RARE_TYPES = PROG_TYPES.filter((type) => !GENERATED_TYPES.includes(type) && !NOT_LOADABLE.has(type));

/** Attach targets for the types for which the kernel wants one. */
const ATTACHMENTS: Readonly<Partial<Record<ProgType, readonly Attachment[]>>> = {
  tp_btf: [
    { type: ATTACH.TRACE_RAW_TP, target: 'sched_switch' },
    { type: ATTACH.TRACE_RAW_TP, target: 'task_newtask' },
  ],
  iter: [
    { type: ATTACH.TRACE_ITER, target: 'task' },
    { type: ATTACH.TRACE_ITER, target: 'bpf_map_elem' },
  ],
  // The first member of its struct in every kernel.
  struct_ops: [{ type: 0, target: 'tcp_congestion_ops.ssthresh' }],
  cgroup_sock_addr: [
    { type: ATTACH.INET4_BIND },
    { type: ATTACH.INET6_CONNECT },
    { type: ATTACH.UDP4_SENDMSG },
    { type: ATTACH.UNIX_CONNECT },
    { type: ATTACH.INET6_GETPEERNAME },
  ],
  cgroup_sockopt: [{ type: ATTACH.GETSOCKOPT }, { type: ATTACH.SETSOCKOPT }],
  cgroup_skb: [{ type: ATTACH.INET_INGRESS }, { type: ATTACH.INET_EGRESS }],
  cgroup_sock: [
    { type: ATTACH.SOCK_CREATE },
    { type: ATTACH.INET4_POST_BIND },
    { type: ATTACH.SOCK_RELEASE },
  ],
  sk_lookup: [{ type: ATTACH.SK_LOOKUP }],
  sk_reuseport: [{ type: ATTACH.SK_REUSEPORT_SELECT }, { type: ATTACH.SK_REUSEPORT_SELECT_OR_MIGRATE }],
  netfilter: [{ type: ATTACH.NETFILTER }],
};

function withAttachment(program: Program, index: number): Program {
  const places = ATTACHMENTS[program.type];
  return places === undefined ? program : { ...program, attach: places[index % places.length]! };
}

function* nearMisses(
  original: GeneratedProgram,
  about: string,
  from: number,
  { breaks = BREAKS, places = 1 }: VerdictsOptions,
): Iterable<CandidateProgram> {
  for (const way of breaks) {
    for (const { program, slot } of nearMissesOf(original, way, places, from)) {
      yield { program, way, about: `${about}, ${way} at slot ${slot}` };
    }
  }
}

/** Answers whether Linux accepts the program. */
function compareVerdicts(
  { profile, judge, explain }: ProfileJudges,
  { program, way, about }: CandidateProgram,
  options: VerdictsOptions & { readonly kernel: KernelProfile },
  tally: Tally,
): boolean {
  const budget = options.budget ?? INSN_BUDGET;
  const ours = verify(program, {
    profile,
    kernel: options.kernel,
    facts: false,
    budget,
    cpus: possibleCpus(),
  });
  if (mayCrashLinux(program, profile) !== undefined) {
    tally.count(`${profile}: not asked, for it may crash Linux`);
    return false;
  }
  if (!ours.ok && ours.reason === 'budget' && budget < INSN_BUDGET) {
    tally.count(`${profile}: not asked, for it takes more than ${budget} insns`);
    return false;
  }
  let kernel = judge.judge(program);
  const differ = ours.ok !== kernel.accepted;
  if (!kernel.accepted && (differ || options.words === true || kernel.errno === 'EFAULT'))
    kernel = explain.judge(program);
  // Some program types need a capability that the profile lacks. Then there is a verdict, but no message.
  const forbidden = profile === 'strict' && kernel.errno === 'EPERM';
  if (!kernel.judged && !forbidden) {
    tally.count(`${profile}: not judged`);
    return false;
  }
  const theirWords = kernel.message ?? '';
  if (theirWords.includes('verifier bug')) {
    tally.count(`${profile}: Linux calls it a bug of its own`);
    return false;
  }
  const verdict = kernel.accepted ? 'accepted' : 'refused';
  tally.count(`${profile}: ${way === 'generated' ? 'generated programs' : 'near misses'}`);
  for (const what of [profile, `${profile}, ${program.type}`, `${profile}, ${way}`])
    tally.count(`${what}: ${verdict} by Linux`);
  if (differ) {
    const known = ours.ok ? undefined : stricterLine(ours, program);
    const words = ours.ok ? theirWords : (known ?? ours.message);
    const which = ours.ok ? 'looser' : 'stricter';
    tally.count(`${profile}: ${which}`);
    if (known !== undefined) tally.count(`${profile}: stricter, as the docs say`);
    tally.differ(`${which}: ${kindOfComplaint(words)}`, `${profile}, ${program.type}, ${about}`);
  } else if (!ours.ok && !forbidden && options.words === true) {
    const [a, b] = [kindOfComplaint(theirWords), kindOfComplaint(ours.message)];
    tally.count(`${profile}: refused ${a === b ? 'in the same words' : 'in other words'}`);
    if (a !== b) tally.count(`words: Linux says ${a}, we say ${b}`);
  }
  return kernel.accepted;
}
