/** A run step by step, for reading: each insn and what it changed. */
import { formatOp } from '../isa/disassemble.js';
import { REGISTERS } from '../isa/insn.js';
import type { Step } from '../report/run.js';
import { standsAtStop } from '../strategies/killed-run.js';
import type { Prepared } from '../strategies/strategy.js';
import { symbolsOf } from '../vm/case.js';
import type { Code } from '../vm/code.js';
import { describeHold } from '../vm/ledger.js';
import { Vm, type VmOptions } from '../vm/vm.js';

/** Steps that are written down at the most. */
const LONGEST = 10_000;

/**
 * Runs the program and writes every step down, killed before step `kill` if that is given; `by`: the strategy that it is killed by, if not the fast
 * path of `options`.
 */
export function traced(code: Code, options: VmOptions, kill?: number, by?: Prepared): readonly Step[] {
  const vm = new Vm(code, options);
  const { machine } = vm;
  const symbols = symbolsOf(code.program);
  const steps: Step[] = [];
  let ended = false;
  while (vm.running && steps.length < LONGEST) {
    if (by?.kind === 'ends the run') {
      if (!ended && kill !== undefined && machine.steps >= kill && standsAtStop(vm, by)) {
        steps.push(endOf(vm));
        ended = true;
        by.stop(machine);
        continue;
      }
    } else if (machine.steps === kill && !machine.killed) vm.kill();
    const [step, slot, killed] = [machine.steps, machine.pc, machine.killed];
    const before = registers(vm);
    const heldBefore = machine.ledger.holds;
    vm.step();
    const after = registers(vm);
    const changed = Object.fromEntries(
      Array.from({ length: REGISTERS }, (_, reg) => reg)
        .filter((reg) => before[reg] !== after[reg])
        .map((reg) => [`r${reg}`, after[reg] ?? null]),
    );
    const op = code.ops[slot];
    const insn = op === undefined ? '(no insn)' : formatOp(op, symbols);
    const held = machine.ledger.holds === heldBefore ? {} : { held: machine.ledger.holds.map(describeHold) };
    const pad = op?.kind === 'call' && op.target !== 'subprog' && machine.unwound;
    const stub = pad
      ? ' [to its pad]'
      : killed && options.fastPath?.stubs.has(slot) === true
        ? ' [stub]'
        : '';
    const effects = [
      ...Object.entries(changed).map(([name, value]) =>
        value === null ? `${name} gone` : `${name}=${value}`,
      ),
      ...(held.held === undefined ? [] : [`held: ${held.held.join(', ') || 'nothing'}`]),
    ].join(' ');
    const mark = killed ? 'x' : ' ';
    const text =
      `${mark}${String(step).padStart(5)} ${String(slot).padStart(4)}: ${`${insn}${stub}`.padEnd(44)} ${effects}`.trimEnd();
    steps.push({ step, slot, insn: `${insn}${stub}`, registers: changed, ...held, killed, text });
  }
  return steps;
}

/** The line at which a strategy ends the run, before the insn that it stands at. */
function endOf({ machine }: Vm): Step {
  const { steps: step, pc: slot } = machine;
  const text = `x${String(step).padStart(5)} ${String(slot).padStart(4)}: ended here`;
  return { step, slot, insn: '(ended here)', registers: {}, killed: true, text };
}

function registers({ machine }: Vm): readonly (string | undefined)[] {
  return Array.from({ length: REGISTERS }, (_, reg) =>
    (machine.readable & (1 << reg)) === 0 ? undefined : `0x${machine.regs[reg]!.toString(16)}`,
  );
}
