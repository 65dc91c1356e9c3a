/**
 * Addresses look like the kernel's, so that pointers are plain 64-bit values that spill, compare and add as there: bit 63 is set, and the
 * low half of a good pointer may be zero.
 *
 * Region n lies around `1 << 63 | n << 33`. The first byte of a region with an odd number has that address; its low half is zero. Of one with an
 * even number it lies `2^30` further on. An address belongs to the region whose middle is within 2^31 of it. So a pointer that is moved before
 * its region's start and back again, or compared while it is there, keeps its region: the verifier bounds pointer offsets by 2^29.
 *
 * Region 0 does not exist. It stands for all that is no address: NULL, NULL with an offset, a number.
 */

/** What an even region's first byte is away from the region's middle. */
const EVEN_START = 0x4000_0000;
/** Bit 63, in the high word. */
const KERNEL = 0x8000_0000;
/** The farthest that the verifier lets a pointer be from its region's start (BPF_MAX_VAR_OFF). */
const FARTHEST = 2 ** 29;

/** The high word of the middle that an address is nearest to, as a signed 32-bit number. */
const nearest = (high: number, low: number): number => (high + (low >>> 31)) | 0;

/** The low half of a region's first byte. */
export const startOf = (region: number): number => ((region & 1) === 0 ? EVEN_START : 0);

/** The region that an address points into, or near, by its halves (32-bit, either sign); 0 for what is no address. */
export function regionAt(high: number, low: number): number {
  // Written out, for each load and store comes here.
  const middle = (high + (low >>> 31)) | 0;
  return middle < 0 && (middle & 1) === 0 ? (middle & 0x7fff_ffff) >>> 1 : 0;
}

/** The offset of an address from its region's first byte, by its halves; may be negative or past the end. */
export function offsetAt(high: number, low: number): number {
  // Bit 1 of the middle is that of odd regions; moved up to bit 30 it makes EVEN_START of the others.
  return (low | 0) - ((~nearest(high, low) & 2) << 29);
}

/** Whether an address, by its halves, is NULL or NULL with an offset within 2^31. */
export const isNearNull = (high: number, low: number): boolean => nearest(high, low) === 0;

/** One value, to be taken apart and put together without big integers in between: runs do little else. */
const whole = new BigUint64Array(1);
const halves = new Int32Array(whole.buffer);

/** The high half of a 64-bit value, signed. */
export function highOf(value: bigint): number {
  whole[0] = value;
  return halves[1]!;
}

/** The low half of a 64-bit value, signed. */
export function lowOf(value: bigint): number {
  whole[0] = value;
  return halves[0]!;
}

/** The value with these halves (32-bit, either sign); unsigned 64-bit. */
export function joined(high: number, low: number): bigint {
  halves[0] = low;
  halves[1] = high;
  return whole[0]!;
}

/** The address of byte `offset` of a region; unsigned 64-bit. */
export function address(region: number, offset: number): bigint {
  const low = startOf(region) + offset;
  halves[0] = low;
  halves[1] = KERNEL + 2 * region + Math.floor(low / 2 ** 32);
  return whole[0]!;
}

/** The region that an address (64-bit) points into, or near; 0 for what is no address. */
export function regionOf(value: bigint): number {
  whole[0] = value;
  return regionAt(halves[1]!, halves[0]!);
}

/** The offset of an address (64-bit) from its region's first byte; may be negative or past the end. */
export function offsetOf(value: bigint): number {
  whole[0] = value;
  return offsetAt(halves[1]!, halves[0]!);
}

/** `region 5 + 16`, `NULL`, `0x1234`: an address in a message. */
export function showAddress(value: bigint): string {
  if (value === 0n) return 'NULL';
  const region = regionOf(value);
  const offset = offsetOf(value);
  if (region === 0 || Math.abs(offset) > FARTHEST) return `0x${value.toString(16)}`;
  return `region ${region}${offset < 0 ? ' - ' : ' + '}${Math.abs(offset)}`;
}
