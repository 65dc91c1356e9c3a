/** A run step by step, for reading: each insn and what it changed. */
import { formatOp } from '../isa/disassemble.js';
import { REGISTERS } from '../isa/insn.js';
import type { Step } from '../report/run.js';
import { symbolsOf } from '../vm/case.js';
import type { Code } from '../vm/code.js';
import { describeHold } from '../vm/ledger.js';
import { Vm, type VmOptions } from '../vm/vm.js';

/** Steps that are written down at the most. */
const LONGEST = 10_000;

/** Runs the program and writes every step down, killed before step `kill` if that is given. */
export function traced(code: Code, options: VmOptions, kill?: number): readonly Step[] {
  const vm = new Vm(code, options);
  const { machine } = vm;
  const symbols = symbolsOf(code.program);
  const steps: Step[] = [];
  while (vm.running && steps.length < LONGEST) {
    if (machine.steps === kill && !machine.killed) vm.kill();
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

function registers({ machine }: Vm): readonly (string | undefined)[] {
  return Array.from({ length: REGISTERS }, (_, reg) =>
    (machine.readable & (1 << reg)) === 0 ? undefined : `0x${machine.regs[reg]!.toString(16)}`,
  );
}
