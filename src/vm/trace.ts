/**
 * A run taken down step by step, as the VM makes it: what each insn changed in registers and stack, what was taken and given back, which calls
 * were patched, and what broke. Everything that shows a run to a person reads it from here.
 */
import { REGISTERS, STACK_SIZE } from '../isa/insn.js';
import { acquires } from '../kernel/describe.js';
import type { Code } from './state/code.js';
import { type Hold, whatIsHeld } from './state/ledger.js';
import type { MachineState } from './state/machine.js';
import type { Violation } from './state/trap.js';
import { stackPlace, stackWordInWords, valueInWords } from './value-words.js';
import { DEFAULT_LIMIT, type RunResult, Vm, type VmOptions } from './vm.js';

/**
 * What became of a call after the kill: a stub took its place, it ran as it is, it ended in a landing pad, or it was a helper whose callback was
 * running when the kill came and that calls it no more.
 */
export type Patched = 'stubbed' | 'kept' | 'unwound' | 'stopped';

/** How a killed run is ended, where that is not by its fast path. */
export interface Ending {
  /** Whether the run, which was killed, can be ended where it stands. */
  canEnd(vm: Vm): boolean;
  /** Ends it there, or sends it to the program's own code that ends it. */
  end(machine: MachineState): void;
  /** What comes of the whole run. */
  readonly result: RunResult;
}

/** One executed insn, or several that are told as one. */
export interface TracedStep {
  /** Insns that ran before. */
  readonly step: number;
  /** Insns that it stands for; 1 but for stretches of a long run that are left out, and 0 where the run was ended. */
  readonly count: number;
  /** The run was ended here, before the insn at `slot`. */
  readonly ended?: true;
  readonly slot: number;
  /** Depth of the frame that it ran in, from 0. */
  readonly depth: number;
  readonly killed: boolean;
  /** Registers (`r3`) and stack words (`fp-16`) that are different afterwards, in words; null for what may not be read any more. */
  readonly changes: ReadonlyMap<string, string | null>;
  /** Ids of what was taken, and of what was given back. */
  readonly taken: readonly number[];
  readonly given: readonly number[];
  /** All that is held afterwards, where that changed. */
  readonly held?: readonly Hold[];
  readonly patched?: Patched;
  /** It broke these checks. */
  readonly broken: readonly Violation[];
}

/** Something that was held in the run. */
export interface TracedHold {
  /** Counts from 1 in the order in which things were taken. */
  readonly id: number;
  /** `spin_lock`, `socket reference`. */
  readonly what: string;
  readonly by: string;
  /** Step and slot at which it was taken. */
  readonly from: number;
  readonly slot: number;
  /** Step and slot at which it was given back; undefined: it never was. */
  readonly to?: number;
  readonly toSlot?: number;
}

/** A whole run. */
export interface Trace {
  /** Registers that may be read before the first step, in words. */
  readonly initial: ReadonlyMap<string, string>;
  readonly steps: readonly TracedStep[];
  readonly holds: readonly TracedHold[];
  /** Step before which it was killed; undefined: it was not. */
  readonly killed: number | undefined;
  readonly result: RunResult;
}

/** Insns of a run that are told one by one at the most. */
const MOST_STEPS = 400;
/** Steps that are told around the kill, around what breaks, and at both ends of a run that is longer. */
const AROUND = 40;
/** Steps that are told around everything else that changes what is held. */
const BESIDE = 6;

/** Places of the state (`r3`, `fp-16`), with what is there. */
export type Words = ReadonlyMap<string, string>;

/** What may be different about a trace. */
export interface TraceOptions {
  /** Ends the killed run, in place of the fast path. */
  readonly ending?: Ending | undefined;
  /** The state in words, as the steps tell its changes; registers and stack unless told. */
  readonly words?: (machine: MachineState) => Words;
  /** So many steps are told one by one, and none behind them; unless told, a long run is told where something happens. */
  readonly first?: number;
}

/**
 * Runs the program, killed before step `kill` if that is given, and takes the run down. A run longer than 400 steps is told where something
 * happens: at its ends, around the kill, where something is taken or given back, and where a check breaks. Between those, steps are told as one.
 * It runs as `Vm.run` does, and ends where that ends.
 */
export function traceOf(code: Code, options: VmOptions, kill?: number, how: TraceOptions = {}): Trace {
  const { first = Number.POSITIVE_INFINITY } = how;
  const moments = momentsOf(code, options, kill, how.ending);
  const wanted = how.first === undefined ? wantedSteps(moments, kill) : undefined;
  const recorder = new Recorder(code, options, kill, how);
  const { vm } = recorder;
  // An insn that traps is not counted, and is told nevertheless.
  while (vm.running && (moments.ended || vm.machine.steps < moments.steps) && recorder.told < first) {
    const { steps } = vm.machine;
    recorder.advance(wanted === undefined ? steps + 1 : nextStop(wanted, steps, moments.steps));
  }
  return recorder.end();
}

/** Kills a run when it comes to the step, and ends it where that is possible. */
class Killer {
  /** Step at which the run was ended. */
  endedAt: number | undefined;

  constructor(
    private readonly kill: number | undefined,
    private readonly ending: Ending | undefined,
    private readonly bound: number,
  ) {}

  /** To be called before each step. Answers whether the run was ended here. */
  comesTo(vm: Vm): boolean {
    const { machine } = vm;
    const { kill, ending, bound } = this;
    if (kill === undefined) return false;
    if (ending === undefined) {
      if (machine.steps === kill && !machine.killed) vm.kill();
      return false;
    }
    if (this.endedAt !== undefined || machine.steps < kill || machine.steps > kill + bound) return false;
    if (!ending.canEnd(vm)) return false;
    this.endedAt = machine.steps;
    ending.end(machine);
    return true;
  }

  /** Steps at which the run is given up that has not ended by itself. */
  limit({ maxSteps = DEFAULT_LIMIT }: VmOptions): number {
    const { kill, endedAt, bound } = this;
    return kill === undefined ? maxSteps : (endedAt ?? kill) + bound;
  }
}

const killerOf = (
  { bound = DEFAULT_LIMIT }: VmOptions,
  kill: number | undefined,
  ending: Ending | undefined,
): Killer => new Killer(kill, ending, bound);

/** Length of a run, and the steps at which something happens. */
interface Moments {
  readonly steps: number;
  /** It ended by itself, and was not given up. */
  readonly ended: boolean;
  readonly held: readonly number[];
  readonly broken: readonly number[];
  /** Step before which the run was ended by what killed it. */
  readonly endedAt: number | undefined;
}

function momentsOf(
  code: Code,
  options: VmOptions,
  kill: number | undefined,
  ending: Ending | undefined,
): Moments {
  const vm = new Vm(code, options);
  const { machine } = vm;
  const held: number[] = [];
  const broken: number[] = [];
  const killer = killerOf(options, kill, ending);
  while (vm.running) {
    const step = machine.steps;
    const { holds } = machine.ledger;
    const { violations } = machine;
    if (!killer.comesTo(vm)) {
      if (step >= killer.limit(options)) break;
      vm.step();
    }
    if (machine.ledger.holds !== holds) held.push(step);
    if (machine.violations !== violations) broken.push(step);
  }
  return { steps: machine.steps, ended: !vm.running, held, broken, endedAt: killer.endedAt };
}

/** Ranges of steps that are told one by one, ascending; undefined: all are. */
type Ranges = readonly (readonly [from: number, to: number])[];

function wantedSteps(
  { steps, held, broken, endedAt }: Moments,
  kill: number | undefined,
): Ranges | undefined {
  if (steps <= MOST_STEPS) return undefined;
  const important = [0, steps, ...[kill, endedAt].filter((at) => at !== undefined), ...broken.slice(0, 4)];
  const ranges = important.map((at): [number, number] => [at - AROUND, at + AROUND]);
  for (const at of held) {
    const size = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
    if (size > MOST_STEPS) break;
    ranges.push([at - BESIDE, at + BESIDE]);
  }
  ranges.sort(([a], [b]) => a - b);
  const joined: [number, number][] = [];
  for (const [from, to] of ranges) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else joined.push([Math.max(0, from), to]);
  }
  return joined;
}

function nextStop(wanted: Ranges, at: number, end: number): number {
  const range = wanted.find(([, to]) => at < to);
  if (range === undefined) return end;
  return at < range[0] && range[0] < end ? range[0] : at + 1;
}

class Recorder {
  readonly vm: Vm;
  private readonly steps: TracedStep[] = [];
  private readonly holds = new Map<number, TracedHold>();
  private readonly initial: Words;
  private readonly words: (machine: MachineState) => Words;
  private readonly killer: Killer;
  private now: Words;

  constructor(
    private readonly code: Code,
    private readonly options: VmOptions,
    private readonly kill: number | undefined,
    private readonly how: TraceOptions,
  ) {
    this.vm = new Vm(code, options);
    this.words = how.words ?? stateInWords;
    this.killer = killerOf(options, kill, how.ending);
    this.initial = this.words(this.vm.machine);
    this.now = this.initial;
  }

  /** Steps that were taken down. */
  get told(): number {
    return this.steps.length;
  }

  /** Goes on until there were `until` steps in all, and takes them down as one. A kill on the way takes effect where it comes. */
  advance(until: number): void {
    const { vm, killer } = this;
    const { machine } = vm;
    const { steps: step, pc: slot, frames, violations, depth } = machine;
    const { holds } = machine.ledger;
    const ended = killer.comesTo(vm);
    const { killed, interrupted } = machine;
    while (!ended && vm.running && machine.steps < until) vm.step();
    const before = this.now;
    this.now = this.words(machine);
    const taken = this.takeDown(holds, step, slot);
    const helper = frames.length <= interrupted ? frames.at(-1)?.helper : undefined;
    const stopped = helper !== undefined && machine.frames.length < frames.length;
    const patched = killed && until === step + 1 ? this.patched(slot, stopped) : undefined;
    this.steps.push({
      ...{ step, count: ended ? 0 : machine.steps - step || 1, slot, depth, killed: killed || ended },
      ...(ended ? { ended } : {}),
      changes: differences(before, this.now),
      ...taken,
      ...(patched === undefined ? {} : { patched }),
      broken: machine.violations.slice(violations.length),
    });
  }

  private patched(slot: number, stopped: boolean): Patched | undefined {
    if (stopped) return 'stopped';
    if (this.code.contracts[slot] === undefined) return undefined;
    if (this.vm.machine.unwound) return 'unwound';
    return this.options.fastPath?.stubs.has(slot) === true ? 'stubbed' : 'kept';
  }

  /** What was taken and given back since `before`. */
  private takeDown(
    before: readonly Hold[],
    step: number,
    slot: number,
  ): Pick<TracedStep, 'taken' | 'given' | 'held'> {
    const { holds } = this.vm.machine.ledger;
    if (holds === before) return { taken: [], given: [] };
    const missing = (all: readonly Hold[], from: readonly Hold[]): readonly Hold[] =>
      all.filter(({ id }) => !from.some((one) => one.id === id));
    const taken = missing(holds, before);
    const given = missing(before, holds);
    for (const one of taken)
      this.holds.set(one.id, { id: one.id, what: whatIsHeld(one), by: one.by, from: step, slot: one.at });
    for (const { id } of given) this.holds.set(id, { ...this.holds.get(id)!, to: step, toSlot: slot });
    return { taken: taken.map(({ id }) => id), given: given.map(({ id }) => id), held: holds };
  }

  /** The result of a run that was ended, with the violations that were met on the way. */
  private endedResult(result: RunResult): RunResult {
    const { violations } = this.vm.machine;
    return { ...result, violations: [...violations, ...result.violations.slice(violations.length)] };
  }

  end(): Trace {
    const { vm, initial, steps, holds, kill } = this;
    const { violations } = vm.machine;
    // A run that is still going on is given up here: a killed one breaks its bound.
    const result = this.how.ending === undefined ? vm.run() : this.endedResult(this.how.ending.result);
    const last = steps.at(-1);
    const more = result.violations.slice(violations.length);
    if (last !== undefined && more.length > 0)
      steps[steps.length - 1] = { ...last, broken: [...last.broken, ...more] };
    return { initial, steps, holds: [...holds.values()], killed: kill, result };
  }
}

/** All registers that may be read and all stack words in which something was written, in words. */
function stateInWords(machine: MachineState): Words {
  const words = new Map<string, string>();
  for (let reg = 0; reg < REGISTERS; reg++)
    if ((machine.readable & (1 << reg)) !== 0)
      words.set(`r${reg}`, valueInWords(machine, machine.regs[reg]!));
  for (let depth = 0; depth < machine.frames.length; depth++) {
    const region = machine.memory.get(machine.stackOf(depth));
    if (region?.alive !== true) continue;
    for (let offset = STACK_SIZE - 8; offset >= 0; offset -= 8) {
      const word = stackWordInWords(machine, region, offset);
      if (word !== undefined) words.set(stackPlace(machine, depth, offset), word);
    }
  }
  return words;
}

function differences(before: Words, after: Words): ReadonlyMap<string, string | null> {
  const changes = new Map<string, string | null>();
  for (const [place, word] of after) if (before.get(place) !== word) changes.set(place, word);
  for (const place of before.keys()) if (!after.has(place)) changes.set(place, null);
  return changes;
}

/** Calls after the kill that would have taken something, had no stub taken their place: what is missing in the ledger from there on. */
export function neverTaken(
  code: Code,
  { steps }: Pick<Trace, 'steps'>,
): readonly { readonly step: number; readonly slot: number; readonly by: string }[] {
  return steps.flatMap(({ step, slot, patched }) => {
    const contract = code.contracts[slot];
    if (patched !== 'stubbed' || contract === undefined) return [];
    return acquires(contract) ? [{ step, slot, by: contract.name }] : [];
  });
}
