/**
 * Writes fragments as insns. It keeps, for the function being written, which registers and stack slots are taken, what is in
 * scope, and how to give back what is held; a fragment that cannot be written at its place is undone completely.
 */
import {
  callHelper,
  callKfunc,
  exit,
  ldMap,
  ldMapValue,
  ldx,
  mov,
  type Reg,
  r0,
  r10,
  registers,
  stx,
} from '../../src/isa/build.js';
import type { Item } from '../../src/isa/label.js';
import { contractOf } from '../../src/kernel/catalog.js';
import type { Contract } from '../../src/kernel/contract.js';
import type { DeclaredFunction, LocalType, MapDef, ProgType } from '../../src/object/program.js';
import { Allocator, Elided, type Home, STACK_BUDGET } from './frame.js';
import { isRefused } from './refused.js';
import { type Context, OUTSIDE, type ScalarThing, type Thing } from './scope.js';
import { type Frame, type FunctionKind, index, isClear, type Param, size, type Unit } from './unit.js';

/** What can be written: a fragment, as far as the compiler is concerned. */
export interface Writable {
  readonly body: readonly Writable[];
  emit(c: Compiler): void;
}

const NONE: ReadonlyMap<Writable, readonly Writable[]> = new Map();

/** What puts a function that is being written back to how it is now. */
function saved(frame: Frame): () => void {
  const { ctx, items, things, scalars, closers, read } = frame;
  const sizes = [items.length, things.length, scalars.length, closers.length, read.size] as const;
  const allocator = frame.allocator.save();
  return () => {
    frame.ctx = ctx;
    items.length = sizes[0];
    things.length = sizes[1];
    scalars.length = sizes[2];
    closers.length = sizes[3];
    // A set has its elements in the order in which they came.
    for (const home of [...read].slice(sizes[4])) read.delete(home);
    allocator();
  };
}

/**
 * Writes one program. Fragments ask it for registers, stack slots, helpers and branches; `units` has the finished functions, `maps`
 * and `kfuncs` what they use.
 */
export class Compiler {
  readonly units: Unit[] = [];
  readonly maps: MapDef[] = [];
  readonly kfuncs: string[] = [];
  readonly localTypes: LocalType[] = [];
  context: Context = OUTSIDE;
  /** Counts calls that change the packet; packet pointers from before such a call are dead. */
  packetEpoch = 0;
  /** Declared functions that are being called for what they make. */
  readonly producing = new Set<string>();
  /** What stands in place of fragments nested in the one that is being written; see `replacing`. */
  private instead: ReadonlyMap<Writable, readonly Writable[]> = NONE;
  private readonly frames: Frame[] = [];
  private labels = 0;
  private written = 0;

  constructor(
    readonly type: ProgType,
    /** No new fragment is started once this many slots are written. */
    private readonly limit: number,
    /** Every branch tests an unknown number, so that the verifier walks both ways. */
    readonly freshTests = false,
    /** Functions that no kernel has yet and that may be called. */
    readonly declared: readonly DeclaredFunction[] = [],
  ) {}

  /** The contract of a declared function, or of one of the tables. */
  contractOf(name: string): Contract | undefined {
    return contractOf(name, this.declared);
  }

  private get frame(): Frame {
    const frame = this.frames[this.frames.length - 1];
    if (frame === undefined) throw new Error('no function is being written');
    return frame;
  }

  /** Kind of the function being written. */
  get kind(): FunctionKind {
    return this.frame.kind;
  }

  /** Functions that are open here, the one being written among them. */
  get depth(): number {
    return this.frames.length;
  }

  /** Slots written so far. */
  get size(): number {
    return this.written;
  }

  emit(...items: readonly Item[]): void {
    this.frame.items.push(...items);
    for (const item of items) this.written += size(item);
  }

  /** A label that no other has. */
  fresh(): string {
    return `L${this.labels++}`;
  }

  /** Writes fragments in order; what cannot stand here is left out, its nested fragments are not. */
  body(fragments: readonly Writable[]): void {
    const { instead } = this;
    for (const node of instead === NONE ? fragments : fragments.flatMap((one) => instead.get(one) ?? [one])) {
      if (this.size >= this.limit) break;
      this.instead = NONE;
      if (!this.attempt(() => node.emit(this))) {
        this.instead = NONE;
        this.body(node.body);
      }
    }
    this.instead = instead;
  }

  /** Writes `write`, where the fragments that it has nested in it are replaced: each of the keys by the list of its value. */
  replacing(instead: ReadonlyMap<Writable, readonly Writable[]>, write: () => void): void {
    const { instead: outer } = this;
    // What is put in by the inner replacement may be a key of the outer one.
    const inner = [...instead].map(
      ([node, list]) => [node, list.flatMap((one) => outer.get(one) ?? [one])] as const,
    );
    this.instead = new Map([...outer, ...inner]);
    write();
    this.instead = NONE;
  }

  /** Writes with `write`; if it gives up, undoes all of it and returns false. */
  attempt(write: () => void): boolean {
    const undo = this.save();
    try {
      write();
      return true;
    } catch (error) {
      if (!(error instanceof Elided)) throw error;
      undo();
      return false;
    }
  }

  private save(): () => void {
    const { context, packetEpoch, labels, written, frame } = this;
    const units = this.units.length;
    const maps = this.maps.length;
    const kfuncs = this.kfuncs.length;
    const localTypes = this.localTypes.length;
    const frames = this.frames.length;
    // Functions around the one that is being written do not change until it is finished.
    const back = saved(frame);
    return () => {
      this.context = context;
      this.packetEpoch = packetEpoch;
      this.labels = labels;
      this.written = written;
      this.units.length = units;
      this.maps.length = maps;
      this.kfuncs.length = kfuncs;
      this.localTypes.length = localTypes;
      this.frames.length = frames;
      back();
    };
  }

  // Homes, stack, memory.

  /** Keeps r0 (or `from`) in a home while `inner` is written. */
  keep(spill: boolean, inner: (home: Home) => void, from: Reg<64> = r0): void {
    const home = this.frame.allocator.home(spill);
    this.store(home, from);
    inner(home);
    this.frame.allocator.release(home);
  }

  /** A home that `inner` writes itself. */
  withHome(spill: boolean, inner: (home: Home) => void): void {
    const home = this.frame.allocator.home(spill);
    inner(home);
    this.frame.allocator.release(home);
  }

  /** `bytes` of stack while `inner` is written, at an offset from r10; the bytes are not initialised. */
  stack(bytes: number, inner: (offset: number) => void): void {
    const offset = this.frame.allocator.stack(bytes);
    inner(offset);
    this.frame.allocator.releaseStack(offset, bytes);
  }

  /** `bytes` of stack until `giveStack`. */
  takeStack(bytes: number): number {
    return this.frame.allocator.stack(bytes);
  }

  giveStack(offset: number, bytes: number): void {
    this.frame.allocator.releaseStack(offset, bytes);
  }

  store(home: Home, from: Reg<64>): void {
    this.emit('reg' in home ? mov(registers[home.reg]!, from) : stx(8, r10, home.slot, from));
  }

  /** `reg = home`. */
  load(reg: Reg<64>, home: Home): void {
    this.frame.read.add(home);
    this.emit('reg' in home ? mov(reg, registers[home.reg]!) : ldx(8, reg, r10, home.slot));
  }

  /** The register a value is in: its home, or `scratch` after a load from the stack. */
  inRegister(home: Home, scratch: Reg<64>): Reg<64> {
    if ('slot' in home) {
      this.load(scratch, home);
      return scratch;
    }
    this.frame.read.add(home);
    return registers[home.reg]!;
  }

  // What is in scope.

  get things(): readonly Thing[] {
    return this.frame.things;
  }

  get scalars(): readonly ScalarThing[] {
    return this.frame.scalars;
  }

  /** Puts `thing` into scope for `inner`. */
  withThing(thing: Thing, inner: () => void): void {
    this.frame.things.push(thing);
    if (thing.kind === 'btf' && thing.trust === 'rcu') this.within({ rcuPinned: true }, inner);
    else inner();
    this.frame.things.pop();
  }

  withScalar(home: Home, inner: () => void): void {
    this.frame.scalars.push({ home });
    inner();
    this.frame.scalars.pop();
  }

  /** The scalar with index `which` in scope, counted from the innermost and wrapping around; undefined if there is none. */
  scalar(which: number): ScalarThing | undefined {
    const { scalars } = this.frame;
    return scalars.length === 0 ? undefined : scalars[scalars.length - 1 - (which % scalars.length)];
  }

  /** `reg = ctx`. Throws Elided where the context is not to be had. */
  loadCtx(reg: Reg<64>): void {
    if (this.frame.ctx === undefined) throw new Elided('no context here');
    this.load(reg, this.frame.ctx);
  }

  get hasCtx(): boolean {
    return this.frame.ctx !== undefined;
  }

  /** Whether the context is kept in this register; it is from now on, if so. */
  ctxIsIn(reg: number): boolean {
    const { ctx } = this.frame;
    if (ctx === undefined || !('reg' in ctx) || ctx.reg !== reg) return false;
    this.frame.read.add(ctx);
    return true;
  }

  // What is held.

  /** Writes `inner` with the context changed. */
  within(change: Partial<Context>, inner: () => void): void {
    const before = this.context;
    this.context = { ...before, ...change };
    inner();
    this.context = before;
  }

  /**
   * Writes `inner`, in which something is held, then `close`, which gives it back. `close` is also written wherever
   * `inner` leaves the function early, so it may only emit (see `callUnchecked`).
   */
  holding(
    close: () => void,
    inner: () => void,
    change: Partial<Context> = { held: this.context.held + 1 },
  ): void {
    this.frame.closers.push(close);
    this.within(change, inner);
    this.frame.closers.pop();
    close();
  }

  /** Gives back all that this function holds, innermost first, and leaves it; what is in scope stays so for the code that follows. */
  leave(value: number): void {
    this.closeAll();
    this.result(value);
  }

  /** Gives back all that this function holds, innermost first. */
  closeAll(): void {
    for (const close of [...this.frame.closers].reverse()) close();
  }

  /** In a callback (of exceptions too), or in a function called by one. */
  get inCallback(): boolean {
    return this.frames.some(({ kind }) => kind === 'callback' || kind === 'async' || kind === 'exception');
  }

  /** `r0 = ` the `value`-th number that this function may return; `exit`. */
  result(value: number): void {
    const [min, max] = this.frame.returns;
    this.emit(mov(r0, min + (value % (max - min + 1))), exit());
  }

  // Calls.

  /** The contract of `name`, if it may be called here. Throws Elided otherwise. */
  usable(name: string): Contract {
    const contract = this.contractOf(name);
    if (contract === undefined) throw new Elided(`${name} is not in the catalog`);
    const { context } = this;
    const outside = isClear(context);
    if (!contract.types.includes(this.type) || isRefused(name, this.type))
      throw new Elided(`${name} is not for ${this.type} programs`);
    if (context.locks.length > 0 && contract.underLock !== true) throw new Elided('a lock is held');
    if (contract.sleeps === true && !this.maySleep) throw new Elided(`${name} sleeps`);
    if (name === 'bpf_iter_css_task_new' && !this.mayGoThroughTasks)
      throw new Elided(`${name} is for programs that may sleep`);
    if (contract.needsRcu === true && !this.inRcu) throw new Elided(`${name} needs an RCU section`);
    for (const { effects } of contract.outcomes) {
      for (const { kind } of effects) {
        if ((kind === 'throw' || kind === 'tail_call') && !outside)
          throw new Elided(`${name} with something held`);
        if (kind === 'invalidate_packet' && context.packetFixed)
          throw new Elided('packet pointers are in use');
      }
    }
    return contract;
  }

  /** Whether sleeping is allowed here. */
  get maySleep(): boolean {
    const { rcu, preempt, irq, locks, sleepless } = this.context;
    return this.sleepable && !sleepless && !rcu && preempt === 0 && irq === 0 && locks.length === 0;
  }

  /** Whether the tasks of a cgroup may be gone through: where the program may sleep, whatever section it is in (check_css_task_iter_allowlist). */
  private get mayGoThroughTasks(): boolean {
    return this.type === 'iter' || this.type === 'lsm' || (this.sleepable && !this.context.sleepless);
  }

  /** Programs of type syscall are loaded as sleepable ones, the others are not. */
  get sleepable(): boolean {
    return this.type === 'syscall' && this.frames.every((frame) => frame.kind !== 'async');
  }

  /** Whether RCU-protected pointers are valid here (in_rcu_cs of the kernel). */
  get inRcu(): boolean {
    // Work runs where it may sleep, whatever the program is.
    const implied = this.type !== 'syscall' && this.frames.every((frame) => frame.kind !== 'async');
    return implied || this.context.rcu || this.context.locks.length > 0;
  }

  /** Nothing is held or open in this function or its callers. */
  get clear(): boolean {
    return isClear(this.context);
  }

  /** Emits the call of `name`, whose arguments are in place. Throws Elided where it may not be called. */
  call(name: string): Contract {
    const contract = this.usable(name);
    this.callUnchecked(name);
    return contract;
  }

  /** The call alone, for closing code, which is written where the context is still that of the inside. */
  callUnchecked(name: string): void {
    const contract = this.contractOf(name);
    if (contract === undefined) throw new Elided(`${name} is not in the catalog`);
    if (contract.outcomes.some(({ effects }) => effects.some(({ kind }) => kind === 'invalidate_packet')))
      this.packetEpoch++;
    this.emit(contract.kind === 'helper' ? callHelper(contract.id) : callKfunc(index(this.kfuncs, name)));
  }

  // What the program names.

  /** `reg = map`. */
  loadMap(reg: Reg<64>, def: MapDef): void {
    this.emit(ldMap(reg, this.mapIndex(def)));
  }

  /** `reg =` address of byte `off` of the only value of an array map. */
  loadMapValue(reg: Reg<64>, def: MapDef, off = 0): void {
    this.emit(ldMapValue(reg, this.mapIndex(def), off));
  }

  private mapIndex(def: MapDef): number {
    const at = this.maps.findIndex((map) => map.name === def.name);
    return at >= 0 ? at : this.maps.push(def) - 1;
  }

  /** The id of a struct that bpf_obj_new may allocate. */
  localType(type: Omit<LocalType, 'id'>): number {
    const known = this.localTypes.find(({ name }) => name === type.name);
    if (known !== undefined) return known.id;
    const id = this.localTypes.length + 1;
    this.localTypes.push({ ...type, id });
    return id;
  }

  // Functions.

  /**
   * Writes a function and returns its label, with which of `params` it reads. `write` leaves r0 set and the function exited.
   * Throws Elided where calls are too deep.
   */
  func(
    kind: FunctionKind,
    params: readonly Param[],
    returns: readonly [number, number],
    write: () => void,
  ): { readonly label: string; readonly reads: readonly boolean[] } {
    const depth = kind === 'async' ? 0 : this.frames.length;
    const budget = STACK_BUDGET[depth];
    if (budget === undefined) throw new Elided('calls are too deep');
    const allocator = new Allocator(budget);
    const frame: Frame = {
      kind,
      returns,
      allocator,
      items: [],
      things: [],
      scalars: [],
      closers: [],
      ctx: undefined,
      read: new Set(),
    };
    const outside = this.context;
    // Verified on their own, as if called from anywhere; but a function that sleeps may not be called where that is not allowed.
    if (kind === 'global' || kind === 'async' || kind === 'exception')
      this.context = { ...OUTSIDE, sleepless: !this.maySleep };
    this.frames.push(frame);
    const prologue = params.map(({ reg, as, spill }) => {
      const home = allocator.home(spill === true);
      this.store(home, reg);
      if (as === 'ctx') frame.ctx = home;
      else if (as === 'scalar') frame.scalars.push({ home });
      else frame.things.push(as(home));
      return { home, item: frame.items.at(-1)! };
    });
    write();
    this.frames.pop();
    this.context = outside;
    const reads = prologue.map(({ home }) => frame.read.has(home));
    const unused = new Set(prologue.filter((_, i) => !reads[i]).map(({ item }) => item));
    for (const item of unused) this.written -= size(item);
    const label = kind === 'main' ? 'main' : `f${this.units.length}`;
    this.units.push({
      label,
      items: frame.items.filter((item) => !unused.has(item)),
      kind,
    });
    return { label, reads };
  }
}
