/**
 * Addresses: `region << 32 | offset`, so that pointers are plain 64-bit values that spill, compare and add as in the kernel.
 *
 * Byte 0 of a region lies at offset `BASE`, not 0. So a pointer that is moved to before its region's start, compared there, and moved
 * back keeps its region number. The verifier bounds pointer offsets by 2^29, half of what fits on either side. Region 0 does not exist: a
 * small number is a NULL pointer with an offset.
 */

/** Offset of a region's first byte. */
export const BASE = 0x4000_0000;

/** The address of byte `offset` of a region; unsigned 64-bit. */
export function address(region: number, offset: number): bigint {
  return (BigInt(region) << 32n) + BigInt(BASE + offset);
}

/** The region that an address (unsigned 64-bit) points into, or near. */
export function regionOf(value: bigint): number {
  return Number(value >> 32n);
}

/** The offset of an address from its region's first byte; may be negative or past the end. */
export function offsetOf(value: bigint): number {
  return Number(value & 0xffff_ffffn) - BASE;
}

/** `region 5 + 16`, `NULL`, `0x1234`: an address in a message. */
export function showAddress(value: bigint): string {
  if (value === 0n) return 'NULL';
  const region = regionOf(value);
  const offset = offsetOf(value);
  if (region === 0 || Math.abs(offset) > BASE / 2) return `0x${value.toString(16)}`;
  return `region ${region}${offset < 0 ? ' - ' : ' + '}${Math.abs(offset)}`;
}
