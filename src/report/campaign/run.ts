/** What a run in the VM says, in words. */
import { describeHold } from '../../vm/state/ledger.js';
import { type Violation, worstFirst } from '../../vm/state/trap.js';
import type { RunResult } from '../../vm/vm.js';

/** What one killed copy of a run did between the kill and its exit. */
export interface KilledRun {
  /** Steps before the kill. */
  readonly at: number;
  /** Insns from there to the exit. */
  readonly steps: number;
  /** Under a strategy: insns from the kill to where it takes effect; null where the run ended before. */
  readonly toEffect?: number | null;
  /** What broke, the gravest first. */
  readonly checks: readonly Violation[];
}

/** One executed insn: what it was, and what it changed. */
export interface Step {
  readonly step: number;
  readonly slot: number;
  readonly insn: string;
  /** Registers that have another value afterwards, as hex; null for one that can no longer be read. */
  readonly registers: Readonly<Record<string, string | null>>;
  /** What is held afterwards, where that changed. */
  readonly held?: readonly string[];
  /** The insn ran patched. */
  readonly killed: boolean;
  /** All of it in one line. */
  readonly text: string;
}

/** A trace, and before which step its run is killed, if it is. */
export interface ShownTrace {
  readonly steps: readonly { readonly text: string }[];
  readonly killed: number | undefined;
}

/** The trace, where there is one, how the run ended, what it broke, and what its killed copies broke: each fault once, with its steps. */
export function runInWords(
  ordinary: RunResult,
  killed: readonly KilledRun[],
  trace: ShownTrace | undefined,
): string {
  const broken = killed.filter(({ checks }) => checks.length > 0);
  const head =
    trace?.killed === undefined ? [] : [`killed before step ${trace.killed} (x marks what ran after that):`];
  const lines = [
    ...(trace === undefined ? [] : [...head, ...trace.steps.map(({ text }) => text)]),
    `${ordinary.end} after ${ordinary.steps} insns, r0 = ${ordinary.r0}`,
    ...ordinary.held.map((hold) => `held at the end: ${describeHold(hold)}`),
    ...worstFirst(ordinary.violations).map(describeViolation),
    ...faultsInWords(broken),
  ];
  if (killed.length > 0) {
    const longest = killed.reduce((most, { steps }) => Math.max(most, steps), 0);
    lines.push(
      `killed at ${killed.length} points, ${broken.length} broken, at most ${longest} insns to the exit`,
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** One line for each fault, in the order in which kills meet them: `killed at steps 3 to 9, 12: misuse at insn 21: ...`. */
function faultsInWords(broken: readonly KilledRun[]): readonly string[] {
  const steps = new Map<string, number[]>();
  for (const { at, checks } of broken)
    for (const fault of new Set(checks.map(describeViolation)))
      steps.set(fault, [...(steps.get(fault) ?? []), at]);
  return [...steps].map(
    ([fault, at]) => `killed at step${at.length === 1 ? '' : 's'} ${rangesInWords(at)}: ${fault}`,
  );
}

/** `3 to 9, 12`, of ascending numbers. */
export function rangesInWords(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`)).join(', ');
}

function describeViolation({ check, message, slot, after }: Violation): string {
  return `${check} at insn ${slot}: ${message}${after ? ', which follows from what broke before' : ''}`;
}
