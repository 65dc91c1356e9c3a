/** What a run can do wrong: the named checks, and how a broken one stops the insn that broke it. */

/** The checks of a terminated run, in the order in which they are reported. */
export const CHECKS = [
  'leak',
  'misuse',
  'fault',
  'acquire',
  'disclosure',
  'return',
  'bound',
  'invariant',
] as const;
/** A named check that a run may break: `leak` is one, `fault` another. */
export type Check = (typeof CHECKS)[number];

/**
 * The checks, the gravest first: what stays held, what corrupts the kernel, what faults, what leaves the program's own maps in disorder, and last what
 * only takes longer than it must.
 */
const BY_GRAVITY: readonly Check[] = [
  'leak',
  'misuse',
  'fault',
  'disclosure',
  'return',
  'invariant',
  'acquire',
  'bound',
];

/** How grave a broken check is: 0 is the gravest. */
export const gravity = (check: Check): number => BY_GRAVITY.indexOf(check);

/** A check that broke: which, where, and what happened there. */
export interface Violation {
  readonly check: Check;
  readonly message: string;
  /** Slot of the insn at which it shows; for a leak the slot of the exit. */
  readonly slot: number;
  /** Insns executed before that insn. */
  readonly step: number;
  /** The helper or kfunc concerned: the one that is called, or for a leak the one that acquired. */
  readonly function?: string;
  /** It follows from a check that broke before, at which the run could have been stopped: the run went on, as it does in Linux. */
  readonly after?: true;
}

/** What broke, the gravest first; of equally grave checks in the order in which they broke. */
export const worstFirst = <V extends Violation>(violations: readonly V[]): readonly V[] =>
  [...violations].sort((a, b) => gravity(a.check) - gravity(b.check));

/** Lines that `brokenLines` answers at the most, besides the one that says how many are left out. */
const MOST_LINES = 8;

/**
 * All that broke in one run, a line each, for the head of a case: the gravest check first, and of one check `own` first, which is what the case is
 * written for. Equal lines stand once.
 */
export function brokenLines(all: readonly Violation[], own: Violation): readonly string[] {
  const inWords = ({ check, message }: Violation): string => `${check}: ${message}`;
  const lines = [...new Set(worstFirst([own, ...all]).map(inWords))];
  if (lines.length <= MOST_LINES) return lines;
  const told = lines.filter((line, i) => i < MOST_LINES || line === inWords(own));
  return [...told, `and ${lines.length - told.length} more`];
}

/**
 * Thrown inside one insn when it breaks a check; the VM turns it into a Violation with slot and step. The run ends there, unless it was killed
 * and Linux would go on as well, see `MachineState.goOnBehind`. Not an Error, because stack traces are slow and wrong rule sets throw many.
 */
export class Trap {
  constructor(
    readonly check: Check,
    readonly message: string,
    readonly function_?: string,
  ) {}
}

/** Shorthands, to be thrown. */
export const fault = (message: string): Trap => new Trap('fault', message);
/** A resource was given back wrongly or used after it was given back: `misuse` is the check that breaks. */
export const misuse = (message: string): Trap => new Trap('misuse', message);
