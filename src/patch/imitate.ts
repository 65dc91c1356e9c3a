/**
 * Makes the stub that imitates an outcome. A stub writes r0, zeroes output memory and clears dynptr slots. It cannot acquire or give
 * back anything, and it takes no time. Outcomes that do no more than that are imitable (imitableOutcomes in kernel/describe.ts): to the program it looks
 * as if the call had been made and had failed.
 */
import { S64_MIN } from '../isa/integer.js';
import type { Contract, Outcome } from '../kernel/contract.js';
import { firstImitable } from '../kernel/describe.js';
import type { Stub, StubSlot } from './rule.js';

/** Error numbers that a stub returns by preference: out of memory, bad argument, busy, no entry, not supported. */
const ERRNOS: readonly bigint[] = [-12n, -22n, -16n, -2n, -95n];

/** A plain value in this range: a usual error number if one is in it, else 0, else the end that is nearer to 0. */
function plainValue(min: bigint, max: bigint): bigint {
  // A function that may return any number does not return errors; 0 will do.
  const errno = min === S64_MIN ? undefined : ERRNOS.find((value) => value >= min && value <= max);
  if (errno !== undefined) return errno;
  if (min <= 0n && max >= 0n) return 0n;
  return max < 0n ? max : min;
}

/** The stub that leaves what this outcome leaves. The outcome must be one of `imitableOutcomes`. */
export function imitate(outcome: Outcome): Stub {
  const { r0 } = outcome;
  const writes: number[] = [];
  const slots: StubSlot[] = [];
  for (const effect of outcome.effects) {
    if (effect.kind === 'write') writes.push(effect.arg);
    if (effect.kind === 'init_dynptr') slots.push({ arg: effect.arg, as: 'null_dynptr' });
  }
  if (r0.kind === 'void') return { r0: 'void', writes, slots };
  if (r0.kind !== 'scalar') return { r0: 0n, writes, slots };
  // The values that the kernel usually returns are the better imitation, if the verifier allows all of them.
  const [min, max] = outcome.usual ?? [r0.min, r0.max];
  const allowed = min >= r0.min && max <= r0.max;
  return { r0: allowed ? plainValue(min, max) : plainValue(r0.min, r0.max), writes, slots };
}

/** The stub for the first outcome that can be imitated among the enabled ones of a contract (all of them, unless told), if there is one. */
export function firstRefusal(contract: Contract, enabled?: readonly Outcome[]): Stub | undefined {
  const found = firstImitable(
    contract,
    enabled?.map((outcome) => outcome.name),
  );
  return found === undefined ? undefined : imitate(found);
}
