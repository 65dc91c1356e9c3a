/** Functions that a kernel has or gives to programs only when it is built or locked down in a certain way. */
import { decodeAll } from '../isa/decode.js';
import { contractOf } from '../kernel/catalog.js';
import type { Program } from '../object/program.js';
import type { Refused } from '../verifier/result.js';

/**
 * Whether the refused insn calls a function that the kernel of the built-in tables gives to no type of program, such as bpf_override_return. False where the
 * profile at hand tells of the function.
 */
export function callsWhatNoneHave({ slot, kernel }: Refused, program: Program): boolean {
  const op = slot < 0 ? undefined : decodeAll(program.insns)[slot];
  const called = op === undefined ? undefined : contractOf(program, op);
  return called !== undefined && called.types.length === 0 && !Object.hasOwn(kernel.types, called.name);
}
