/**
 * Small runs of zero bytes, many of them out of one buffer: a buffer of its own costs several times as much to make and to collect. A run is
 * never given back. Its buffer goes when all runs in it have gone.
 */

/** Bytes of a buffer that runs are taken from. */
const SLAB = 1 << 16;
/** Longer runs have a buffer of their own. */
const LONGEST = 2048;
/** Runs begin at multiples of this, so that they can be seen as 64-bit words. */
const ALIGN = 8;

let slab = new ArrayBuffer(SLAB);
let used = 0;

/** The place of a run of so many bytes in `slab`. */
function take(size: number): number {
  if (used + size > SLAB) {
    slab = new ArrayBuffer(SLAB);
    used = 0;
  }
  const at = used;
  used += (size + ALIGN - 1) & -ALIGN;
  return at;
}

/** So many bytes, all zero. */
export function newBytes(size: number): Uint8Array {
  if (size > LONGEST) return new Uint8Array(size);
  const at = take(size);
  return new Uint8Array(slab, at, size);
}

/** The same bytes once more. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length > LONGEST) return bytes.slice();
  const copy = newBytes(bytes.length);
  copy.set(bytes);
  return copy;
}

/** The place of so many 64-bit words, all zero, in a buffer that others use as well. */
export function newWords(count: number): { readonly buffer: ArrayBuffer; readonly at: number } {
  const at = take(8 * count);
  return { buffer: slab, at };
}
