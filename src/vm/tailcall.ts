/** What a taken tail call leads to. A run ends there, because the next program is another one; whoever knows it may go on with it. */
import type { Program } from '../object/program.js';
import { prepare } from './code.js';
import { Vm } from './vm.js';
import { World } from './world.js';

/**
 * A run of `target` that starts where `vm` ended by a tail call of its main program: with the same context, packet and memory, and a
 * stack that nobody has written to. The target must have no maps, which would have to be those of the caller.
 */
export function afterTailCall(vm: Vm, target: Program): Vm {
  const { world } = vm;
  if (world.end !== 'tail_call') throw new RangeError('the run did not end by a tail call');
  if (world.frames.length !== 1) throw new RangeError('the tail call was made by a subprogram');
  if (target.maps.length > 0) throw new RangeError('the target of the tail call has maps');
  const code = prepare(target);
  const next = new World(code, world.choices, world.options);
  next.memory = world.memory;
  next.maps = world.maps;
  next.packet = world.packet;
  next.ctx = world.ctx;
  next.records = world.records;
  next.cpu = world.cpu;
  next.begin();
  return new Vm(code, vm.options, next);
}
