/**
 * Checks that a program holds nothing any more where it ends. Follows check_resource_leak and check_return_code of kernel/bpf/verifier.c.
 */
import { S64_MAX, S64_MIN } from '../../isa/integer.js';
import { returnRange, returnsHalf, returnsNothing } from '../../kernel/progtypes.js';
import type { Path } from '../state/path.js';
import { isPointer, typeName } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';

/**
 * Refuses if anything is held. `where`: `BPF_EXIT instruction in main prog`, `tail_call`, `bpf_throw`, `BPF_LD_[ABS|IND]`. `returns`: the
 * path goes on in the caller, which may still give its references back (check_reference_leak).
 */
export function checkResourceLeak(p: Path, where: string, returns = false): void {
  if (p.lockHeld !== undefined) refuse(`${where} cannot be used inside bpf_spin_lock-ed region`);
  const leaked = returns ? [] : p.refs.filter((r) => r.kind === 'pointer');
  if (leaked.length > 0) {
    const refs = leaked.map((r) => `Unreleased reference id=${r.id} alloc_insn=${r.at}`);
    refuse([...refs, `${where} would lead to reference leak`].join(' // '));
  }
  if (p.irq !== 0) refuse(`${where} cannot be used inside bpf_local_irq_save-ed region`);
  if (p.rcu > 0) refuse(`${where} cannot be used inside bpf_rcu_read_lock-ed region`);
  if (p.preempt !== 0) refuse(`${where} cannot be used inside bpf_preempt_disable-ed region`);
}

/** Refuses unless the register lies in this inclusive range. The register is r0 unless told. `half`: only its lower half counts, as a signed number. */
export function requireRange(
  reg: Reg,
  range: readonly [number, number],
  what: string,
  regno = 0,
  half = false,
): void {
  const where = `${what} the register R${regno}`;
  if (reg.type !== 'scalar') refuse(`${where} is not a known value (${typeName(reg)})`);
  const [min, max] = range;
  const { smin, smax } = half ? { smin: BigInt(reg.num.s32min), smax: BigInt(reg.num.s32max) } : reg.num;
  if (smin >= BigInt(min) && smax <= BigInt(max)) return;
  const known = [...(smin > S64_MIN ? [`smin=${smin}`] : []), ...(smax < S64_MAX ? [`smax=${smax}`] : [])];
  const has = known.length === 0 ? 'unknown scalar value' : known.join(' ');
  refuse(`${where} has ${has} should have been in [${min}, ${max}]`);
}

/** The value that the main program returns: r0, or what it throws. */
export function checkReturn(p: Path, regno = 0): void {
  const { type, attach } = p.program;
  // What is thrown is a number all the same.
  if (regno === 0 && returnsNothing(type, attach)) return;
  const reg = p.reg(regno);
  if (reg.type === 'uninit') refuse(`R${regno} !read_ok`);
  if (p.strict && isPointer(reg)) refuse(`R${regno} leaks addr as return value`);
  const range = returnRange(type, attach);
  if (range !== undefined) requireRange(reg, range, 'At program exit', regno, returnsHalf(type, attach));
}
