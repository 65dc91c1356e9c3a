/** What a program sees when it reads a kernel object: zero bytes, or those that the environment has recorded for the call that found it. */
import type { Call } from './call.js';

/** Bytes of an object whose struct has no table: more than any offset that the verifier allows a program to read. */
const LARGE = 1 << 16;
const ZERO = new Uint8Array(LARGE);

/** The contents of a kernel object that this call has found; read-only, and shared where they are all zero. Without a call: one that nothing is recorded of. */
export function kernelBytes(call?: Call): Uint8Array {
  const given = call?.someBytes();
  if (given === undefined) return ZERO;
  const bytes = new Uint8Array(LARGE);
  bytes.set(given.subarray(0, LARGE));
  return bytes;
}
