/** One call of a kernel function while it is carried out: its arguments, and what the environment decides about it. */
import type { Contract, MemSize, Outcome } from '../../kernel/contract.js';
import type { MapDef } from '../../object/program.js';
import { offsetOf, regionOf } from '../state/address.js';
import { defaultChooser } from '../state/chooser.js';
import type { Choice } from '../state/environment.js';
import type { MachineState } from '../state/machine.js';
import type { Region } from '../state/memory.js';
import { fault } from '../state/trap.js';

/** The key under which the environment decides about a call: of a function that always answers the same, that of its first call. */
export const choiceKey = (contract: Contract, counted: string): string =>
  contract.steady === true ? `${contract.name}#1` : counted;

/**
 * A call that the machine is at: its arguments as the program gave them, and what the environment decides. What it decides is recorded
 * under `key`, so that the run can be replayed.
 */
export class Call {
  readonly name: string;
  /** `function#n`. */
  readonly key: string;
  private readonly given: Choice;
  private made: { outcome?: string; value?: bigint; bytes?: Uint8Array } = {};

  constructor(
    readonly machine: MachineState,
    readonly contract: Contract,
    /** Slot of the call. */
    readonly slot: number,
    /** r1 to r5, unsigned; 0 for those beyond the prototype. */
    readonly args: readonly bigint[],
  ) {
    this.name = contract.name;
    this.key = choiceKey(contract, machine.choices.next(contract.name));
    this.given = machine.choices.recorded(this.key);
  }

  /** Value of an argument, unsigned 64-bit. Indices count from 0. */
  arg(index: number): bigint {
    return this.args[index] ?? 0n;
  }

  /** The low 32 bits of an argument, as a size in bytes. */
  size(index: number): number {
    return Number(this.arg(index) & 0xffff_ffffn);
  }

  memSize(size: MemSize): number {
    return 'bytes' in size ? size.bytes : this.size(size.arg);
  }

  /** Region that an argument points into. Traps for a pointer to nowhere. */
  region(index: number): Region {
    const at = this.arg(index);
    return this.machine.memory.locateAt(at, 0);
  }

  regionNumber(index: number): number {
    return regionOf(this.arg(index));
  }

  offset(index: number): number {
    return offsetOf(this.arg(index));
  }

  /** Number, as Maps counts, of the map that an argument names: for a map of the program its index into Program.maps. */
  map(index: number): number {
    const region = this.region(index);
    if (region.kind !== 'map') throw fault(`argument ${index + 1} of ${this.name} is no map`);
    return this.machine.maps.numberOf(this.regionNumber(index), region.map);
  }

  /** The map that keys and values of this call belong to. */
  get mapDef(): MapDef {
    const index = this.contract.args.findIndex(({ kind }) => kind === 'map');
    return this.machine.maps.def(this.map(Math.max(index, 0)));
  }

  /** The value recorded for this call. */
  get givenValue(): bigint | undefined {
    return this.given.value;
  }

  /** The outcome recorded for this call. */
  get givenOutcome(): string | undefined {
    return this.given.outcome;
  }

  /** The bytes recorded for this call, which stay on record. */
  get givenBytes(): Uint8Array | undefined {
    if (this.given.bytes !== undefined) this.made.bytes = this.given.bytes;
    return this.given.bytes;
  }

  /**
   * Makes r0 of a result with only `bits` meaningful low bits. If the recorded value has these low bits it is kept as it is; otherwise
   * the other bits are zero.
   */
  narrow(result: bigint, bits: number): bigint {
    const given = this.given.value;
    if (given === undefined || BigInt.asUintN(bits, given) !== BigInt.asUintN(bits, result))
      return BigInt.asUintN(bits, result);
    this.made.value = given;
    return BigInt.asUintN(64, given);
  }

  /** Decides between outcomes (at least one): the recorded one if it is among them, or the chooser's. */
  choose(outcomes: readonly Outcome[]): Outcome {
    if (outcomes.length === 1) return outcomes[0]!;
    const chosen =
      outcomes.find((outcome) => outcome.name === this.given.outcome) ??
      outcomes[this.machine.choices.chooser.index(this.key, outcomes.length)]!;
    this.made.outcome = chosen.name;
    return chosen;
  }

  /**
   * Decides a yes or no for which there is no outcome, and records it under this name. `often`: the answer is yes about once in so many
   * times.
   */
  decide(yes: string, no: string, usually: string, often: number): boolean {
    const random = this.machine.choices.chooser.index(`${this.key}:decide`, often) === 0 && often > 1;
    const fallback = random ? (usually === yes ? no : yes) : usually;
    const name = this.given.outcome === yes || this.given.outcome === no ? this.given.outcome : fallback;
    this.made.outcome = name;
    return name === yes;
  }

  /** Decides a signed number in [min, max]. Of a recorded number, only the low `bits` must lie in the range. */
  number(min: bigint, max: bigint, bits = 64): bigint {
    if (min >= max) return min;
    const given = this.given.value;
    const low = given === undefined ? undefined : BigInt.asIntN(bits, given);
    const value =
      given !== undefined && low !== undefined && low >= min && low <= max
        ? given
        : this.machine.choices.chooser.number(this.key, min, max);
    if (value !== defaultChooser.number(this.key, min, max)) this.made.value = value;
    return value;
  }

  /** Decides this many bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const { chooser } = this.machine.choices;
    const given = this.given.bytes ?? (this.isGiven ? bytes : chooser.bytes(this.key, Math.min(length, 64)));
    bytes.set(given.subarray(0, length));
    this.made.bytes = bytes;
    return bytes;
  }

  /** Bytes of the object that this call has found: those recorded, or sometimes bytes that the chooser makes up. */
  someBytes(): Uint8Array | undefined {
    const { chooser } = this.machine.choices;
    const given =
      this.given.bytes ??
      (this.isGiven
        ? undefined
        : chooser.index(`${this.key}:some`, 4) === 1
          ? chooser.bytes(this.key, 16)
          : undefined);
    if (given !== undefined) this.made.bytes = given;
    return given;
  }

  /** Whether anything is recorded for this call. If so, bytes that are not recorded are zero. */
  private get isGiven(): boolean {
    const { outcome, value, bytes } = this.given;
    return outcome !== undefined || value !== undefined || bytes !== undefined;
  }

  /** Records what was decided. Decisions of the default chooser are left out, because a replay makes them again. */
  record(): void {
    this.machine.choices.record(this.key, this.made);
  }
}
