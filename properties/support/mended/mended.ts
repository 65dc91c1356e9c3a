/**
 * Mistakes that verifiers made and that were mended in Linux in 2026, kind by kind: programs that a verifier with the mistake accepts though
 * they can fault, and near neighbours of them that are good.
 */
import type { Program } from '../../../src/object/program.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { lookupOrOut } from '../texts.js';

export interface Mended {
  /** The kind of mistake, and how this program shows it. */
  readonly name: string;
  readonly program: Program;
}

export interface Kind {
  /** Why the bad ones are refused. */
  readonly message: RegExp;
  /** None may be accepted, whatever Linux does. */
  readonly bad: readonly Mended[];
  /** Linux accepts these, and so do we. */
  readonly good: readonly Mended[];
}

/** A program from its text. */
export const written = (name: string, text: string): Mended => ({ name, program: parseCase(text).program });

/** r7 is the value of the only entry of array map `m`, 64 bytes; without one the program goes to `out`. */
export const VALUE = `
${lookupOrOut()}
    r7 = r0`;

/** Where programs end. */
export const OUT = `
out:
    r0 = 0
    exit`;

/** Insns enough for a state to be kept after them. */
export const STATE_KEPT = Array.from({ length: 8 }, () => '\n    r0 = 0\n    call bpf_get_prandom_u32').join(
  '',
);

/** Register `to` is `near` on one path and `far` on another, which is walked later. */
export const nearOrFar = (to: string, near: number, far: number): string => `
    call bpf_get_prandom_u32
    ${to} = ${far}
    if r0 == 1 goto chosen
    ${to} = ${near}
chosen:`;

/** A program of this type with array map `m` of one 64-byte value. */
export const withMap = (type: string, body: string): string =>
  `.type ${type}\n.map m array key=4 value=64 entries=1\nmain:${body}\n`;
