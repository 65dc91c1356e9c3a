/** Limits of 64- and 32-bit integers, and bigints cut to 64 bits. */

/** U64_MAX of include/linux/limits.h, and so on; the limits of 64 bits are bigints, those of 32 bits are numbers. */
export const U64_MAX = 0xffff_ffff_ffff_ffffn;
export const S64_MIN = -0x8000_0000_0000_0000n;
export const S64_MAX = 0x7fff_ffff_ffff_ffffn;
export const U32_MAX = 0xffff_ffff;
export const S32_MIN = -0x8000_0000;
export const S32_MAX = 0x7fff_ffff;

/** The low 64 bits, unsigned: in [0, U64_MAX]. */
export const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
/** The low 64 bits, signed: in [S64_MIN, S64_MAX]. */
export const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);
