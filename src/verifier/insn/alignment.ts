/** Alignment of accesses, and what atomic insns may be used on. Follows check_ptr_alignment and atomic_ptr_type_ok of kernel/bpf/verifier.c. */
import { hasFixedOffset, typeName } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import type { Access } from './access.js';

/** Known and unknown bits, or the number they are, as tnum_strn of kernel/bpf/tnum.c writes them. */
function bitsOf({ value, mask }: Reg['num']): string {
  const hex = `0x${value.toString(16)}`;
  if (mask !== 0n) return `(${hex}; 0x${mask.toString(16)})`;
  return value <= 0xffffn ? String(value) : hex;
}

/** Alignment that an access must have: the stack always, everything for atomics and acquire/release (check_ptr_alignment). */
export function checkAlignment(a: Access, strict: boolean): void {
  const { reg, size } = a;
  if (reg.type !== 'stack' && !strict) return;
  if (size === 1) return;
  const at = reg.off + a.off;
  // Most addresses are at a small offset that is known.
  if (reg.num.mask === 0n && reg.num.value === 0n && (at & (size - 1)) === 0) return;
  const mask = reg.num.mask;
  const low = BigInt(size - 1);
  const value = BigInt.asUintN(64, reg.num.value + BigInt(at));
  if ((value & low) !== 0n || (mask & low) !== 0n) {
    const what =
      reg.type === 'stack'
        ? 'stack '
        : reg.type === 'packet' || reg.type === 'packet_meta'
          ? 'packet '
          : reg.type === 'map_value'
            ? 'value '
            : '';
    refuse(`misaligned ${what}access off ${bitsOf(reg.num)}+${reg.off}+${a.off} size ${size}`);
  }
}

/** Atomic operations are for memory that is not a context, a packet or a kernel object (atomic_ptr_type_ok). */
export function checkAtomicTarget(a: Access, how: 'loads from' | 'stores into'): void {
  const { type } = a.reg;
  if (
    type === 'ctx' ||
    type === 'packet' ||
    type === 'packet_meta' ||
    type === 'flow_keys' ||
    type === 'sock' ||
    type === 'sock_common' ||
    type === 'tcp_sock' ||
    type === 'xdp_sock'
  ) {
    refuse(`BPF_ATOMIC ${how} R${a.regno} ${typeName(a.reg)} is not allowed`);
  }
}

/** What a read-modify-write finds on the stack goes to no register first, so Linux wants to know which slot it is (check_stack_read). */
export function checkAtomicOffset({ reg, off, size }: Access): void {
  if (reg.type !== 'stack' || hasFixedOffset(reg)) return;
  const { value, mask } = reg.num;
  refuse(
    `variable offset stack pointer cannot be passed into helper function; var_off=(0x${value.toString(16)}; 0x${mask.toString(16)}) off=${reg.off + off} size=${size}`,
  );
}
