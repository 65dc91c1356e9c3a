/** What two runs must have in common to count as the same. */
import { STACK_SIZE } from '../../../src/isa/insn.js';
import type { Vm } from '../../../src/vm/vm.js';

/** Everything about a run that can be observed: result, registers, memory, what is held, what was chosen. */
export function fingerprint(vm: Vm): unknown {
  const { machine } = vm;
  const regions = Array.from({ length: machine.memory.count }, (_, number) => {
    const region = machine.memory.get(number);
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
    end: machine.end,
    pc: machine.pc,
    steps: machine.steps,
    killedAt: machine.killedAt,
    regs: [...machine.regs],
    readable: machine.readable,
    frames: machine.frames.map(({ subprog, callsite, savedReadable }) => ({
      subprog,
      callsite,
      savedReadable,
    })),
    holds: machine.ledger.holds,
    violations: machine.violations,
    choices: [...machine.choices.all],
    regions,
  };
}
