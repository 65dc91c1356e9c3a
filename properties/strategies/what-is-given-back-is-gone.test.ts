/**
 * A strategy that gives something back for a run does that and nothing else. At every insn of small programs, for each thing that is held there: it is held no
 * more, and everything else is. The object of a reference is gone if nobody else owns it, so are the record of a dynptr and the element of an iterator.
 * All other memory is there as before.
 */
import { expect, it } from 'vitest';
import { release } from '../../src/strategies/release.js';
import { defaultChooser, seededChooser } from '../../src/vm/state/chooser.js';
import { type Hold, isInSlot, isReference } from '../../src/vm/state/ledger.js';
import type { MachineState } from '../../src/vm/state/machine.js';
import { Vm } from '../../src/vm/vm.js';
import { SAMPLES } from '../support/vm/sample-cases.js';
import { STATE_CASES } from '../support/vm/state-cases.js';

const alive = ({ memory }: MachineState): readonly number[] =>
  Array.from({ length: memory.count }, (_, number) => number).filter(
    (number) => memory.get(number) !== undefined && memory.isAlive(number),
  );

/** The region that goes with a hold: the object itself, or what the slot that holds it leads to. */
function goesWith({ memory }: MachineState, hold: Hold): number {
  if (isReference(hold)) return hold.region;
  for (let number = 1; number < memory.count; number++)
    for (const object of memory.get(number)?.objects?.values() ?? [])
      if (object.kind !== 'irq' && object.hold === hold.id)
        return object.kind === 'iter' ? object.element : object.region;
  return 0;
}

/** Whether a region lives as long as another: it is that one, or a view of it. */
function isPartOf({ memory }: MachineState, number: number, whole: number): boolean {
  for (let at = number; at !== 0; at = memory.get(at)?.parent ?? 0) if (at === whole) return true;
  return false;
}

it('what is given back is gone, and nothing else', () => {
  const kinds = new Map<string, number>();
  const died = new Set<string>();
  for (const program of [...STATE_CASES.values(), ...[...SAMPLES.values()].map((one) => one.program)])
    for (const chooser of [defaultChooser, seededChooser(3)]) {
      const vm = new Vm(program, { chooser });
      for (; vm.running && vm.machine.steps < 300; vm.step()) {
        for (const hold of vm.machine.ledger.holds) {
          const { machine } = vm.fork();
          const before = alive(machine);
          const whole = goesWith(machine, hold);
          const region = whole === 0 ? undefined : machine.memory.get(whole);
          // Readers may still see a local object while a section or a lock lasts.
          const seen =
            region?.kind === 'object' &&
            machine.ledger.holds.some((one) => one.kind === 'rcu' || one.kind === 'spin_lock');
          const goes = region !== undefined && !seen && (region.owners === 1 || hold.kind === 'iterator');
          const held = machine.ledger.holds.filter((one) => one !== hold);
          release(machine, hold);
          expect(machine.ledger.holds).toEqual(held);
          const left = before.filter((number) => !goes || !isPartOf(machine, number, whole));
          expect([hold.kind, alive(machine)]).toEqual([hold.kind, left]);
          kinds.set(hold.kind, (kinds.get(hold.kind) ?? 0) + 1);
          if (goes && (isReference(hold) || isInSlot(hold))) died.add(hold.kind);
        }
      }
    }
  for (const kind of ['spin_lock', 'res_spin_lock', 'rcu', 'preempt', 'irq'])
    expect(kinds.has(kind)).toBe(true);
  for (const kind of ['socket', 'ringbuf_record', 'object', 'dynptr', 'iterator'])
    expect([...died]).toContain(kind);
});
