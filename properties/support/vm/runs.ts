/** What two runs must have in common to count as the same. */
import { STACK_SIZE } from '../../../src/isa/insn.js';
import type { Vm } from '../../../src/vm/vm.js';

/** Everything about a run that can be observed: result, registers, memory, what is held, what was chosen. */
export function fingerprint(vm: Vm): unknown {
  const { world } = vm;
  const regions = Array.from({ length: world.memory.count }, (_, number) => {
    const region = world.memory.get(number);
    if (region === undefined) return undefined;
    const { kind, alive, owners, bytes, shadow, objects } = region;
    const stack = bytes.length === STACK_SIZE || bytes.length < 4096;
    return {
      kind,
      alive,
      owners,
      bytes: stack ? Buffer.from(bytes).toString('hex') : Buffer.from(bytes.subarray(0, 512)).toString('hex'),
      shadow: shadow && Buffer.from(shadow).toString('hex'),
      objects: objects && [...objects],
    };
  });
  return {
    end: world.end,
    pc: world.pc,
    steps: world.steps,
    killedAt: world.killedAt,
    regs: [...world.regs],
    readable: world.readable,
    frames: world.frames.map(({ subprog, callsite, savedReadable }) => ({
      subprog,
      callsite,
      savedReadable,
    })),
    holds: world.ledger.holds,
    violations: world.violations,
    choices: [...world.choices.all],
    regions,
  };
}
