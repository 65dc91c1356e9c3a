/** What a run in the VM says, in words. */
import { describeHold } from '../vm/ledger.js';
import { type Violation, worstFirst } from '../vm/trap.js';
import type { RunResult } from '../vm/vm.js';

/** What one killed copy of a run did between the kill and its exit. */
export interface KilledRun {
  /** Steps before the kill. */
  readonly at: number;
  /** Insns from there to the exit. */
  readonly steps: number;
  /** What broke, the gravest first. */
  readonly checks: readonly Violation[];
}

/** The trace, where there is one, how the run ended, what it broke, and what its killed copies broke. */
export function runInWords(
  ordinary: RunResult,
  killed: readonly KilledRun[],
  trace: readonly { readonly text: string }[] | undefined,
): string {
  const broken = killed.filter(({ checks }) => checks.length > 0);
  const lines = [
    ...(trace ?? []).map(({ text }) => text),
    `${ordinary.end} after ${ordinary.steps} insns, r0 = ${ordinary.r0}`,
    ...ordinary.held.map((hold) => `held at the end: ${describeHold(hold)}`),
    ...worstFirst(ordinary.violations).map(describeViolation),
    ...broken.flatMap(({ at, checks }) =>
      checks.map((one) => `killed at step ${at}: ${describeViolation(one)}`),
    ),
  ];
  if (killed.length > 0) {
    const longest = killed.reduce((most, { steps }) => Math.max(most, steps), 0);
    lines.push(
      `killed at ${killed.length} points, ${broken.length} broken, at most ${longest} insns to the exit`,
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

function describeViolation({ check, message, slot, after }: Violation): string {
  return `${check} at insn ${slot}: ${message}${after ? ', which follows from what broke before' : ''}`;
}
