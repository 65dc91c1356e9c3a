/** A run step by step, for reading: each insn and what it changed. */
import { formatOp } from '../../isa/disassemble.js';
import { REGISTERS } from '../../isa/insn.js';
import type { Step } from '../../report/campaign/run.js';
import { endingOf } from '../../strategies/killed-run.js';
import type { Prepared } from '../../strategies/strategy.js';
import { symbolsOf } from '../../vm/case/case.js';
import type { Code } from '../../vm/state/code.js';
import { describeHold } from '../../vm/state/ledger.js';
import type { MachineState } from '../../vm/state/machine.js';
import { type TracedStep, traceOf, type Words } from '../../vm/trace.js';
import type { VmOptions } from '../../vm/vm.js';

/** Steps that are written down at the most. */
const LONGEST = 10_000;

/**
 * Runs the program and writes every step down, killed before step `kill` if that is given; `by`: the strategy that it is killed by, if not the fast
 * path of `options`.
 */
export function traced(code: Code, options: VmOptions, kill?: number, by?: Prepared): readonly Step[] {
  const ending = by === undefined || kill === undefined ? undefined : endingOf(by, code, options, kill);
  const { steps } = traceOf(code, options, kill, { ending, words: registersInHex, first: LONGEST });
  const symbols = symbolsOf(code.program);
  return steps.map((one) => lineOf(one, formatted(code, one.slot, symbols)));
}

function formatted(code: Code, slot: number, symbols: ReturnType<typeof symbolsOf>): string {
  const op = code.ops[slot];
  return op === undefined ? '(no insn)' : formatOp(op, symbols);
}

function lineOf(one: TracedStep, op: string): Step {
  const { step, slot, changes, held, killed } = one;
  const at = `${killed ? 'x' : ' '}${String(step).padStart(5)} ${String(slot).padStart(4)}: `;
  const inOrder = [...changes].sort(([a], [b]) => numberOf(a) - numberOf(b));
  const registers = Object.fromEntries(inOrder);
  const holds = held === undefined ? {} : { held: held.map(describeHold) };
  if (one.ended) return { step, slot, insn: '(ended here)', registers: {}, killed, text: `${at}ended here` };
  const mark = one.patched === 'unwound' ? ' [to its pad]' : one.patched === 'stubbed' ? ' [stub]' : '';
  const insn = `${op}${mark}`;
  const effects = [
    ...inOrder.map(([name, value]) => (value === null ? `${name} gone` : `${name}=${value}`)),
    ...(holds.held === undefined ? [] : [`held: ${holds.held.join(', ') || 'nothing'}`]),
  ];
  const text = `${at}${insn.padEnd(44)} ${effects.join(' ')}`.trimEnd();
  return { step, slot, insn, registers, ...holds, killed, text };
}

/** `r10` is number 10. */
const numberOf = (register: string): number => Number(register.slice(1));

function registersInHex({ readable, regs }: MachineState): Words {
  const all = Array.from({ length: REGISTERS }, (_, reg) => reg);
  return new Map(
    all.flatMap((reg) =>
      (readable & (1 << reg)) === 0 ? [] : [[`r${reg}`, `0x${regs[reg]!.toString(16)}`] as const],
    ),
  );
}
