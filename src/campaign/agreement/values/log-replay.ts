/** Gives a run in the VM the same outside world as the kernel's run had, read from the kernel's log. */
import type { Contract, Outcome } from '../../../kernel/contract.js';
import { offsetOf, regionOf } from '../../../vm/state/address.js';
import { printChoice, toHex } from '../../../vm/state/environment.js';
import type { MachineState } from '../../../vm/state/machine.js';
import type { Inputs } from './inputs.js';
import { LOG_BYTES, LOG_HEADER, type Recording, type Site } from './log.js';

/** may_goto itself never ends a loop here: the recorder puts a counter before it. */
const ENDLESS = '8388608';

/** Thrown through the VM where the log does not fit the run. */
export class Divergence extends Error {
  constructor(
    readonly kind: 'differs' | 'left out',
    message: string,
  ) {
    super(message);
  }
}

/** Functions that do in the VM what they do in the kernel, r0 included, whatever the log says. */
const COMPUTED_BY_VM = /^bpf_(map_(lookup|update|delete|lookup_percpu)_elem|kptr_xchg|loop|rbtree_add_impl)$/;
/** A loop may come to an element that was replaced or deleted meanwhile. */
const CHANGES_MAP = /^bpf_map_(update|delete)_elem$/;
/** Functions that write the same bytes in the VM as in the kernel, if they succeed. */
const WRITES_SAME_BYTES = /^bpf_(skb_load_bytes|xdp_load_bytes|dynptr_read|map_(pop|peek)_elem)$/;

/** Answers each choice of the run from the kernel's log. */
export class LogReplay implements ReadonlyMap<string, string> {
  machine: MachineState | undefined;
  /** The map and index of the tail call that was taken. */
  tailCallTaken: readonly [number, number] | undefined;
  private readonly view: DataView;
  private readonly sites = new Map<number, { readonly site: Site; readonly index: number }>();

  constructor(
    private readonly recorded: Recording,
    private readonly log: Uint8Array,
    private readonly inputs: Inputs,
  ) {
    this.view = new DataView(log.buffer, log.byteOffset, log.byteLength);
    recorded.sites.forEach((site, index) => {
      this.sites.set(site.slot, { site, index });
    });
  }

  /** Slots at which the VM must be told more than a choice can say. */
  get slotsToStopAt(): ReadonlySet<number> {
    const stops = this.recorded.sites.filter(
      ({ kind, copied }) => kind === 'load' || copied.some(({ arg }) => arg >= 0),
    );
    return new Set(stops.map(({ slot }) => slot));
  }

  get(key: string): string | undefined {
    if (key.startsWith('may_goto')) return ENDLESS;
    const { machine } = this;
    if (machine === undefined) return undefined;
    if (key.startsWith('bpf_tail_call#')) return this.tailCall(machine);
    const known = this.sites.get(machine.pc);
    const contract = machine.code.contracts[machine.pc];
    if (known === undefined || contract === undefined) return undefined;
    if (COMPUTED_BY_VM.test(contract.name) && !this.isLruLookup(machine, contract)) return undefined;
    if (contract.name === 'bpf_for_each_map_elem') return this.iterationOrder(machine, known.index);
    const at =
      contract.name === 'bpf_find_vma'
        ? this.laterEntryOf(machine, known.index)
        : this.nextEntry(machine, known.index, known.site);
    const value = this.valueAt(at, contract);
    return this.choice(contract, known.site, at, value);
  }

  private choice(contract: Contract, site: Site, at: number, value: bigint): string | undefined {
    const outcome = outcomeOf(contract, value, site);
    if (outcome === undefined)
      throw new Divergence('differs', `${contract.name} returns ${value}, which is in no outcome`);
    refuseUncomparable(contract, site, value);
    const [first] = site.copied;
    const bytes =
      first === undefined ? undefined : this.log.subarray(at + first.at, at + first.at + first.size);
    const fresh =
      outcome.r0.kind === 'pointer' && outcome.r0.to.kind !== 'record' && outcome.r0.to.kind !== 'object';
    return printChoice({
      outcome: outcome.name,
      ...(outcome.r0.kind === 'scalar' ? { value } : {}),
      ...(bytes === undefined || fresh ? {} : { bytes }),
    });
  }

  /** The keys that a loop over a map went through. */
  private iterationOrder(machine: MachineState, index: number): string | undefined {
    const map = machine.code.program.maps[machine.memory.get(regionOf(machine.regs[1]!))?.map ?? -1];
    if (map?.type.includes('hash') !== true) return undefined;
    const callback = offsetOf(machine.regs[2]!);
    const keys: number[] = [];
    let changed = false;
    const end = this.laterEntryOf(machine, index, (start, site) => {
      if (CHANGES_MAP.test(site.name)) changed ||= this.view.getBigInt64(start + 8, true) === 0n;
      if (site.kind !== 'key' || site.slot !== callback) return;
      if (changed) throw new Divergence('left out', 'a hash that changes while it is gone through');
      const key = site.copied[0]!;
      keys.push(...this.log.subarray(start + key.at, start + key.at + key.size));
    });
    return end === 0 || keys.length === 0 ? undefined : `some::${toHex(Uint8Array.from(keys))}`;
  }

  /** A lookup in an LRU map. When it drops entries cannot be predicted. */
  private isLruLookup(machine: MachineState, { name }: Contract): boolean {
    const map = machine.code.program.maps[machine.memory.get(regionOf(machine.regs[1]!))?.map ?? -1];
    return name === 'bpf_map_lookup_elem' && map?.type === 'lru_hash';
  }

  private valueAt(at: number, contract: Contract): bigint {
    const value = this.view.getBigInt64(at + 8, true);
    return contract.kind === 'kfunc' &&
      contract.ret === 'int' &&
      contract.name.startsWith('bpf_res_spin_lock')
      ? BigInt.asIntN(32, value)
      : value;
  }

  /** The entry of a function that calls back comes after those of its callback, which cannot call it again. */
  private laterEntryOf(
    machine: MachineState,
    index: number,
    before: (start: number, site: Site) => void = () => {},
  ): number {
    const end = this.view.getBigUint64(0, true);
    for (let at = logPosition(machine, this.recorded.log); at < end; ) {
      const start = LOG_HEADER + (Number(at) & (LOG_BYTES - 8));
      const there = Number(this.view.getBigUint64(start, true));
      if (there === index) return start;
      before(start, this.recorded.sites[there]!);
      at += BigInt(this.recorded.sites[there]!.size);
    }
    throw new Divergence(
      'differs',
      `path: the kernel did not come back from ${this.recorded.sites[index]!.name}`,
    );
  }

  private tailCall(machine: MachineState): string {
    const index = machine.memory.get(regionOf(machine.regs[2]!))?.map ?? -1;
    const at = Number(machine.regs[3]! & 0xffff_ffffn);
    const target = this.inputs.jumps[index]?.[at];
    if (target === undefined) return 'missed';
    this.tailCallTaken = [index, at];
    return 'jumped';
  }

  /** Where the next entry of the log starts. It must be of this site. */
  nextEntry(machine: MachineState, index: number, site: Site): number {
    const at = Number(logPosition(machine, this.recorded.log));
    const end = Number(this.view.getBigUint64(0, true));
    if (at >= end) throw new Divergence('differs', `path: the kernel did not come to ${site.name}`);
    const start = LOG_HEADER + (at & (LOG_BYTES - 8));
    const there = this.view.getBigUint64(start, true);
    if (there === BigInt(index)) return start;
    const name = this.recorded.sites[Number(there)]?.name ?? 'nowhere';
    throw new Divergence('differs', `path: ${site.name} where the kernel came to ${name}`);
  }

  /** To be called after the insn at pc. Copies into the buffers what the function wrote into them in the kernel. */
  outputBuffers(machine: MachineState): (() => void) | undefined {
    const known = this.sites.get(machine.pc);
    const contract = machine.code.contracts[machine.pc];
    if (known === undefined || contract === undefined) return undefined;
    const at = this.nextEntry(machine, known.index, known.site);
    if (WRITES_SAME_BYTES.test(contract.name) && this.view.getBigInt64(at + 8, true) === 0n) return undefined;
    const parts = known.site.copied.flatMap(({ arg, at: from, size }) =>
      arg < 0 ? [] : [[machine.regs[arg + 1]!, this.log.slice(at + from, at + from + size)] as const],
    );
    return () => {
      for (const [to, bytes] of parts) if (to !== 0n) machine.writeBytes(to, bytes);
    };
  }

  /** To be called before a load from a kernel object. Puts the value there that the kernel found. */
  placeLoadedBytes(machine: MachineState): void {
    const known = this.sites.get(machine.pc);
    const op = machine.code.ops[machine.pc];
    if (known === undefined || (op?.kind !== 'ldx' && op?.kind !== 'load_acquire')) return;
    const at = this.nextEntry(machine, known.index, known.site);
    const base = machine.regs[op.src]!;
    const region = machine.memory.get(regionOf(base));
    // NULL, or an object that the VM knows itself.
    if (region === undefined || (region.kind !== 'btf' && region.kind !== 'sock')) return;
    const bytes = region.bytes.slice();
    const offset = offsetOf(base) + op.off;
    if (offset < 0 || offset + op.size > bytes.length) return;
    bytes.set(this.log.subarray(at + 8, at + 8 + op.size), offset);
    machine.memory.replace(regionOf(base), bytes);
  }

  get size(): number {
    return 0;
  }
  has(): boolean {
    return false;
  }
  forEach(): void {}
  entries(): MapIterator<[string, string]> {
    return new Map<string, string>().entries();
  }
  keys(): MapIterator<string> {
    return new Map<string, string>().keys();
  }
  values(): MapIterator<string> {
    return new Map<string, string>().values();
  }
  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }
}

function logPosition(machine: MachineState, log: number): bigint {
  const region = machine.maps.present(machine.memory, log, new Uint8Array(4));
  return machine.memory.get(region)!.view.getBigUint64(0, true);
}

/** The outcome that follows from r0. */
function outcomeOf(contract: Contract, value: bigint, site: Site): Outcome | undefined {
  if (site.value === 'none') return contract.outcomes.at(-1);
  const half = contract.kind === 'kfunc' && contract.ret === 'int';
  const low = BigInt.asIntN(32, value);
  const within = ([min, max]: readonly [bigint, bigint]): boolean => value >= min && value <= max;
  const within32 = ([min, max]: readonly [bigint, bigint]): boolean => low >= min && low <= max;
  const fits = ({ r0, usual }: Outcome, strictly: boolean): boolean => {
    if (r0.kind === 'null') return value === 0n;
    if (r0.kind === 'pointer') return value !== 0n;
    if (r0.kind === 'void') return true;
    if (usual !== undefined) return within(usual) || (half && usual[0] < 0n && within32(usual));
    return strictly ? false : within([r0.min, r0.max]);
  };
  return (
    contract.outcomes.find((one) => fits(one, true)) ?? contract.outcomes.find((one) => fits(one, false))
  );
}

const COPIES_INTO_DYNPTR =
  /^bpf_(probe_read|copy_from_user).*_dynptr$|^bpf_crypto_(en|de)crypt$|^bpf_cgroup_read_xattr$/;
const EFAULT = -14n;

/** An effect of the call that the VM cannot repeat. */
function refuseUncomparable(contract: Contract, site: Site, value: bigint): void {
  // The memory behind the dynptr is overwritten, and partly even if the source cannot be read.
  if (COPIES_INTO_DYNPTR.test(contract.name) && (value >= 0n || BigInt.asIntN(32, value) === EFAULT))
    throw new Divergence('left out', 'memory behind a dynptr is written from elsewhere');
  if (site.unseen.length > 0)
    throw new Divergence('left out', `a buffer that is not copied: ${contract.name}`);
}
