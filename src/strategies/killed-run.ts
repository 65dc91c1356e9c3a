/** One kill of one run under a strategy. */

import { PAUSE, type Pauses, pausesAt } from '../vm/insn/pauses.js';
import type { Code } from '../vm/state/code.js';
import type { Ending } from '../vm/trace.js';
import { DEFAULT_LIMIT, type RunResult, Vm, type VmOptions } from '../vm/vm.js';
import type { EndsTheRun, Prepared } from './strategy.js';

/** The options of runs under a strategy. */
export function optionsUnder(prepared: Prepared, options: VmOptions): VmOptions {
  const { fastPath: _, sampled: __, ...own } = options;
  // The fast tier pauses only before some insns.
  if (prepared.kind === 'ends the run') return { ...own, tier: 'definitional' };
  const { fastPath, sampled } = prepared;
  return { ...own, fastPath, ...(sampled === undefined ? {} : { sampled }) };
}

/** The program killed before step `step`. A run that ends before is not killed: `killedAt` is -1. */
export function killedUnder(prepared: Prepared, code: Code, options: VmOptions, step: number): RunResult {
  const vm = new Vm(code, optionsUnder(prepared, options));
  return vm.advance(step) ? killedHere(vm, prepared) : vm.result();
}

/** The program killed before each of these steps (ascending), as far as its run comes. */
export function killsUnder(
  prepared: Prepared,
  code: Code,
  options: VmOptions,
  steps: Iterable<number>,
): readonly RunResult[] {
  const vm = new Vm(code, optionsUnder(prepared, options));
  const results: RunResult[] = [];
  for (const step of steps) {
    if (!vm.running || (step > vm.machine.steps && !vm.advance(step))) break;
    results.push(killedHere(vm.fork(), prepared));
  }
  return results;
}

function killedHere(vm: Vm, prepared: Prepared): RunResult {
  if (prepared.kind === 'ends the run') return endedFrom(vm, prepared);
  vm.kill();
  return vm.run();
}

/**
 * A run that was just killed goes on as ever to the first place where it can be ended, and ends there; or at its own exit, if that comes first. One
 * that is not ended within its bound breaks `bound`.
 */
function endedFrom(vm: Vm, prepared: EndsTheRun): RunResult {
  const { machine, options } = vm;
  const killedAt = machine.steps;
  const { bound = DEFAULT_LIMIT } = options;
  const ended = advanceToStop(vm, prepared, killedAt + bound);
  const result = ended ? endHere(vm, prepared) : vm.running ? overdue(vm, bound) : vm.result();
  return { ...result, killedAt };
}

/** Whether the run can be ended where it stands. */
export function standsAtStop({ machine }: Vm, prepared: EndsTheRun): boolean {
  const { sites } = prepared;
  const isSite = sites === 'every insn' || pausesAt(machine, machine.pc, sites);
  return isSite && prepared.canStop?.(machine) !== false;
}

/** How a trace ends a run that a strategy kills before step `kill`; undefined for a strategy by which the run goes on to its own exit. */
export function endingOf(
  prepared: Prepared,
  code: Code,
  options: VmOptions,
  kill: number,
): Ending | undefined {
  if (prepared.kind === 'runs out') return undefined;
  return {
    canEnd: (vm) => standsAtStop(vm, prepared),
    end: prepared.stop,
    result: killedUnder(prepared, code, options, kill),
  };
}

/** Goes on until the run can be ended where it stands, which it can at once if it stands there; answers false if it ends itself or comes to `until`. */
export function advanceToStop(vm: Vm, prepared: EndsTheRun, until: number): boolean {
  const { machine, code } = vm;
  const sites = sitesOf(prepared, code);
  while (vm.running) {
    if (standsAtStop(vm, prepared)) return true;
    if (machine.steps >= until) return false;
    vm.advance(until, sites);
  }
  return false;
}

/** Ends the run where it stands, at one of the sites, and answers what came of it. `killedAt` is where it was ended. */
export function endHere(vm: Vm, { stop }: EndsTheRun): RunResult {
  const { machine, options } = vm;
  const at = machine.steps;
  stop(machine);
  const { bound = DEFAULT_LIMIT } = options;
  // An exception callback is the program's own.
  if (vm.running && vm.advance(at + bound)) return { ...overdue(vm, bound), killedAt: at, tookEffect: at };
  return { ...vm.result(), killedAt: at, tookEffect: at };
}

function overdue(vm: Vm, bound: number): RunResult {
  vm.machine.report('bound', `no exit within ${bound} insns of the kill`);
  vm.machine.finish('limit');
  return vm.result();
}

/** The insns before which the run can be ended, as the VM wants them. */
function sitesOf({ sites }: EndsTheRun, { ops }: Code): Pauses {
  return sites === 'every insn' ? new Uint8Array(ops.length).fill(PAUSE.always) : sites;
}
