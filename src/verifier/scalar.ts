/**
 * What is known of a 64-bit scalar: which bits are known (a tnum), and its bounds as signed and unsigned, 64- and 32-bit
 * number. The product of five domains, as in struct bpf_reg_state (include/linux/bpf_verifier.h).
 */

/** Immutable. `value`/`mask` is the tnum: a set mask bit is unknown. 64-bit bounds are bigints (umin, umax unsigned), 32-bit ones numbers. */
export interface Scalar {
  readonly value: bigint;
  readonly mask: bigint;
  readonly smin: bigint;
  readonly smax: bigint;
  readonly umin: bigint;
  readonly umax: bigint;
  readonly s32min: number;
  readonly s32max: number;
  readonly u32min: number;
  readonly u32max: number;
}
