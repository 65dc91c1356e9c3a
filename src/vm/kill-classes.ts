/**
 * Kills a run before every one of its insns, and lets one killed copy run out for many of them. A kill before an insn that does the same
 * killed or not leaves the same run as a kill behind it. So termination points fall into classes, and the copy that is killed at the last
 * point of a class shows what comes of all of them. docs/kill-classes.md proves it and says which insns differ.
 */
import type { Contract } from '../kernel/contract.js';
import { imitableOutcomes } from '../kernel/describe.js';
import { takesSomething } from './call/invoke.js';
import { PAUSE, type Pauses, pausesAt } from './insn/pauses.js';
import type { Code } from './state/code.js';
import type { MachineState } from './state/machine.js';
import { DEFAULT_LIMIT, type RunResult, type Vm, type VmOptions } from './vm.js';

/** Which steps of a run it is killed before: each of the first `dense`, and from there every `stride`-th. All of them unless told. */
export class KillPoints {
  constructor(
    private readonly dense: number = Number.POSITIVE_INFINITY,
    private readonly stride: number = 1,
  ) {}

  /** The first point at `step` or later. */
  from(step: number): number {
    if (step <= this.dense) return step;
    return this.dense + Math.ceil((step - this.dense) / this.stride) * this.stride;
  }

  /** How many points there are from one step to another, both included. */
  count(first: number, last: number): number {
    let count = 0;
    if (first < this.dense) count += Math.max(0, Math.min(last, this.dense - 1) - first + 1);
    if (last < this.dense) return count;
    return count + this.sparse(last) - this.sparse(Math.max(first, this.dense) - 1);
  }

  /** Points behind `dense` up to this step; -1 before it. */
  private sparse(step: number): number {
    return Math.floor((step - this.dense) / this.stride);
  }
}

/** Points of one class, with what comes of a kill at any of them. */
export interface KilledAlike {
  /** The first of the points, and a step that none of them is behind: steps executed before the kill. */
  readonly first: number;
  readonly last: number;
  /** The killed run; `steps` count from the start of the run, `killedAt` is of one of the points. */
  readonly result: RunResult;
}

/** Where to kill, and who is told of the points. */
export interface KillPlan {
  readonly points: KillPoints;
  /** No point is at this step or later. */
  readonly end: number;
  /**
   * Told of all points in order, several at a time: the machine stands before the last insn of a stretch with so many points. All but the
   * last insn of a stretch leave alone what is held, and none of them calls a kernel function. `here`: the last insn is a point.
   */
  readonly watch?: ((machine: MachineState, points: number, here: boolean) => void) | undefined;
}

/** By contract: whether a call that no stub replaces does something else after the kill, in runs that must be prompt or need not. */
const differing = [new WeakMap<Contract, boolean>(), new WeakMap<Contract, boolean>()] as const;

function differsKilled(contract: Contract, prompt: boolean): boolean {
  const known = differing[prompt ? 1 : 0];
  let answer = known.get(contract);
  if (answer === undefined) {
    const { args, outcomes } = contract;
    answer =
      // The frame of a callback that is called before the kill is the last of its helper; one that is called after it is not.
      args.some((arg) => arg.kind === 'callback' && arg.callback.async !== true) ||
      outcomes.some((one) => one.effects.some((effect) => effect.kind === 'tail_call')) ||
      // What could have been refused is only looked for after the kill.
      (imitableOutcomes(contract).length > 0 &&
        outcomes.some((one) => takesSomething(one) || (prompt && one.blocks === true)));
    known.set(contract, answer);
  }
  return answer;
}

/** The insns that may do something else if the kill comes before them than if it comes behind them. */
export function whereKillsDiffer({ contracts, ops }: Code, { fastPath, prompt, sampled }: VmOptions): Pauses {
  const pauses = new Uint8Array(ops.length);
  for (let slot = 0; slot < ops.length; slot++) {
    const kind = ops[slot]?.kind;
    // A packet load that fails leaves the frame as `exit` does.
    if (kind === 'exit' || kind === 'ld_packet') pauses[slot] = PAUSE.inCallback;
    if (sampled?.mayGoto !== undefined && kind === 'may_goto') pauses[slot] = PAUSE.always;
    // A frame that is opened before the kill counts as open at it; one that is opened after it does not.
    if (sampled?.mayGoto === 'open' && kind === 'call') pauses[slot] = PAUSE.always;
    const contract = contracts[slot];
    if (contract === undefined) continue;
    const patched = fastPath?.stubs.has(slot) === true || fastPath?.unwinds?.calls.has(slot) === true;
    if (patched || differsKilled(contract, prompt === true)) pauses[slot] = PAUSE.always;
  }
  return pauses;
}

/** The same insns and all other calls of kernel functions. */
function andCalls(pauses: Pauses, { contracts }: Code): Pauses {
  return pauses.map((when, slot) => (contracts[slot] === undefined ? when : PAUSE.always));
}

/**
 * Takes a run to its end, or to `plan.end` at the latest, and tells of each class what comes of a kill at its points. The order is that of
 * the points. A class has fewer steps than a killed run may take.
 */
export function killInClasses(vm: Vm, plan: KillPlan, tell: (killed: KilledAlike) => void): void {
  const { machine, options, code } = vm;
  const { points, end, watch } = plan;
  const { bound = DEFAULT_LIMIT } = options;
  const differ = whereKillsDiffer(code, options);
  const pauses = watch === undefined ? differ : andCalls(differ, code);
  while (vm.running && machine.steps < end) {
    const first = machine.steps;
    const until = Math.min(first + bound, end);
    let told = first;
    const stretch = (): void => {
      const last = lastPoint(vm, end);
      const count = points.count(told, last);
      if (count > 0) watch?.(machine, count, points.from(last) === last);
      told = last + 1;
    };
    while (vm.running && machine.steps < until && !pausesAt(machine, machine.pc, differ)) {
      if (pausesAt(machine, machine.pc, pauses)) stretch();
      vm.advance(until, pauses);
    }
    stretch();
    tellClass(vm, points, points.from(first), lastPoint(vm, end), tell);
    if (vm.running && machine.steps < end) vm.advance(machine.steps + 1);
  }
}

/** The last step before which the run stood: it stands there, or its insn ended the run. */
function lastPoint({ machine, running }: Vm, end: number): number {
  const { steps } = machine;
  return Math.min(end - 1, running || machine.end === 'trap' || machine.end === 'limit' ? steps : steps - 1);
}

function tellClass(
  vm: Vm,
  points: KillPoints,
  first: number,
  last: number,
  tell: (killed: KilledAlike) => void,
): void {
  if (first > last) return;
  // A run that has ended within a class has ended as its killed copies do; one that has left the facts only stands still.
  if (!vm.running && vm.machine.end !== 'limit') {
    tell({ first, last, result: vm.result() });
    return;
  }
  const killed = vm.fork();
  killed.machine.end = undefined;
  killed.kill();
  const { bound = DEFAULT_LIMIT } = vm.options;
  for (let point = first; point <= last; point = points.from(point + 1)) {
    if (killed.advance(point + bound)) {
      tell({ first: point, last: point, result: killed.overdue(bound) });
    } else {
      tell({ first: point, last, result: killed.result() });
      return;
    }
  }
}
