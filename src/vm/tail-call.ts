/** Goes on after a tail call. The run of a program ends at its tail call; a caller that knows the target can run that next. */
import type { Program } from '../object/program.js';
import { prepare } from './state/code.js';
import { MachineState } from './state/machine.js';
import { Vm } from './vm.js';

/**
 * A run of `target` that starts where `vm` ended by a tail call of its main program: with the same context, packet and memory, and a
 * stack that nobody has written to. The target must have no maps, which would have to be those of the caller.
 */
export function afterTailCall(vm: Vm, target: Program): Vm {
  const { machine } = vm;
  if (machine.end !== 'tail_call') throw new RangeError('the run did not end by a tail call');
  if (machine.frames.length !== 1) throw new RangeError('the tail call was made by a subprogram');
  if (target.maps.length > 0) throw new RangeError('the target of the tail call has maps');
  const code = prepare(target);
  const next = new MachineState(code, machine.choices, machine.options);
  next.memory = machine.memory;
  next.maps = machine.maps;
  next.packet = machine.packet;
  next.ctx = machine.ctx;
  next.records = machine.records;
  next.cpu = machine.cpu;
  next.begin();
  return new Vm(code, vm.options, next);
}
