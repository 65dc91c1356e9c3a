/**
 * Whether a function may be called at all in this program, and at this place whatever its arguments: program type, licence, capabilities,
 * locks, sections, sleeping. Follows the beginning of check_helper_call and check_kfunc_call of kernel/bpf/verifier.c.
 */
import { refusedAttached } from '../../kernel/attached.js';
import { isAlikeInAllTypes, narrowedFor, refusedFor, unmodelled } from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import { isGplCompatible } from '../../kernel/license.js';
import { BUILT_IN, declaredOtherwise, sleepsUnder, typesUnder } from '../../kernel/profile.js';
import type { ProgType } from '../../object/program.js';
import type { Path } from '../state/path.js';
import type { Code } from '../text/code.js';
import { refuse, TRAPPED, unsupported } from '../text/refusal.js';
import { functionName } from './call-site.js';

/** Helpers for CAP_PERFMON only (bpf_base_func_proto, bpf_sk_base_func_proto). */
const FOR_PERFMON =
  /^bpf_(trace_v?printk|get_current_task(_btf)?|get_task_stack|task_pt_regs|probe_read_(user|kernel)(_str)?|get_current_comm|snprintf(_btf)?|skc_to_.*|find_vma|send_signal(_thread)?|perf_event_read(_value)?|copy_from_user(_task)?|get_branch_snapshot|sys_bpf)$/;

/**
 * Program types whose contracts are complete. In a program of such a type, a function whose contract does not name the type cannot be
 * called with any arguments.
 */
const GIVEN_TO_ALL: ReadonlySet<ProgType> = new Set(['xdp', 'tc', 'socket_filter', 'tracepoint', 'syscall']);

/**
 * Types of which some programs may sleep. If a sleeping function is given to all of these types, it is given to the other types too:
 * their work queues may sleep.
 */
const SLEEPERS: readonly ProgType[] = ['syscall', 'kprobe', 'iter', 'fentry', 'lsm'];

/**
 * Programs of these types may go through the tasks of a cgroup anywhere, all others only where they may sleep: not in the callback of a timer, for
 * example (check_css_task_iter_allowlist).
 */
const CSS_TASK_TYPES: ReadonlySet<ProgType> = new Set(['lsm', 'iter']);
const CSS_TASK_NEW = 'bpf_iter_css_task_new';

/** Programs of the type may name the function. Whether they may sleep at the call is checked elsewhere. */
const mayName = (sleeps: boolean, types: readonly ProgType[], type: ProgType): boolean =>
  types.includes(type) || (sleeps && SLEEPERS.every((t) => types.includes(t)));

/**
 * Decides whether a call is allowed before its arguments are looked at. Checks that depend on the program alone are made once for each
 * function.
 */
export class AllowedCalls {
  /** Functions that this program may call somewhere; found out once. */
  private readonly known = new Set<Contract>();

  constructor(
    private readonly p: Path,
    private readonly code: Code,
  ) {}

  /** Refuses what this program may call nowhere. */
  private checkProgram(c: Contract): void {
    if (this.known.has(c)) return;
    const { p } = this;
    const helper = c.kind === 'helper';
    const { type } = p.program;
    if (
      !this.mayBeNamed(c) ||
      refusedAttached(c.name, p.program) ||
      (p.strict && helper && FOR_PERFMON.test(c.name))
    ) {
      if (!GIVEN_TO_ALL.has(type) && this.isOffered(c) && narrowedFor(c, type))
        unsupported(`${functionName(c)} takes other arguments in programs of type ${type}`);
      refuse(
        helper
          ? `program of this type cannot use helper ${functionName(c)}`
          : `calling kernel function ${c.name} is not allowed`,
      );
    }
    if (c.gpl === true && !isGplCompatible(p.program.license)) {
      refuse(
        helper
          ? 'cannot call GPL-restricted function from non-GPL compatible program'
          : `cannot call kernel function from non-GPL compatible program`,
      );
    }
    const declared = declaredOtherwise(p.kernel, c.name);
    if (declared !== undefined) unsupported(`this kernel declares another function: ${declared}`);
    this.known.add(c);
  }

  private sleeps({ name, sleeps }: Contract): boolean {
    const { kernel } = this.p;
    return Object.hasOwn(kernel.sleeps, name) ? sleepsUnder(kernel, name) : sleeps === true;
  }

  /** The kernel lets programs of this type name the function. */
  private isOffered(c: Contract): boolean {
    const { kernel, program } = this.p;
    return mayName(this.sleeps(c), typesUnder(kernel, c.name), program.type);
  }

  /** Programs of this type may name the function, and the contract is made for them. */
  private mayBeNamed(c: Contract): boolean {
    const { kernel, program } = this.p;
    const known = mayName(c.sleeps === true, c.types, program.type);
    if (!Object.hasOwn(kernel.types, c.name)) return known;
    if (!this.isOffered(c)) return false;
    if (known) return true;
    if (typesUnder(BUILT_IN, c.name).includes(program.type)) return false;
    // This kernel offers the function to more types than the contract covers.
    // Of a function that no type has in the built-in tables the contract says what it does in every type.
    if (c.types.length > 0 && !isAlikeInAllTypes(c))
      unsupported(`${functionName(c)} is not modelled in programs of type ${program.type}`);
    return true;
  }

  /** Refuses what may not be called at this place, whatever the arguments are. */
  check(c: Contract): void {
    this.checkProgram(c);
    const { p } = this;
    const helper = c.kind === 'helper';
    if (p.lockHeld !== undefined && c.underLock !== true)
      refuse('function calls are not allowed while holding a lock');
    if (c.needsRcu === true && !p.inRcu)
      refuse(`kernel func ${c.name} requires RCU critical section protection`);
    if (c.name === CSS_TASK_NEW && !CSS_TASK_TYPES.has(p.program.type) && !p.sleepable)
      refuse('css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs');
    if (!this.sleeps(c)) return;
    const what = helper
      ? `sleepable helper ${functionName(c)} in`
      : `kernel func ${c.name} is sleepable within`;
    if (!p.sleepable) {
      refuse(
        helper
          ? 'helper call might sleep in a non-sleepable prog'
          : `program must be sleepable to call sleepable kfunc ${c.name}`,
      );
    }
    if (p.rcu > 0) refuse(`${what} rcu_read_lock region`);
    if (p.preempt > 0) refuse(`${what} non-preemptible region`);
    if (p.irq !== 0) refuse(`${what} IRQ-disabled region`);
  }

  /** Refuses the call at this slot. The function has no contract. */
  refuseUnknown(slot: number): never {
    const op = this.code.ops[slot];
    if (op?.kind !== 'call') return refuse(`no call at slot ${slot}`);
    const { program } = this.p;
    if (op.target === 'kfunc') {
      const name = program.kfuncs[op.imm] ?? refuse(`kfunc ${op.imm} has no name`);
      if (name === '__bpf_trap') refuse(TRAPPED);
      if (refusedFor(name, program, this.p.kernel)) refuse(`calling kernel function ${name} is not allowed`);
      return unsupported(unmodelled(name));
    }
    const why = unmodelled(op.imm);
    if (why.includes('does not exist')) refuse(`invalid func unknown#${op.imm}`);
    if (refusedFor(op.imm, program, this.p.kernel))
      refuse(`program of this type cannot use helper ${op.imm}`);
    return unsupported(why);
  }
}
