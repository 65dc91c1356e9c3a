/** Kills one run at many points under a strategy. Points of which the same comes are told together. */
import { advanceToStop, endHere, optionsUnder } from '../strategies/killed-run.js';
import type { EndsTheRun, Prepared } from '../strategies/strategy.js';
import { PAUSE, type Pauses, pausesAt } from '../vm/insn/pauses.js';
import { type KillPoints, killInClasses } from '../vm/kill-classes.js';
import type { Code } from '../vm/state/code.js';
import { DEFAULT_LIMIT, type RunResult, Vm, type VmOptions } from '../vm/vm.js';

/** Points of one run of which the same comes, and how long it takes from each of them. */
export interface PointsAlike {
  /** The first of the points, and a step that none of them is behind: steps executed before the kill. */
  readonly first: number;
  readonly last: number;
  /** What comes of a kill there; steps and slots are those of one of the points. */
  readonly result: RunResult;
  /** Insns from a kill to where it takes effect; undefined where it never does, because the program came to its exit first. */
  readonly toEffect: (point: number) => number | undefined;
  /** Insns from a kill to the end of the run. */
  readonly toExit: (point: number) => number;
}

/** Where to kill: these points, before `end`. */
export interface Where {
  readonly points: KillPoints;
  readonly end: number;
}

/** Kills the run that `options` describe at each point, and tells what comes of it. */
export function killEverywhereUnder(
  prepared: Prepared,
  code: Code,
  options: VmOptions,
  where: Where,
  tell: (alike: PointsAlike) => void,
): void {
  if (prepared.kind === 'ends the run') {
    if (prepared.sites === 'every insn') endBetweenCalls(prepared, code, options, where, tell);
    else endAtSites(prepared, code, options, where, tell);
    return;
  }
  killInClasses(new Vm(code, optionsUnder(prepared, options)), where, ({ first, last, result }) =>
    tell({
      first,
      last,
      result,
      toEffect: (point) => (result.tookEffect < 0 ? undefined : result.tookEffect - point),
      toExit: (point) => result.steps - point,
    }),
  );
}

/** Tells of the points of one run that wait for its end, in ascending order. */
class Waiting {
  /** The first point that was not told yet. */
  private next = 0;
  private readonly bound: number;

  constructor(
    private readonly vm: Vm,
    private readonly where: Where,
    private readonly tell: (alike: PointsAlike) => void,
  ) {
    this.bound = vm.options.bound ?? DEFAULT_LIMIT;
  }

  /** Whether points are left. */
  get waits(): boolean {
    return this.next < this.where.end;
  }

  /** Steps up to which the run must be looked at. */
  get until(): number {
    return this.where.end - 1 + this.bound;
  }

  /** Points up to step `at` end where the run stands, as `result` says. */
  endedAt(at: number, result: RunResult): void {
    const after = result.steps - result.killedAt;
    this.overdueBefore(at - this.bound);
    this.part(
      at,
      result,
      (point) => at - point,
      (point) => at - point + after,
    );
  }

  /** Points from step `from` to step `to` each end at once, as `result` says; those before `from` end there. */
  endedFrom(from: number, to: number, result: RunResult): void {
    if (from > 0) this.overdueBefore(from - this.bound);
    const after = result.steps - result.killedAt;
    this.part(
      from - 1,
      result,
      (point) => from - point,
      (point) => from - point + after,
    );
    this.part(
      to,
      result,
      () => 0,
      () => after,
    );
  }

  /** All points that are left: the run, which was taken as far as `until`, is never ended. */
  rest(): void {
    const { running, machine } = this.vm;
    this.overdueBefore(running ? this.where.end : machine.steps - this.bound);
    const result = this.vm.result();
    this.part(
      machine.steps - 1,
      result,
      () => undefined,
      (point) => machine.steps - point,
    );
  }

  private overdueBefore(step: number): void {
    if (this.next >= step) return;
    const copy = this.vm.fork();
    copy.machine.report('bound', `no exit within ${this.bound} insns of the kill`);
    this.part(
      step - 1,
      copy.result(),
      () => undefined,
      () => this.bound,
    );
  }

  private part(
    to: number,
    result: RunResult,
    toEffect: PointsAlike['toEffect'],
    toExit: PointsAlike['toExit'],
  ): void {
    const { points, end } = this.where;
    const [first, last] = [points.from(this.next), Math.min(to, end - 1)];
    this.next = Math.max(this.next, last + 1);
    if (first <= last) this.tell({ first, last, result, toEffect, toExit });
  }
}

/** Points up to a site end there. */
function endAtSites(
  prepared: EndsTheRun,
  code: Code,
  options: VmOptions,
  where: Where,
  tell: (alike: PointsAlike) => void,
): void {
  const vm = new Vm(code, optionsUnder(prepared, options));
  const waiting = new Waiting(vm, where, tell);
  while (waiting.waits && advanceToStop(vm, prepared, waiting.until)) {
    waiting.endedAt(vm.machine.steps, endHere(vm.fork(), prepared));
    vm.advance(vm.machine.steps + 1);
  }
  waiting.rest();
}

/** What is held changes only at calls and at the ends of callbacks; whether a run can be ended hangs on that alone. */
function endBetweenCalls(
  prepared: EndsTheRun,
  code: Code,
  options: VmOptions,
  where: Where,
  tell: (alike: PointsAlike) => void,
): void {
  const vm = new Vm(code, { ...optionsUnder(prepared, options), tier: 'fast' });
  const waiting = new Waiting(vm, where, tell);
  const changes: Pauses = Uint8Array.from(code.ops, (op) =>
    op?.kind === 'call' || op?.kind === 'exit' || op?.kind === 'ld_packet' || op?.kind === 'unwind_exit'
      ? PAUSE.always
      : PAUSE.never,
  );
  while (vm.running && waiting.waits && vm.machine.steps < waiting.until) {
    // A stretch is from here to the insn that may change what is held.
    const first = vm.machine.steps;
    if (!pausesAt(vm.machine, vm.machine.pc, changes) && !vm.advance(waiting.until, changes)) break;
    if (prepared.canStop?.(vm.machine) !== false)
      waiting.endedFrom(first, vm.machine.steps, endHere(vm.fork(), prepared));
    vm.advance(vm.machine.steps + 1);
  }
  waiting.rest();
}
