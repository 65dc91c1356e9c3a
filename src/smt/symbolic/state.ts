/** A symbolic run while it goes on: the VM's machine state, its shadow, and what has been noted so far. */
import { progType } from '../../kernel/progtypes.js';
import type { MapDef } from '../../object/program.js';
import { address, offsetOf, regionOf } from '../../vm/state/address.js';
import type { Environment } from '../../vm/state/environment.js';
import type { Hold } from '../../vm/state/ledger.js';
import type { MachineState } from '../../vm/state/machine.js';
import { HEADROOM } from '../../vm/state/packet.js';
import { isConst, type Term } from '../term/term.js';
import type { Inputs } from './inputs.js';
import { Shadow } from './shadow.js';
import type { Event } from './trace.js';

/** BPF_F_RDONLY_PROG. */
const RDONLY_PROG = 1 << 7;

/**
 * One symbolic run: what the VM holds, the terms for it, and the events (branches taken, values chosen) that the search may flip
 * later.
 */
export class RunState {
  readonly shadow: Shadow;
  readonly events: Event[] = [];
  readonly values = new Map<string, bigint>();
  readonly gaps = new Set<string>();
  /** Name of the outcome of each call, by step. */
  readonly outcomes = new Map<number, string>();
  /** Next number and end (32 bits) of each numeric iterator, by the address of its slot. */
  readonly iterators = new Map<bigint, readonly [Term, Term]>();
  /** What the run held before the current call. */
  heldBefore: readonly Hold[] = [];
  private readonly ranged = new Set<string>();
  /** Offsets of context members that are pointers and may be NULL. The search does not try both. */
  private readonly nullableMembers = new Set<number>();
  /** Bytes of the packet that the run was given. */
  private readonly givenLength: number;
  private slot = 0;
  private step = 0;

  constructor(
    readonly machine: MachineState,
    readonly inputs: Inputs,
    private readonly env: Environment,
  ) {
    this.shadow = new Shadow(inputs.t, machine);
    this.givenLength = machine.packet.end - machine.packet.data;
    this.openPacket();
    this.openContext();
  }

  /** Events that are recorded from now on belong to this insn. */
  at(slot: number, step: number): void {
    this.slot = slot;
    this.step = step;
  }

  /** The call at this insn had this outcome. */
  outcome(name: string): void {
    this.outcomes.set(this.step, name);
  }

  gap(why: string): void {
    this.gaps.add(why);
  }

  /** Records the value that a variable has in this run, and, the first time, the range that it may have. */
  recordValue(term: Term, value: bigint): void {
    if (term.op !== 'var') return;
    this.values.set(term.name, value);
    const range = this.inputs.ranges.get(term.name);
    if (range === undefined || this.ranged.has(term.name)) return;
    this.ranged.add(term.name);
    this.events.push({ kind: 'range', slot: this.slot, step: this.step, holds: range });
  }

  /** Records the value of a byte variable, unless that was done; returns the variable. */
  recordByte(term: Term, region: number, offset: number): Term {
    if (!this.values.has(term.name)) {
      this.recordValue(term, BigInt(this.machine.memory.get(region)?.bytes[offset] ?? 0));
    }
    return term;
  }

  /** Records a branch: the run went this way because `condition` is `holds`. */
  branch(slot: number, condition: Term, holds: boolean): void {
    const term = holds ? condition : this.inputs.t.not(condition);
    if (isConst(term)) return;
    this.events.push({ kind: 'branch', slot, step: this.step, holds: term });
  }

  /** From here on the run relies on the term having this value. Other values are other paths. */
  concretize(term: Term, value: bigint): void {
    if (isConst(term)) return;
    const { t } = this.inputs;
    const holds = t.eq(term, t.constant(term.width, value));
    this.events.push({ kind: 'concretization', slot: this.slot, step: this.step, holds });
  }

  recordChoice(slot: number, call: string, chosen: string, others: readonly string[]): void {
    if (others.length === 0) return;
    this.events.push({ kind: 'choice', slot, step: this.step, call, chosen, others });
  }

  /** Where the packet ends: its region's address and its length. Helpers may have moved the bounds by a constant. */
  packetEnd(): Term {
    const { t } = this.inputs;
    const { region, end } = this.machine.packet;
    const moved = end - HEADROOM - this.givenLength;
    return t.add(this.packetLength(), t.constant(64, address(region, HEADROOM + moved)));
  }

  packetLength(): Term {
    const length = this.inputs.packetLength();
    this.recordValue(length.args[0]!, BigInt(this.givenLength));
    return length;
  }

  private openPacket(): void {
    const { region } = this.machine.packet;
    this.shadow.setOrigin(region, (offset) => {
      const index = offset - HEADROOM;
      if (index < 0 || index >= this.givenLength) return undefined;
      const term = this.inputs.packetByte(index);
      if (!this.values.has(term.name)) this.recordValue(term, BigInt(this.env.packet?.[index] ?? 0));
      return term;
    });
  }

  private openContext(): void {
    const { machine, inputs } = this;
    const { t } = inputs;
    const members = new Map(this.membersByByte());
    this.shadow.setOrigin(machine.ctx, (offset) => {
      const member = members.get(offset);
      if (member === 'constant') return undefined;
      if (member !== undefined) return t.extract(this.packetLength(), 8 * (offset - member), 8);
      return this.recordByte(inputs.contextByte(offset), machine.ctx, offset);
    });
  }

  /** Bytes of the context that are no unknowns of their own: pointers, and the length (by the offset where it starts). */
  private membersByByte(): readonly (readonly [number, number | 'constant'])[] {
    const given = this.env.ctx !== undefined;
    return progType(this.machine.code.program.type).members.flatMap(({ name, offset, size, value }) => {
      const isLength = (name === 'len' || name === 'wire_len') && !given && !this.env.ctxFields?.has(name);
      if (value === 'scalar' && !isLength) return [];
      if (!value.startsWith('packet') && value !== 'scalar') this.nullableMembers.add(offset);
      const what = isLength ? offset : ('constant' as const);
      return Array.from({ length: size }, (_, i) => [offset + i, what] as const);
    });
  }

  /** A load from the context at this offset. */
  contextLoad(offset: number): void {
    if (this.nullableMembers.has(offset)) this.gap('a pointer of the context is taken as it is');
  }

  /** The region is the value of this key (hex), as it was at the start of the run; constants stay what they are. */
  mapValue(region: number, map: MapDef, key: string): void {
    if (this.shadow.hasOrigin(region) || map.frozen === true || (map.flags & RDONLY_PROG) !== 0) return;
    const special = (offset: number): boolean =>
      map.fields.some((field) => offset >= field.offset && offset < field.offset + field.size);
    this.shadow.setOrigin(region, (offset) =>
      special(offset) || offset >= map.valueSize
        ? undefined
        : this.recordByte(this.inputs.mapByte(map.name, key, offset), region, offset),
    );
  }

  /** To be called after an insn that may have loaded a pointer into a map's only value. */
  immediateValue(value: bigint, map: MapDef | undefined): void {
    if (map === undefined || offsetOf(value) < 0) return;
    this.mapValue(regionOf(value), map, '00'.repeat(map.keySize));
  }
}
