/** One call being checked: the function, its arguments' registers, and what the checks found out about them. */
import type { Contract } from '../../kernel/contract.js';
import type { MapDef } from '../../object/program.js';
import type { Path } from '../state/path.js';
import type { DynptrSlot, Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';

/** One call on one path, from its checks to its effects. */
export interface CallSite {
  readonly contract: Contract;
  /** Slot of the call insn. */
  readonly at: number;
  /** Argument registers as they were when the call was made, r1 first. */
  readonly regs: readonly Reg[];
  /**
   * The dynptrs that arguments point to, by index of the argument. A later argument may take stack slots for a new object, so this is how
   * they were before.
   */
  readonly dynptrs?: Map<number, DynptrSlot>;
}

/** The map named by the function's map argument (or whose value is passed), for messages and element sizes. */
export function mapOf(p: Path, site: CallSite): MapDef {
  const index = site.contract.args.findIndex((a) => a.kind === 'map');
  const reg = site.regs[index];
  const map = reg === undefined ? undefined : p.program.maps[reg.map];
  if (map === undefined) refuse(`${site.contract.name} is given no map`);
  return map;
}

/** `bpf_sk_release#86` for a helper, the bare name for a kfunc: as the kernel's messages have it. */
export const functionName = (c: Contract): string => (c.kind === 'helper' ? `${c.name}#${c.id}` : c.name);

/** Whether the kfunc's declaration asks for trusted pointers (is_kfunc_trusted_args) or RCU pointers. Then every kernel does. */
export function trustsArguments({ flags }: Contract): boolean {
  return TRUSTING.some((flag) => flags.includes(flag));
}

const TRUSTING: readonly string[] = ['KF_TRUSTED_ARGS', 'KF_RCU', 'KF_RELEASE'];
