/**
 * So that Linux's log tells the state before each insn, a way of its own is put before it, on which the state is printed. The changed program is the same: insn by
 * insn it does what the original does, besides two insns before each that change nothing. And one insn before each of the original is come to by a
 * branch alone, and leads nowhere else than to that insn.
 */
import { expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { printEveryState } from '../../../src/campaign/agreement/facts/print-every-state.js';
import { decodeAll } from '../../../src/isa/decode.js';
import { type Op, slots } from '../../../src/isa/insn.js';
import { jumpTarget } from '../../../src/isa/target.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { Vm } from '../../../src/vm/vm.js';

const PROGRAMS = Array.from({ length: 40 }, (_, index) => sample(17, index, { maxInsns: 80 }).program);

/** An operation without where it leads. */
const bare = (op: Op): unknown => ({
  ...op,
  ...('off' in op && jumpTarget(op, 0) !== undefined ? { off: 0, long: false } : {}),
  ...((op.kind === 'call' && op.target === 'subprog') || (op.kind === 'ld_imm64' && op.as === 'func')
    ? { imm: 0 }
    : {}),
});

it('each insn has one way before it on which its state is printed', () => {
  for (const original of PROGRAMS) {
    const { program, printedAt } = printEveryState(original);
    const [before, after] = [decodeAll(original.insns), decodeAll(program.insns)];
    expect([...printedAt.values()]).toEqual(before.flatMap((op, slot) => (op === undefined ? [] : [slot])));
    for (const [printed, slot] of printedAt) {
      expect(after[printed]).toEqual({ kind: 'ja', off: 0, long: false });
      expect(bare(after[printed + 1]!)).toEqual(bare(before[slot]!));
      const from = after.flatMap((op, at) => {
        if (op === undefined) return [];
        const falls = op.kind !== 'ja' && op.kind !== 'exit' && at + slots(op) === printed;
        return falls || jumpTarget(op, at) === printed ? [at] : [];
      });
      expect(from).toHaveLength(1);
      expect(after[from[0]!]).toMatchObject({ kind: 'jmp', op: 'eq', dst: 10 });
    }
  }
});

it('it does what the original does', () => {
  for (const [index, original] of PROGRAMS.entries()) {
    const chooser = seededChooser(index);
    const { program, printedAt } = printEveryState(original);
    const [one, other] = [new Vm(original, { chooser }), new Vm(program, { chooser })];
    for (let steps = 0; one.running && steps < 300; steps++) {
      other.advance(other.machine.steps + 2);
      expect(printedAt.get(other.machine.pc - 1)).toBe(one.machine.pc);
      one.step();
      other.step();
    }
    expect(other.running).toBe(one.running);
    if (!one.running) expect(other.result().r0).toBe(one.result().r0);
  }
});
