/** Alignment of accesses, and what atomic insns may be used on. Follows check_ptr_alignment and atomic_ptr_type_ok of kernel/bpf/verifier.c. */
import { hasFixedOffset, typeName } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import type { Access } from './access.js';

/** Writes a tnum as tnum_strn of kernel/bpf/tnum.c does: known and unknown bits, or the number if all are known. */
function bitsOf({ value, mask }: Reg['num']): string {
  const hex = `0x${value.toString(16)}`;
  if (mask !== 0n) return `(${hex}; 0x${mask.toString(16)})`;
  return value <= 0xffffn ? String(value) : hex;
}

/** Refuses a misaligned access. Stack accesses must be aligned, and so must all atomic ones (check_ptr_alignment). */
export function checkAlignment(a: Access, strict: boolean): void {
  const { reg, size } = a;
  if (reg.type === 'arena' || (reg.type !== 'stack' && !strict)) return;
  if (size === 1) return;
  const at = reg.off + a.off;
  // The frequent case: a small known offset.
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

/** Refuses atomic operations on contexts, packets and kernel objects (atomic_ptr_type_ok). */
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

/** A read-modify-write on the stack reads into no register, so Linux wants a fixed offset there (check_stack_read). */
export function checkAtomicOffset({ reg, off, size }: Access): void {
  if (reg.type !== 'stack' || hasFixedOffset(reg)) return;
  const { value, mask } = reg.num;
  refuse(
    `variable offset stack pointer cannot be passed into helper function; var_off=(0x${value.toString(16)}; 0x${mask.toString(16)}) off=${reg.off + off} size=${size}`,
  );
}
