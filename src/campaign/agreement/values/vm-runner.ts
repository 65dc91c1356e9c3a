import type { Program } from '../../../object/program.js';
import { possibleCpus } from '../../../oracle/maps.js';
import { address } from '../../../vm/state/address.js';
import { defaultChooser } from '../../../vm/state/chooser.js';
import type { Code } from '../../../vm/state/code.js';
import { prepare } from '../../../vm/state/code.js';
import { type Environment, toHex } from '../../../vm/state/environment.js';
import { isPerCpu } from '../../../vm/state/maps.js';
import { afterTailCall } from '../../../vm/tail-call.js';
import { Vm } from '../../../vm/vm.js';
import type { Inputs } from './inputs.js';
import { contextParts, type KernelRun, withoutSpecialFields } from './kernel-runner.js';
import { CPU_AT, LOG, LOG_HEADER, type Recording } from './log.js';
import { Divergence, LogReplay } from './log-replay.js';
import type { Observation } from './observation.js';
import { jumpTargets } from './probes.js';
import { hasPacket, isCompared, seenPart } from './test-run-types.js';

/** What came of the same run in the VM. */
export type VmAnswer =
  | { readonly kind: 'run'; readonly observed: Observation }
  /** VM and kernel part ways, and how. */
  | { readonly kind: 'differs'; readonly what: string }
  /** The run did something for which the VM has no values, so it is not compared. */
  | { readonly kind: 'left out'; readonly why: string };

const MOST_STEPS = 500_000;
/** Runs the recording program on `inputs`, with the outside world of the kernel's log. */
export function runInVm(recorded: Recording, inputs: Inputs, start: Uint8Array, kernel: KernelRun): VmAnswer {
  const { program, log } = recorded;
  const replay = new LogReplay(recorded, kernel.observed.log, inputs);
  try {
    const vm = new Vm(codeOf(program), {
      env: environmentOf(program, log, inputs, start, kernel, replay),
      chooser: defaultChooser,
      maxSteps: MOST_STEPS,
    });
    replay.machine = vm.machine;
    stepThrough(vm, replay);
    const { end, violations } = vm.run();
    if (violations.length > 0)
      return { kind: 'differs', what: `the VM finds fault: ${violations[0]!.message}` };
    if (end === 'limit') return { kind: 'left out', why: 'a long run' };
    if (end === 'tail_call' && vm.machine.frames.length > 1)
      return { kind: 'left out', why: 'a tail call of a subprogram, whose caller goes on behind it' };
    const last = end === 'tail_call' ? runTailCall(vm, replay, inputs) : vm;
    return { kind: 'run', observed: observationOf(last, vm, program, log, inputs) };
  } catch (error) {
    if (!(error instanceof Divergence)) throw error;
    return error.kind === 'differs'
      ? { kind: 'differs', what: error.message }
      : { kind: 'left out', why: error.message };
  }
}

const codeOf = (program: Program): Code => prepare(program);

/** Runs insn by insn where the VM must be told more than a choice can say. */
function stepThrough(vm: Vm, replay: LogReplay): void {
  const { slotsToStopAt } = replay;
  if (slotsToStopAt.size === 0) return;
  const { machine } = vm;
  while (vm.running && machine.steps < MOST_STEPS) {
    if (!slotsToStopAt.has(machine.pc)) {
      vm.step();
      continue;
    }
    replay.placeLoadedBytes(machine);
    const after = replay.outputBuffers(machine);
    vm.step();
    if (vm.running) after?.();
  }
}

function runTailCall(vm: Vm, replay: LogReplay, inputs: Inputs): Vm {
  const [map, at] = replay.tailCallTaken!;
  const next = afterTailCall(vm, jumpTargets(vm.code.program.type)[inputs.jumps[map]![at]!]!);
  next.run();
  return next;
}

function environmentOf(
  program: Program,
  log: number,
  inputs: Inputs,
  start: Uint8Array,
  kernel: KernelRun,
  choices: ReadonlyMap<string, string>,
): Environment {
  const maps = new Map<string, ReadonlyMap<string, string>>();
  program.maps.forEach((map, index) => {
    const entries =
      index === log
        ? [[toHex(new Uint8Array(4)), toHex(start.subarray(0, LOG_HEADER))] as const]
        : (inputs.maps[index] ?? []).map(({ key, value }) => [toHex(key), toHex(value)] as const);
    if (entries.length > 0) maps.set(map.name, new Map(entries));
  });
  return {
    choices,
    maps,
    packet: seenPart(program.type, inputs.packet),
    ctx: kernel.ctx,
    cpu: { current: cpuOf(kernel.observed.log), count: possibleCpus() },
  };
}

const cpuOf = (log: Uint8Array): number =>
  Number(new DataView(log.buffer, log.byteOffset).getBigUint64(CPU_AT, true));

/** `vm` is the run that reached the end. `first` is the run before any tail call. */
function observationOf(vm: Vm, first: Vm, program: Program, log: number, inputs: Inputs): Observation {
  const { machine } = vm;
  const { packet, memory } = machine;
  const { maps } = first.machine;
  const contents = program.maps.map((map, index) => {
    const found = new Map<string, string>();
    if (index === log || !isCompared(map)) return found;
    const keys = maps.snapshot(index);
    for (let i = 0; i < keys.count; i++) {
      const key = keys.at(i);
      for (let cpu = 0; cpu < (isPerCpu(map) ? machine.cpu.count : 1); cpu++) {
        const other = isPerCpu(map) && cpu !== machine.cpu.current;
        const region = other ? maps.lookupOn(memory, index, key, cpu) : maps.present(memory, index, key);
        const name = isPerCpu(map) ? `${toHex(key)}@${cpu}` : toHex(key);
        found.set(name, toHex(withoutSpecialFields(map, memory.get(region)!.bytes)));
      }
    }
    return found;
  });
  return {
    r0: Number((machine.readable & 1) === 0 ? 0n : machine.regs[0]! & 0xffff_ffffn),
    packet: !hasPacket(program.type)
      ? new Uint8Array(0)
      : memory.get(packet.region)!.bytes.slice(packet.meta, packet.end),
    ctx: contextParts(program.type, memory.get(machine.ctx)!.bytes, inputs.ctx),
    maps: contents,
    records: program.maps.map((map, index) =>
      map.type === 'ringbuf'
        ? machine.records.flatMap((one) => (one.map === index && one.sent ? [toHex(one.sent)] : []))
        : [],
    ),
    log: machine.bytesAt(address(maps.present(memory, log, new Uint8Array(4)), 0), LOG.valueSize).slice(),
  };
}
