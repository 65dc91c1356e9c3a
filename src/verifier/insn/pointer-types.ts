/**
 * Linux rewrites a load or store for the type of its pointer. So every path must come to the insn with a pointer for which the same code
 * is right. Follows save_aux_ptr_type and reg_type_mismatch of kernel/bpf/verifier.c.
 */

import { isOfNothing, ownedRef } from '../state/regs.js';
import type { Reg, RegType } from '../state/state.js';
import { refuse } from '../text/refusal.js';

/** PTR_TO_MEM, of whatever origin. */
const MEM_TYPES: ReadonlySet<RegType> = new Set(['mem', 'record']);
/** Loads and stores through these are rewritten. */
const REWRITTEN: ReadonlySet<RegType> = new Set([
  'ctx',
  'sock',
  'sock_common',
  'tcp_sock',
  'xdp_sock',
  'btf',
  'object',
  'arena',
]);

/** Classes of pointer types. `memory` needs no rewriting. `mem` is memory that may also be read as kernel structs are. */
function kindOf(reg: Reg): string {
  if (isOfNothing(reg) || MEM_TYPES.has(reg.type)) return 'mem';
  if (!REWRITTEN.has(reg.type)) return 'memory';
  if (reg.type !== 'btf' && reg.type !== 'object') return reg.type;
  const trust = reg.type === 'btf' && ownedRef(reg) !== 0 ? 'none' : reg.trust;
  return `struct ${reg.type} ${trust} ${reg.nonOwning} ${reg.percpu}`;
}

const needsNothing = (kind: string): boolean => kind === 'mem' || kind === 'memory';
/** Loads through these survive a bad address (BPF_PROBE_MEM). */
const mayBeProbed = (kind: string): boolean => kind === 'mem' || kind.startsWith('struct ');

/** By insn: the class of pointer on the first path, or the class that fits all paths so far. */
export class PointerTypes {
  private readonly seen = new Map<number, string>();

  /** Notes that the insn at `slot` goes through `reg`. `probes`: the insn is a plain load, which Linux can turn into a probing load. */
  check(slot: number, reg: Reg, probes: boolean): void {
    const kind = kindOf(reg);
    const before = this.seen.get(slot);
    if (before === undefined) this.seen.set(slot, kind);
    else if (before !== kind && !(needsNothing(before) && needsNothing(kind))) {
      if (!probes || !mayBeProbed(before) || !mayBeProbed(kind))
        refuse('same insn cannot be used with different pointers');
      if (before !== 'mem') this.seen.set(slot, kind === 'mem' ? 'mem' : 'struct btf none false false');
    }
  }
}
