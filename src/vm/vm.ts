/**
 * A run of a program that can be stepped, forked and killed. Every choice of the outside world comes from the environment given,
 * or else from the chooser; all are recorded, and the recorded environment replays the run exactly.
 */

import { InputError } from '../isa/errors.js';
import type { Program } from '../object/program.js';
import type { MapsView } from '../patch/map-view.js';
import type { FastPath } from '../patch/rule.js';
import type { Facts } from '../verifier/result.js';
import { FactCheck } from './facts.js';
import { placeContext } from './insn/context.js';
import { execute } from './insn/definitional.js';
import { runFast } from './insn/fast.js';
import { type Pauses, pausesAt } from './insn/pauses.js';
import { mapViews } from './map-views.js';
import { type Chooser, defaultChooser } from './state/chooser.js';
import { type Code, prepare } from './state/code.js';
import { Choices, EMPTY, type Environment, parseHex } from './state/environment.js';
import type { Hold } from './state/ledger.js';
import { type End, MachineState, mostFrames, type Sampling } from './state/machine.js';
import { isPerCpu } from './state/maps.js';
import { placePacket } from './state/packet.js';
import { cannotRun, kernelAddresses } from './state/runnable.js';
import { Trap, type Violation } from './state/trap.js';

/** The world that a program runs in, how far it may run, and what is checked on the way. */
export interface VmOptions {
  /** Choices of the outside world that are settled; none unless told. */
  readonly env?: Environment;
  /** Decides what `env` leaves open; `defaultChooser` unless told. */
  readonly chooser?: Chooser;
  /** The strict profile accepted the program: reading stack that was never written is a fault. */
  readonly strict?: boolean;
  /** The verifier's facts: guards are evaluated with them. */
  readonly facts?: Facts;
  /** Before each step of an unkilled run: some fact must admit the state. Needs `facts`. */
  readonly checkFacts?: boolean;
  /** What happens at call sites after the kill; every call is kept unless told. */
  readonly fastPath?: FastPath;
  /** Steps after which an unkilled run is given up; 100 000 unless told. */
  readonly maxSteps?: number;
  /** Steps that a killed run may take to its exit; more break `bound`; 100 000 unless told. */
  readonly bound?: number;
  /** See `MachineOptions`. */
  readonly prompt?: true;
  /** `fast` unless told. */
  readonly tier?: 'fast' | 'definitional';
  /** See `MachineOptions`. Such a run also ends where its `bound` is over. */
  readonly stopsAtFirst?: true;
  /** See `MachineOptions`. */
  readonly readsUnwritten?: true;
  /** See `MachineOptions`. */
  readonly sampled?: Sampling;
  /** What is broken of the program's maps, in words. Asked when the run begins, and, if all holds then, when it ends. */
  readonly invariant?: (maps: MapsView) => string | undefined;
  /** See `MachineOptions`. */
  readonly onPatchedCall?: (slot: number, stubbed: boolean) => void;
}

/** A run has reached a state that the verifier's facts exclude. That is a disagreement between VM and verifier, never a finding. */
export interface Disagreement {
  readonly slot: number;
  readonly step: number;
  readonly message: string;
}

/** What there is to say of a run that has ended. */
export interface RunResult {
  /** How it ended. `limit`: given up. */
  readonly end: End;
  /** r0 as an unsigned number; 0 when it was not written. */
  readonly r0: bigint;
  /** Insns executed. */
  readonly steps: number;
  /** Steps executed before the kill; -1 for a run that was not killed. */
  readonly killedAt: number;
  /** Steps executed before the kill first showed; -1 where it never did. */
  readonly tookEffect: number;
  /** What is still held. */
  readonly held: readonly Hold[];
  readonly violations: readonly Violation[];
  readonly disagreement: Disagreement | undefined;
  /** The environment as it came to be: given data and all choices made. */
  readonly env: Environment;
}

export const DEFAULT_LIMIT = 100_000;

/**
 * One run: `step` and `advance` go on, `fork` copies, `kill` starts the fast path. With `checkFacts` it also checks before every insn
 * that the verifier's facts hold.
 */
export class Vm {
  readonly code: Code;
  readonly machine: MachineState;
  private disagreement: Disagreement | undefined;
  private factCheck: FactCheck | undefined;

  /** Sets a run up at the program's first insn. Throws InputError for what cannot be run at all. */
  constructor(
    program: Program | Code,
    readonly options: VmOptions = {},
    machine?: MachineState,
  ) {
    this.code = 'contracts' in program ? program : prepare(program);
    const reason = machine === undefined ? cannotRun(this.code.program) : undefined;
    if (reason !== undefined) throw new InputError(reason);
    this.machine = machine ?? start(this.code, options);
  }

  /** An independent copy of the run as it is now. */
  fork(): Vm {
    const copy = new Vm(this.code, this.options, this.machine.fork());
    copy.disagreement = this.disagreement;
    return copy;
  }

  get running(): boolean {
    return this.machine.end === undefined;
  }

  /** From now on call sites run patched; callbacks in flight are not called again. */
  kill(): void {
    this.machine.killedAt = this.machine.steps;
    this.machine.interrupted = this.machine.frames.length;
  }

  /** Executes one insn; answers whether the run goes on. */
  step(): boolean {
    return this.advance(this.machine.steps + 1);
  }

  /**
   * Executes insns until there were `until` in all; answers whether the run goes on. With `pauses` it also stops before an insn at which it
   * pauses, but never before the first.
   */
  advance(until: number, pauses?: Pauses): boolean {
    const { machine } = this;
    if (!this.running) return false;
    try {
      if (this.options.checkFacts && this.options.facts && !machine.killed)
        this.checked(until, this.options.facts, pauses);
      else if (this.options.tier === 'definitional') {
        while (machine.steps < until && this.running) {
          execute(machine);
          machine.steps++;
          if (this.paused(pauses)) break;
        }
      } else runFast(machine, until, pauses);
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
      machine.reportTrap(error);
      machine.finish('trap');
    }
    return this.running;
  }

  private paused(pauses: Pauses | undefined): boolean {
    return pauses !== undefined && pausesAt(this.machine, this.machine.pc, pauses);
  }

  private checked(until: number, facts: Facts, pauses: Pauses | undefined): void {
    const { machine } = this;
    this.factCheck ??= new FactCheck(facts);
    const check = this.factCheck;
    while (machine.steps < until && this.running) {
      const answer = check.admits(machine);
      if (answer !== true) {
        this.disagreement = { slot: machine.pc, step: machine.steps, message: answer };
        machine.finish('limit');
        return;
      }
      if (this.options.tier === 'definitional') {
        execute(machine);
        machine.steps++;
      } else runFast(machine, machine.steps + 1);
      if (this.paused(pauses)) return;
    }
  }

  /**
   * Runs to the end, or until the limit: of any run that is not killed `maxSteps`. A killed run whose bound is over goes on, at most to the usual
   * bound, so that all is seen that it breaks.
   */
  run(): RunResult {
    const { machine } = this;
    const { maxSteps = DEFAULT_LIMIT, bound = DEFAULT_LIMIT } = this.options;
    if (!machine.killed) {
      if (this.advance(maxSteps)) machine.finish('limit');
    } else if (this.advance(machine.killedAt + bound)) this.giveUp(bound);
    return this.result();
  }

  /** A killed run breaks its bound here. It goes on to the usual one, so that all is seen that it breaks. */
  private giveUp(bound: number): void {
    const { machine } = this;
    machine.report('bound', `no exit within ${bound} insns of the kill`);
    machine.wentOn = true;
    if (this.options.stopsAtFirst || this.advance(machine.steps - bound + DEFAULT_LIMIT))
      machine.finish('limit');
  }

  /** What there is to say of a killed run that is given up here, `bound` insns after the kill. The run itself can go on. */
  overdue(bound: number): RunResult {
    const copy = this.fork();
    copy.giveUp(bound);
    return copy.result();
  }

  /** The result so far. */
  result(): RunResult {
    return new Result(this.machine, this.disagreement, this.options.env);
  }
}

/** Makes the environment of a result when it is first asked for: of most runs nobody wants to know it. */
const ENVIRONMENT = {
  enumerable: true,
  get(this: Result): Environment {
    return this.environment();
  },
} as const;

/** The result of a run. A class, and no literal with a getter: V8 gives each object of such a literal a type of its own, and keeps what it refers to. */
class Result implements RunResult {
  declare readonly env: Environment;
  readonly end: End;
  readonly r0: bigint;
  readonly steps: number;
  readonly killedAt: number;
  readonly tookEffect: number;
  readonly held: readonly Hold[];
  readonly violations: readonly Violation[];
  readonly #given: Environment | undefined;
  readonly #choices: () => Environment['choices'];
  #made: Environment | undefined;

  constructor(
    machine: MachineState,
    readonly disagreement: Disagreement | undefined,
    given: Environment | undefined,
  ) {
    this.end = machine.end ?? 'limit';
    this.r0 = (machine.readable & 1) === 0 ? 0n : machine.regs[0]!;
    this.steps = machine.steps;
    this.killedAt = machine.killedAt;
    this.tookEffect = machine.tookEffect;
    this.held = machine.ledger.holds;
    this.violations = machine.violations;
    this.#given = given;
    this.#choices = machine.choices.soFar();
    // A property of the object itself: who copies the object copies it as well.
    Object.defineProperty(this, 'env', ENVIRONMENT);
  }

  environment(): Environment {
    this.#made ??= { ...this.#given, choices: this.#choices() };
    return this.#made;
  }
}

/** Bytes of the packet of an environment that has none: an empty Ethernet frame of minimal length. */
const EMPTY_PACKET = 64;

function start(code: Code, options: VmOptions): MachineState {
  const env = options.env ?? EMPTY;
  const { invariant } = options;
  const machine = new MachineState(code, Choices.of(env.choices, options.chooser ?? defaultChooser), {
    strict: options.strict ?? false,
    ...(options.fastPath ? { fastPath: options.fastPath } : {}),
    ...(options.facts ? { facts: options.facts } : {}),
    ...(options.readsUnwritten ? { readsUnwritten: true } : {}),
    ...(options.prompt ? { prompt: true } : {}),
    ...(options.stopsAtFirst ? { stopsAtFirst: true } : {}),
    ...(options.sampled ? { sampled: options.sampled } : {}),
    ...(invariant ? { invariant: (one: MachineState) => invariant(mapViews(one)) } : {}),
    ...(options.onPatchedCall ? { onPatchedCall: options.onPatchedCall } : {}),
  });
  const { memory } = machine;
  for (let depth = 0; depth < mostFrames(code.program); depth++) memory.addStack();
  placeRegions(machine);
  const none = new Uint8Array(0);
  machine.functions = memory.add({
    kind: 'func',
    bytes: new Uint8Array(code.ops.length),
    writable: false,
    name: 'program text',
  });
  code.program.maps.forEach((map, index) => {
    memory.add({ kind: 'map', bytes: none, writable: false, name: `map ${map.name}`, map: index });
  });
  // A kernel function has only an address: the program may not read any bytes there.
  if (kernelAddresses(code.program).length > 0)
    memory.add({ kind: 'mem', bytes: none, writable: false, name: 'a function of the kernel' });
  if (env.cpu !== undefined) machine.cpu = env.cpu;
  code.program.maps.forEach((map, index) => {
    for (const [key, value] of env.maps?.get(map.name) ?? []) {
      machine.maps.insert(memory, index, parseHex(key), parseHex(value));
      if (isPerCpu(map)) fillOtherCpus(machine, index, parseHex(key), parseHex(value));
    }
  });
  placePacket(machine, env.packet ?? new Uint8Array(EMPTY_PACKET));
  placeContext(machine, env);
  machine.begin();
  machine.inOrder = invariant !== undefined && invariant(mapViews(machine)) === undefined;
  return machine;
}

/** The environment says which of two ways the regions behind the stacks lie: those whose addresses have a low half of zero in one do not in the other. */
function placeRegions({ choices, memory }: MachineState): void {
  const key = choices.next('addresses');
  const shifted = ((choices.recorded(key).value ?? choices.chooser.number(key, 0n, 1n)) & 1n) === 1n;
  if (!shifted) return;
  memory.leaveOut();
  choices.record(key, { value: 1n });
}

/** An entry that the environment puts into a per-CPU array is there for every CPU. */
function fillOtherCpus(machine: MachineState, index: number, key: Uint8Array, value: Uint8Array): void {
  for (let cpu = 0; cpu < machine.cpu.count; cpu++) {
    if (cpu !== machine.cpu.current) machine.maps.lookupOn(machine.memory, index, key, cpu, value);
  }
}
