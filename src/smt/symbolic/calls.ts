/** The symbolic side of a kernel function call: which results become variables, which memory, and which forks the call makes. */
import type { Arg, Contract, Outcome, PointerKind } from '../../kernel/contract.js';
import { isOutput } from '../../kernel/describe.js';
import { isMapOfSockets } from '../../kernel/maptypes.js';
import { DYNPTR_SIZE, IRQ_FLAG_SIZE, ITER_WORDS } from '../../kernel/structs.js';
import type { MapDef } from '../../object/program.js';
import type { Stub } from '../../patch/rule.js';
import { modelOf } from '../../vm/call/models/index.js';
import { outputsOf } from '../../vm/call/stub.js';
import { offsetOf, regionOf } from '../../vm/state/address.js';
import { type Choice, parseChoice, toHex } from '../../vm/state/environment.js';
import type { MachineState } from '../../vm/state/machine.js';
import { isOuter } from '../../vm/state/maps.js';
import type { SlotObject } from '../../vm/state/slot-object.js';
import { isConst, type Term } from '../term/term.js';
import type { RunState } from './state.js';

/** Bytes that the VM records of what a call writes or finds, at most. */
const RECORDED_BYTES = 64;
/** The error that stands for any failure of a map operation that the program cannot foresee. */
const MAP_ERROR = '-12';

const LOOKUPS: ReadonlySet<string> = new Set(['bpf_map_lookup_elem', 'bpf_map_lookup_percpu_elem']);
const COUNTING: ReadonlySet<string> = new Set(['bpf_iter_num_new', 'bpf_iter_num_next']);
/** The VM's model decides what this function returns and writes, not the environment. */
function vmDecides(name: string): boolean {
  const model = modelOf(name);
  return model?.run !== undefined && model.watches !== true;
}

/** The VM's model computes a result from values, and the terms do not follow that computation. */
function isNotModelled(name: string): boolean {
  if (LOOKUPS.has(name) || COUNTING.has(name)) return false;
  return vmDecides(name) || name === 'bpf_for_each_map_elem';
}

const isArray = (map: MapDef | undefined): boolean => map?.type === 'array' || map?.type === 'percpu_array';

/** One call, from before the VM executes it until after. */
export class SymbolicCall {
  private readonly args: readonly bigint[];
  private readonly terms: readonly Term[];
  private readonly iterator: SlotObject | undefined;
  private readonly key: { readonly bytes: Uint8Array; readonly there: boolean } | undefined;

  constructor(
    private readonly run: RunState,
    private readonly contract: Contract,
    private readonly slot: number,
    /** `function#n`. */
    private readonly name: string,
  ) {
    const { machine, shadow } = run;
    this.args = contract.args.map((_, index) => machine.regs[index + 1]!);
    this.terms = contract.args.map((_, index) => shadow.reg(index + 1));
    const at = this.args[0] ?? 0n;
    this.iterator = machine.memory.get(regionOf(at))?.objects?.get(offsetOf(at));
    this.key = LOOKUPS.has(contract.name) ? this.readKey() : undefined;
    contract.args.forEach((arg, index) => {
      if (this.vmActsOn(arg)) run.concretize(this.terms[index]!, this.args[index]!);
    });
  }

  /** The VM acts on the value of this argument, so it must be concretized. */
  private vmActsOn(arg: Arg): boolean {
    switch (arg.kind) {
      case 'anything':
      case 'scalar':
        return (
          modelOf(this.contract.name) !== undefined &&
          modelOf(this.contract.name)?.watches !== true &&
          !COUNTING.has(this.contract.name) &&
          this.contract.name !== 'bpf_loop'
        );
      case 'ignored':
        return false;
      default:
        return true;
    }
  }

  private get map(): MapDef | undefined {
    const region = this.run.machine.memory.get(regionOf(this.args[0] ?? 0n));
    return region?.kind === 'map' ? this.run.machine.code.program.maps[region.map] : undefined;
  }

  /** The number of the map of argument 0, as the VM counts maps. */
  private get mapNumber(): number {
    const handle = regionOf(this.args[0]!);
    const { memory, maps } = this.run.machine;
    return maps.numberOf(handle, memory.get(handle)!.map);
  }

  private readKey(): { readonly bytes: Uint8Array; readonly there: boolean } | undefined {
    const { machine } = this.run;
    const at = this.args[1] ?? 0n;
    const region = machine.memory.get(regionOf(at));
    const size = this.map?.keySize ?? 0;
    const offset = offsetOf(at);
    if (region === undefined || offset < 0 || offset + size > region.bytes.length) return undefined;
    const bytes = region.bytes.slice(offset, offset + size);
    const index = this.mapNumber;
    // Only a hash may lack an entry. Looking up an entry of an array would create it.
    const there = isArray(this.map) || machine.maps.present(machine.memory, index, bytes) !== 0;
    return { bytes, there };
  }

  /** After the VM has carried the call out. */
  finish(): void {
    const { run, contract, slot } = this;
    const { machine } = run;
    const made = parseChoice(machine.choices.made(this.name));
    const outcome = this.outcome(made.outcome);
    run.outcome(outcome.name);
    if (made.outcome !== undefined) {
      run.recordChoice(slot, this.name, made.outcome, this.otherOutcomes(made.outcome));
    }
    this.conditionsOfOutcome(outcome, made);
    this.makeOutputConcrete();
    run.shadow.clobber();
    run.shadow.setReg(0, this.termOfR0(outcome));
    for (const effect of outcome.effects) {
      if (effect.kind === 'write') this.unknownOutput(effect.arg);
    }
    this.unknownTarget(outcome);
    if (isNotModelled(contract.name)) {
      run.gap(`${contract.name} is not modelled as terms`);
      run.shadow.forgetShared();
    }
  }

  /** The outcome that the call had. If the environment did not choose it, r0 tells whether a pointer was returned. */
  private outcome(name: string | undefined): Outcome {
    const { outcomes } = this.contract;
    const named = outcomes.find((outcome) => outcome.name === name);
    if (named !== undefined) return named;
    const pointer = (this.run.machine.readable & 1) !== 0 && this.run.machine.regs[0] !== 0n;
    const fits = (outcome: Outcome): boolean =>
      (outcome.r0.kind === 'pointer') === pointer && this.isOfThisMap(outcome);
    return outcomes.find(fits) ?? outcomes[0]!;
  }

  /** A map of sockets gives sockets, any other map gives values. */
  private isOfThisMap({ guard }: Outcome): boolean {
    const { map } = this;
    const ofSockets = map !== undefined && isMapOfSockets(map);
    return guard?.kind !== 'map_of_sockets' || ofSockets === guard.is;
  }

  /** The other outcomes that the search tries. The VM corrects an outcome that is impossible; that costs one run. */
  private otherOutcomes(chosen: string): readonly string[] {
    const owning = (index: number): boolean =>
      this.run.heldBefore.some((hold) => hold.region === regionOf(this.args[index] ?? 0n));
    return this.contract.outcomes
      .filter(({ guard }) => guard?.kind !== 'not_owning' || !owning(guard.arg))
      .filter((outcome) => this.isOfThisMap(outcome))
      .map((outcome) => outcome.name)
      .filter((name) => name !== chosen);
  }

  /** For outcomes that follow from numbers: records the condition under which this outcome came. */
  private conditionsOfOutcome(outcome: Outcome, made: Choice): void {
    const { run, contract, slot } = this;
    const { t } = run.shadow;
    if (contract.name === 'bpf_map_lookup_elem' && isArray(this.map) && this.key !== undefined) {
      const offset = offsetOf(this.args[1]!);
      const key = run.shadow.load(regionOf(this.args[1]!), offset, 4);
      const inside = t.ult(key, t.constant(32, BigInt(this.map!.maxEntries)));
      run.branch(slot, inside, outcome.r0.kind === 'pointer');
    }
    if (LOOKUPS.has(contract.name) && this.key !== undefined) this.concretizeKey();
    if (contract.name === 'bpf_iter_num_new') {
      run.iterators.set(this.args[0]!, [t.extract(this.terms[1]!, 0, 32), t.extract(this.terms[2]!, 0, 32)]);
      // With constant bounds there is nothing to fork on.
      if (!isConst(this.terms[1]!) || !isConst(this.terms[2]!)) this.forkOnGoodRange();
    }
    if (contract.name === 'bpf_iter_num_next' && this.iterator?.kind === 'iter') this.forkOnNextNumber();
    if (contract.name === 'bpf_map_update_elem' || contract.name === 'bpf_map_delete_elem') {
      const r0 = BigInt.asIntN(64, run.machine.regs[0]!);
      const forced = made.value?.toString() === MAP_ERROR;
      if (forced || r0 === 0n)
        run.recordChoice(slot, this.name, forced ? MAP_ERROR : '0', [forced ? '0' : MAP_ERROR]);
    }
  }

  private concretizeKey(): void {
    const { bytes } = this.key!;
    const region = regionOf(this.args[1]!);
    const offset = offsetOf(this.args[1]!);
    bytes.forEach((byte, i) => {
      this.run.concretize(this.run.shadow.load(region, offset + i, 1), BigInt(byte));
    });
  }

  private forkOnGoodRange(): void {
    const { run } = this;
    const { t } = run.shadow;
    const [start, end] = run.iterators.get(this.args[0]!)!;
    // The difference is computed with 64 bits, as in the kernel: it may not fit in 32.
    const distance = t.sub(t.sext(64, end), t.sext(64, start));
    const good = t.all([t.sle(start, end), t.sle(distance, t.constant(64, 8n * 1024n * 1024n))]);
    run.branch(this.slot, good, BigInt.asIntN(64, run.machine.regs[0]!) === 0n);
  }

  /** Whether a numeric iterator gives one more number: its next one is below its end. */
  private forkOnNextNumber(): void {
    const { run } = this;
    const { t } = run.shadow;
    const bounds = run.iterators.get(this.args[0]!);
    const iter = run.machine.memory.get(regionOf(this.args[0]!))?.objects?.get(offsetOf(this.args[0]!));
    if (bounds === undefined || iter?.kind !== 'iter' || this.iterator?.kind !== 'iter') return;
    const [next, end] = bounds;
    if (this.iterator.state === 'drained') return;
    const gave = run.machine.regs[0] !== 0n;
    run.branch(this.slot, t.slt(next, end), gave);
    if (!gave) return;
    run.iterators.set(this.args[0]!, [t.add(next, t.constant(32, 1n)), end]);
    run.shadow.store(regionOf(run.machine.regs[0]!), offsetOf(run.machine.regs[0]!), 4, next);
  }

  /** Stack slots and output memory become what the VM wrote there. */
  private makeOutputConcrete(): void {
    const { shadow, machine } = this.run;
    this.contract.args.forEach((arg, index) => {
      const at = this.args[index]!;
      const size = slotSize(arg);
      if (size > 0) shadow.makeConcrete(regionOf(at), offsetOf(at), size);
      if (isOutput(arg) && at !== 0n && machine.memory.get(regionOf(at)) !== undefined) {
        shadow.makeConcrete(regionOf(at), offsetOf(at), this.memorySize(arg));
      }
    });
  }

  private memorySize(arg: Arg): number {
    if (arg.kind === 'map_value') return this.map?.valueSize ?? 0;
    if (arg.kind !== 'mem') return 0;
    return 'bytes' in arg.size ? arg.size.bytes : Number((this.args[arg.size.arg] ?? 0n) & 0xffff_ffffn);
  }

  /** A variable if the environment decides r0; `undefined` if r0 is the constant that the VM has. */
  private termOfR0(outcome: Outcome): Term | undefined {
    const { run, contract } = this;
    const { r0 } = outcome;
    if (r0.kind !== 'scalar' || vmDecides(contract.name)) return undefined;
    if (contract.args.some((arg) => arg.kind === 'callback')) return undefined;
    let [min, max] = outcome.usual ?? [r0.min, r0.max];
    if (r0.upTo !== undefined) {
      const limit = (this.args[r0.upTo] ?? 0n) & 0xffff_ffffn;
      if (limit < max) max = limit;
    }
    if (min < r0.min) min = r0.min;
    if (outcome.usual !== undefined && (min > r0.min || max < r0.max)) {
      run.gap(`${contract.name} returns likely numbers only`);
    }
    if (min >= max) return undefined;
    const term = run.inputs.returned(this.name, min, max);
    run.recordValue(term, run.machine.regs[0]!);
    return term;
  }

  private unknownOutput(index: number): void {
    const { contract } = this;
    if (vmDecides(contract.name)) return;
    const arg = contract.args[index]!;
    const at = this.args[index]!;
    if (at === 0n) return;
    const size = Math.min(this.memorySize(arg), RECORDED_BYTES);
    this.unknownBytes(regionOf(at), offsetOf(at), size);
  }

  private unknownBytes(region: number, offset: number, size: number): void {
    const { run } = this;
    for (let i = 0; i < size; i++) {
      const term = run.inputs.callByte(this.name, i);
      run.recordValue(term, BigInt(run.machine.memory.get(region)?.bytes[offset + i] ?? 0));
      run.shadow.store(region, offset + i, 1, term);
    }
  }

  /** If r0 points to a new object, its contents become variables. */
  private unknownTarget(outcome: Outcome): void {
    const { run, contract } = this;
    const { machine, shadow, inputs } = run;
    const { r0 } = outcome;
    const at = machine.regs[0]!;
    this.unknownRecord(outcome);
    if (r0.kind !== 'pointer' || at === 0n || shadow.hasOrigin(regionOf(at))) return;
    const region = regionOf(at);
    if (UNKNOWN_CONTENTS.has(r0.to.kind)) {
      this.unknownContents(region);
      return;
    }
    const { map, key } = this;
    if (contract.name !== 'bpf_map_lookup_elem' || map === undefined || key === undefined) return;
    // Inner maps are left out: the bytes of an entry do not name a map, and an environment does not say what an inner map holds at the
    // start.
    if (isOuter(map)) return;
    if (key.there && this.mapNumber >= machine.code.program.maps.length)
      run.gap('what inner maps hold at first is taken as it is');
    else if (key.there) run.mapValue(region, map, toHex(key.bytes));
    else
      shadow.setOrigin(region, (offset) =>
        run.recordByte(inputs.callByte(this.name, offset), region, offset),
      );
  }

  /** A record that was reserved through a dynptr. */
  private unknownRecord({ effects }: Outcome): void {
    for (const effect of effects) {
      if (effect.kind !== 'init_dynptr' || effect.acquires !== 'dynptr') continue;
      const at = this.args[effect.arg]!;
      const object = this.run.machine.memory.get(regionOf(at))?.objects?.get(offsetOf(at));
      if (object?.kind === 'dynptr' && object.region !== 0) this.unknownContents(object.region);
    }
  }

  private unknownContents(region: number): void {
    const { run } = this;
    run.shadow.setOrigin(region, (offset) =>
      offset < RECORDED_BYTES
        ? run.recordByte(run.inputs.callByte(this.name, offset), region, offset)
        : undefined,
    );
  }
}

/** Pointers to kernel objects and to memory that was not cleared: their contents are unknown. */
const UNKNOWN_CONTENTS: ReadonlySet<PointerKind['kind']> = new Set(['sock', 'btf', 'record', 'object']);

function slotSize(arg: Arg): number {
  if (arg.kind === 'dynptr') return arg.state === 'uninit' ? DYNPTR_SIZE : 0;
  if (arg.kind === 'iter') return 8 * ITER_WORDS[arg.type];
  return arg.kind === 'irq_flag' ? IRQ_FLAG_SIZE : 0;
}

/** The symbolic side of a stub that was carried out: the memory that it wrote, the slots that it filled and r0 are constants. */
export function afterStub(
  run: RunState,
  contract: Contract,
  stub: Stub,
  args: readonly bigint[],
  machine: MachineState,
): void {
  contract.args.forEach((arg, index) => {
    const at = args[index]!;
    const size = slotSize(arg);
    if (size > 0) run.shadow.makeConcrete(regionOf(at), offsetOf(at), size);
  });
  for (const { index, at, size } of outputsOf(machine, contract, stub, (arg) => args[arg]!))
    if (stub.writes.includes(index)) run.shadow.makeConcrete(regionOf(at), offsetOf(at), size);
  run.shadow.clobber();
  run.shadow.setReg(0, undefined);
}
