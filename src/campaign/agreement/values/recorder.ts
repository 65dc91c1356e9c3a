/**
 * Changes a program so that it records, in a map of its own, everything that the outside world gives it: r0 and the buffers after each
 * call of a kernel function, what it loads from kernel objects, what fresh memory holds. Kernel and VM both run that program. The VM
 * takes the kernel's log as its outside world, so both see the same. In the end the two logs must be equal too.
 *
 * Where the outside world decides how long a run takes (bpf_loop over any number, may_goto), the number is made small in both.
 *
 * Code that is inserted after a call may use r1 to r5, which no program can read there. Code after a load uses registers that are dead.
 */
import { Draft } from '../../../../generators/edit.js';
import {
  add,
  and,
  callHelper,
  jmp,
  ldImm64,
  ldMapValue,
  ldx,
  mayGoto,
  mov,
  or,
  type Reg,
  r0,
  r1,
  r2,
  r3,
  r6,
  r7,
  r10,
  registers,
  st,
  stx,
  w1,
} from '../../../isa/build.js';
import { FP, type Op, type Size, slots } from '../../../isa/insn.js';
import { type Item, label } from '../../../isa/label.js';
import type { Contract } from '../../../kernel/contract.js';
import type { MapDef, Program } from '../../../object/program.js';
import type { Accepted } from '../../../verifier/result.js';
import type { Reg as AbstractReg } from '../../../verifier/state/state.js';
import { frameOf } from '../../../verifier/state/state.js';
import { successors } from '../../../verifier/text/successors.js';
import type { Visit } from '../../../verifier/walk/visit.js';
import { isPerCpu } from '../../../vm/state/maps.js';
import { bufferOf, constantOf, hasFewRounds, isBuffer, plainParts, roundsOf } from './buffers.js';
import {
  BUDGET_AT,
  type Copied,
  CPU_AT,
  ENTRY_HEADER,
  LARGEST_ENTRY,
  LOG,
  LOG_BYTES,
  LOG_HEADER,
  type NotRecorded,
  type Recording,
  type Site,
} from './log.js';

/** Objects whose bytes are the kernel's. */
const KERNEL_OBJECTS = new Set<string>(['sock', 'sock_common', 'tcp_sock', 'xdp_sock', 'btf']);
/** Maps whose elements a loop visits in the kernel's own order. */
const isHashed = ({ type }: MapDef): boolean => type.includes('hash');
/** Rounds that a loop of any number of rounds is cut to. */
const FEW_ROUNDS = 7;
const GET_SMP_PROCESSOR_ID = 8;
/** Nanoseconds until a timer fires: after its map is gone. */
const LATE_NS = 1n << 60n;
const MANY_ROUNDS = 32;

/** Rewrites `program`, which the verifier accepted as `accepted` says. */
export function recordingProgram(program: Program, accepted: Accepted): Recording | NotRecorded {
  return new Recorder(program, accepted).make();
}

type PlannedSite = Omit<Site, 'slot'> & { readonly item: Item };

class Recorder {
  private readonly draft: Draft;
  private readonly log: number;
  private readonly sites: PlannedSite[] = [];
  private fresh = 0;
  /** Size of the keys that a callback is called with, by its first slot. */
  private readonly elementCallbacks = new Map<number, number>();

  constructor(
    private readonly program: Program,
    private readonly accepted: Accepted,
  ) {
    this.log = program.maps.length;
    this.draft = new Draft({ ...program, maps: [...program.maps, LOG] });
  }

  make(): Recording | NotRecorded {
    const { draft } = this;
    this.findElementCallbacks();
    // Edits from the end to the start, so that earlier indices stay valid.
    for (let index = draft.items.length - 1; index >= 0; index--) {
      const op = draft.opAt(index);
      const slot = draft.slotAt(index);
      if (op === undefined || slot < 0) continue;
      const visits = this.accepted.facts.at(slot);
      const why = visits.length === 0 ? undefined : this.rewrite(op, index, slot, visits);
      if (why !== undefined) return { why };
      const keySize = this.elementCallbacks.get(slot);
      if (keySize === undefined) continue;
      // The key would be recorded in each round, when r2 is the key no more.
      if (this.comesBackTo(slot)) return { why: 'a callback that begins with a loop' };
      this.recordKey(index, keySize);
    }
    if (this.program.maps.some(isPerCpu)) this.recordCpu();
    const starts = new Map<Item, number>();
    let at = 0;
    for (const item of draft.items) {
      starts.set(item, at);
      if (item.kind !== 'label') at += slots(item.kind === 'linked' ? item.op : item);
    }
    const sites = this.sites.map(({ item, ...site }): Site => ({ ...site, slot: starts.get(item)! }));
    return { program: draft.link(this.program.name), log: this.log, sites };
  }

  /** Whether some insn jumps to the first insn of a function. */
  private comesBackTo(slot: number): boolean {
    return this.accepted.code.ops.some((op, at) => op !== undefined && successors(op, at).includes(slot));
  }

  /** Callbacks that bpf_for_each_map_elem calls with the elements of a hash. */
  private findElementCallbacks(): void {
    this.accepted.code.contracts.forEach((contract, slot) => {
      if (contract?.name !== 'bpf_for_each_map_elem') return;
      for (const { state } of this.accepted.facts.at(slot)) {
        const { regs } = frameOf(state);
        const map = this.program.maps[regs[1]!.map];
        if (map !== undefined && isHashed(map)) this.elementCallbacks.set(regs[2]!.frame, map.keySize);
      }
    });
  }

  /** The key is behind r2; r0 and r5 to r9 are free at the start of a function. */
  private recordKey(index: number, keySize: number): void {
    const size = ENTRY_HEADER + Math.ceil(keySize / 8) * 8;
    const code = this.reserveEntry(this.sites.length, size, r6, r7);
    code.push(...copy({ from: r2, off: 0, to: ENTRY_HEADER, size: keySize, at: r6, by: r7 }));
    this.sites.push({
      item: code[0]!,
      kind: 'key',
      name: 'callback',
      value: 'none',
      size,
      copied: [{ arg: 1, at: ENTRY_HEADER, size: keySize }],
      unseen: [],
    });
    this.draft.items.splice(index, 0, ...code);
  }

  /** Code at the very start, where only r1 holds a value. */
  private recordCpu(): void {
    const first = this.draft.items.findIndex((item) => item.kind !== 'label');
    this.draft.items.splice(
      first,
      0,
      mov(r6, r1),
      callHelper(GET_SMP_PROCESSOR_ID),
      ldMapValue(r2, this.log),
      stx(8, r2, CPU_AT, r0),
      mov(r1, r6),
    );
  }

  private rewrite(op: Op, index: number, slot: number, visits: readonly Visit[]): string | undefined {
    const { draft, accepted } = this;
    if (op.kind === 'unwind_goto' || op.kind === 'unwind_exit')
      return 'a landing pad, which the log of calls does not tell';
    if (op.kind === 'may_goto') return this.limitMayGoto(index, slot);
    if (op.kind === 'ldx' || op.kind === 'load_acquire') {
      const base = visits
        .map((visit) => frameOf(visit.state).regs[op.src]!)
        .find((reg) => KERNEL_OBJECTS.has(reg.type));
      if (base === undefined) return undefined;
      return this.recordLoad(op, index, slot, base);
    }
    if (op.kind !== 'call' || op.target === 'subprog') return undefined;
    const contract = accepted.code.contracts[slot];
    if (contract === undefined) return undefined;
    if (contract.name === 'bpf_iter_num_new' && !hasFewRounds(visits, MANY_ROUNDS))
      return 'an iterator over any number of numbers';
    if (contract.name === 'bpf_tail_call' || contract.name === 'bpf_throw') return undefined;
    this.recordCall(contract, index, visits);
    // A timer that fires while the program runs would change what it sees, and the log.
    if (contract.name === 'bpf_timer_start') draft.items.splice(index, 0, ldImm64(r2, LATE_NS));
    if (
      contract.name === 'bpf_loop' &&
      visits.some(({ state }) => roundsOf(frameOf(state).regs[1]!) > MANY_ROUNDS)
    ) {
      draft.items.splice(index, 0, and(w1, FEW_ROUNDS), or(w1, 1));
    }
    return undefined;
  }

  /** Makes room for an entry of `size` bytes: `at` points to it, less the header of the log. */
  private reserveEntry(site: number, size: number, at: Reg<64>, spare: Reg<64>): Item[] {
    return [
      ldMapValue(at, this.log),
      mov(spare, size),
      { kind: 'atomic', op: 'add', fetch: true, size: 8, dst: at.reg, src: spare.reg, off: 0 },
      and(spare, LOG_BYTES - 8),
      add(at, spare),
      st(8, at, LOG_HEADER, site),
    ];
  }

  private recordCall(contract: Contract, index: number, visits: readonly Visit[]): void {
    const value = valueKind(contract);
    const isVoid = contract.outcomes.some(({ r0: result }) => result.kind === 'void');
    const copied: Copied[] = [];
    const unseen: number[] = [];
    const code: Item[] = [];
    let size = ENTRY_HEADER;
    contract.args.forEach((arg, number) => {
      if (!isBuffer(arg)) return;
      const place = bufferOf(arg, number, visits, this.program.maps);
      if (place === undefined || size + place.size > LARGEST_ENTRY) {
        unseen.push(number);
        return;
      }
      if (place.size === 0) return;
      if (place.map < 0) code.push(...copyHere(r10, place.off, size, place.size));
      else code.push(ldMapValue(r2, place.map), ...copyHere(r2, place.off, size, place.size));
      copied.push({ arg: number, at: size, size: place.size });
      size += Math.ceil(place.size / 8) * 8;
    });
    const fresh = this.freshMemory(contract, visits);
    if (fresh !== undefined) {
      const skip = `skip@${this.fresh++}`;
      code.push(jmp('eq', r0, 0, skip));
      for (const [off, length] of fresh.parts) code.push(...copyHere(r0, off, size + off, length));
      code.push(label(skip));
      copied.push({ arg: -1, at: size, size: fresh.size });
      size += Math.ceil(fresh.size / 8) * 8;
    }
    if (isVoid && copied.length === 0) return;
    const site = this.sites.length;
    const start = this.reserveEntry(site, size, r1, r2);
    if (!isVoid) start.push(stx(8, r1, LOG_HEADER + 8, r0));
    this.sites.push({
      item: this.draft.items[index]!,
      kind: 'call',
      name: contract.name,
      value,
      size,
      copied,
      unseen,
    });
    this.draft.items.splice(index + 1, 0, ...start, ...code);
  }

  /** Functions that return memory do not clear it, so its contents are recorded. */
  private freshMemory(
    contract: Contract,
    visits: readonly Visit[],
  ): { readonly size: number; readonly parts: readonly (readonly [number, number])[] } | undefined {
    if (contract.name === 'bpf_ringbuf_reserve') {
      const sizes = new Set(visits.map(({ state }) => constantOf(frameOf(state).regs[2]!)));
      const [size] = sizes;
      if (sizes.size !== 1 || size === undefined || size > 512) return undefined;
      return { size, parts: [[0, size]] };
    }
    if (contract.name !== 'bpf_obj_new_impl') return undefined;
    const ids = new Set(visits.map(({ state }) => constantOf(frameOf(state).regs[1]!)));
    const type = this.program.localTypes.find(({ id }) => ids.size === 1 && ids.has(id));
    return type === undefined ? undefined : { size: type.size, parts: plainParts(type) };
  }

  private recordLoad(
    op: Extract<Op, { kind: 'ldx' | 'load_acquire' }>,
    index: number,
    slot: number,
    base: AbstractReg,
  ): string | undefined {
    const after = this.accepted.code.live[slot + 1] ?? 0;
    const free = registers.filter(({ reg }) => reg < FP && reg !== op.dst && (after & (1 << reg)) === 0);
    const [at, spare] = free;
    if (at === undefined || spare === undefined)
      return 'a load from a kernel object where all registers are in use';
    const size = ENTRY_HEADER;
    const code = [
      ...this.reserveEntry(this.sites.length, size, at, spare),
      stx(8, at, LOG_HEADER + 8, registers[op.dst]!),
    ];
    this.sites.push({
      item: this.draft.items[index]!,
      kind: 'load',
      name: base.type,
      value: 'number',
      size,
      copied: [],
      unseen: [],
    });
    this.draft.items.splice(index + 1, 0, ...code);
    return undefined;
  }

  /** may_goto leaves the loop after a number of rounds that the log's header says. */
  private limitMayGoto(index: number, slot: number): string | undefined {
    const item = this.draft.items[index]!;
    if (item.kind !== 'linked') return 'may_goto without a target';
    const live = this.accepted.code.live[slot] ?? 0;
    const [at, spare] = registers.filter(({ reg }) => reg < FP && (live & (1 << reg)) === 0);
    if (at === undefined || spare === undefined) return 'may_goto where all registers are in use';
    this.draft.items.splice(
      index,
      1,
      ldMapValue(at, this.log),
      mov(spare, -1),
      { kind: 'atomic', op: 'add', fetch: true, size: 8, dst: at.reg, src: spare.reg, off: BUDGET_AT },
      jmp('sle', spare, 0, item.target),
      mayGoto(item.target),
    );
    return undefined;
  }
}

function valueKind({ name, outcomes }: Contract): Site['value'] {
  // Linux takes the error for a 64-bit number, but the functions leave the upper half of r0 zero.
  if (name.startsWith('bpf_res_spin_lock')) return 'half';
  for (const { r0: result } of outcomes) {
    if (result.kind === 'void') return 'none';
    if (result.kind !== 'pointer') continue;
    // An untrusted pointer may be NULL. Reading through it is safe even then.
    const { to } = result;
    return to.kind === 'cast' || (to.kind === 'btf' && to.trust === 'untrusted') ? 'none' : 'pointer';
  }
  return 'number';
}

interface Copy {
  readonly from: Reg<64>;
  readonly off: number;
  /** Where in the entry. */
  readonly to: number;
  readonly size: number;
  /** Register that points to the entry, less the log's header; and one to copy by. */
  readonly at: Reg<64>;
  readonly by: Reg<64>;
}

function copy({ from, off, to, size, at, by }: Copy): Op[] {
  const code: Op[] = [];
  for (let done = 0; done < size; ) {
    const aligned = (off + done) & 7 || 8;
    const step = ([8, 4, 2, 1] as const).find(
      (n): n is Size => n <= size - done && (aligned & (n - 1)) === 0,
    )!;
    code.push(ldx(step, by, from, off + done), stx(step, at, LOG_HEADER + to + done, by));
    done += step;
  }
  return code;
}

/** The same after a call: the entry is at r1. */
const copyHere = (from: Reg<64>, off: number, to: number, size: number): Op[] =>
  copy({ from, off, to, size, at: r1, by: r3 });
