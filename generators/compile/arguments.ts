/**
 * Arguments for a call, made from its contract: constants and scalars in scope, zeroed stack memory, maps, the context, and
 * things in scope of the right kind; where there is none, one is acquired around the call.
 */
import { add, and, mov, type Reg, r10, st } from '../../src/isa/build.js';
import type { Arg, Contract, DynptrType } from '../../src/kernel/contract.js';
import type { MapDef, MapType } from '../../src/object/program.js';
import type { Compiler } from './compiler.js';
import { Elided } from './frame.js';
import { EVENTS, JUMPS, PLAIN_MAPS, SCRATCH, SPECIAL_MAPS, TEXT } from './maps.js';
import { argumentRule } from './overrides.js';
import type { Thing } from './scope.js';
import { emitScalar } from './touch.js';
import { ARGUMENTS } from './unit.js';

/** Puts an argument into its register; may use no other register and no memory that was not kept for it. */
export type Load = (reg: Reg<64>) => void;

/** Where a call's output memory is, by argument. */
export interface Prepared {
  readonly loads: readonly Load[];
  /** Stack offset of each dynptr slot that the call initialises. */
  readonly slots: ReadonlyMap<number, number>;
  readonly map: MapDef | undefined;
  /** Stack memory that the call fills and that was not written before: offset, bytes. */
  readonly filled: readonly (readonly [number, number])[];
  /** Bytes of each memory argument and of the memory that is returned, by the index of the size argument. */
  readonly sizes: ReadonlyMap<number, number>;
  /** What was passed for each argument that is a thing. */
  readonly things: ReadonlyMap<number, Thing>;
  /** Gives back the memory that only the call itself needed; to be called right after it. */
  finish(): void;
}

/** Makes a thing for an argument where none is in scope: acquires it, writes `use`, gives it back. */
export type Produce = (c: Compiler, arg: Arg, pick: number, use: (thing: Thing) => void) => void;

interface Draft {
  readonly contract: Contract;
  readonly pick: (arg: number) => number;
  readonly produce: Produce;
  readonly loads: Load[];
  readonly slots: Map<number, number>;
  readonly sizes: Map<number, number>;
  readonly things: Map<number, Thing>;
  /** Stack memory that is free again after the call: offset, bytes. */
  readonly temporary: (readonly [number, number])[];
  readonly filled: (readonly [number, number])[];
  map?: MapDef;
}

/**
 * Prepares all arguments of `contract`, then writes `call`, which is to load them in order. `pick` gives a free choice for an argument;
 * `own`: those that the caller has prepared itself. Throws Elided if an argument cannot be had.
 */
export function withArguments(
  c: Compiler,
  contract: Contract,
  pick: (arg: number) => number,
  produce: Produce,
  call: (prepared: Prepared) => void,
  own: ReadonlyMap<number, Load> = new Map(),
): void {
  const draft: Draft = {
    contract,
    pick,
    produce,
    loads: [],
    slots: new Map(),
    sizes: new Map(),
    things: new Map(),
    temporary: [],
    filled: [],
  };
  const finish = () => {
    for (const [offset, bytes] of draft.temporary.splice(0)) c.giveStack(offset, bytes);
  };
  const rest = (i: number): void => {
    const arg = contract.args[i];
    if (arg === undefined) {
      call({ ...draft, map: draft.map, finish });
      return;
    }
    const next = (load: Load): void => {
      draft.loads[i] = load;
      rest(i + 1);
    };
    const given = own.get(i);
    if (given === undefined) prepare(c, draft, i, arg, next);
    else next(given);
  };
  rest(0);
}

/** Loads all arguments, r1 first. */
export function loadArguments(prepared: Prepared): void {
  prepared.loads.forEach((load, i) => {
    load(ARGUMENTS[i]!);
  });
}

function prepare(c: Compiler, draft: Draft, i: number, arg: Arg, next: (load: Load) => void): void {
  const pick = draft.pick(i);
  const fixed = argumentRule(draft.contract.name, i);
  const constant = (value: number) => next((reg) => c.emit(mov(reg, value)));
  if (fixed?.constant !== undefined) {
    constant(fixed.constant);
    return;
  }
  switch (arg.kind) {
    case 'ignored':
    case 'stack_or_null':
      constant(0);
      return;
    case 'anything':
      if (fixed?.below !== undefined) {
        constant(pick % fixed.below);
        return;
      }
      next((reg) => emitScalar(c, reg, pick % 64));
      return;
    case 'scalar':
      if (arg.constant) constant(fixed?.size ?? 0);
      else next((reg) => emitScalar(c, reg, pick % 64));
      return;
    case 'alloc_size':
    case 'size':
      prepareSize(c, draft, i, arg.kind === 'size' && arg.constant !== true, next);
      return;
    case 'map': {
      const map = chooseMap(arg.types, pick);
      draft.map = map;
      next((reg) => c.loadMap(reg, map));
      return;
    }
    case 'map_key':
      buffer(c, draft, draft.map?.keySize ?? 4, pick, next);
      return;
    case 'map_value':
      // Memory that the call fills may also be filled before.
      buffer(c, draft, draft.map?.valueSize ?? 8, arg.uninit && pick % 4 !== 3 ? undefined : pick, next);
      return;
    case 'mem':
      prepareMemory(c, draft, i, arg, next);
      return;
    case 'ctx':
      if (!c.hasCtx) throw new Elided('no context here');
      next((reg) => c.loadCtx(reg));
      return;
    case 'const_str':
      next((reg) => c.loadMapValue(reg, TEXT));
      return;
    case 'dynptr':
      if (arg.state === 'uninit') {
        const offset = c.takeStack(16);
        draft.slots.set(i, offset);
        next(stackAddress(c, offset));
        return;
      }
      prepareThing(c, draft, i, arg, next);
      return;
    case 'sock':
    case 'btf':
      prepareThing(c, draft, i, arg, next);
      return;
    default:
      throw new Elided(`${draft.contract.name} has an argument of its own kind: ${arg.kind}`);
  }
}

function prepareThing(c: Compiler, draft: Draft, i: number, arg: Arg, next: (load: Load) => void): void {
  const use = (thing: Thing) => {
    draft.things.set(i, thing);
    next((reg) => loadThing(c, reg, thing));
  };
  const found = c.things.filter((thing) => fits(thing, arg));
  if (found.length > 0) use(found[found.length - 1 - (draft.pick(i) % found.length)]!);
  else if ('nullable' in arg && arg.nullable && draft.pick(i) % 2 === 0) next((reg) => c.emit(mov(reg, 0)));
  else draft.produce(c, arg, draft.pick(i), use);
}

/** `reg =` the thing's address. */
export function loadThing(c: Compiler, reg: Reg<64>, thing: Thing): void {
  if (thing.kind === 'dynptr') stackAddress(c, thing.slot)(reg);
  else c.load(reg, thing.home);
}

/** Whether a thing in scope may be passed for `arg`. What is given back is never taken from the scope. */
export function fits(thing: Thing, arg: Arg): boolean {
  switch (arg.kind) {
    case 'sock':
      return thing.kind === 'sock' && arg.release !== true && arg.types.some((type) => type === thing.type);
    case 'dynptr':
      return (
        thing.kind === 'dynptr' &&
        arg.release !== true &&
        dynptrFits(thing.type, arg.type, arg.rdonly === true)
      );
    case 'btf':
      if (thing.kind !== 'btf' || arg.release || !arg.structs.includes(thing.struct)) return false;
      if (arg.trust === 'trusted') return thing.trust === 'trusted';
      if (arg.trust === 'rcu') return thing.trust === 'trusted' || thing.trust === 'rcu';
      return thing.trust !== 'untrusted';
    default:
      return false;
  }
}

function dynptrFits(has: DynptrType, wants: DynptrType | undefined, rdonly: boolean): boolean {
  return (wants === undefined || has === wants) && (rdonly || has === 'local' || has === 'ringbuf');
}

function chooseMap(types: readonly MapType[] | undefined, pick: number): MapDef {
  const fitting = (maps: readonly MapDef[]) => maps.filter((map) => types?.includes(map.type) !== false);
  const usual = types === undefined ? PLAIN_MAPS : fitting([...PLAIN_MAPS, EVENTS, JUMPS]);
  const choice = usual.length > 0 ? usual : fitting(SPECIAL_MAPS);
  if (choice.length === 0) throw new Elided('no map of that type');
  return choice[pick % choice.length]!;
}

function stackAddress(c: Compiler, offset: number): Load {
  return (reg) => c.emit(mov(reg, r10), add(reg, offset));
}

/** Zeroed stack memory, its first word made from `fill`; not initialised at all if that is undefined. */
function buffer(
  c: Compiler,
  draft: Draft,
  bytes: number,
  fill: number | undefined,
  next: (load: Load) => void,
): void {
  const offset = c.takeStack(bytes);
  draft.temporary.push([offset, bytes]);
  if (fill !== undefined) {
    for (let word = 0; word < bytes; word += 8) c.emit(st(8, r10, offset + word, word === 0 ? fill % 4 : 0));
  } else draft.filled.push([offset, bytes]);
  next(stackAddress(c, offset));
}

/** Sizes of memory that are tried where nothing is known of what the function wants. */
const SIZES = [8, 16, 4, 12, 1] as const;

function sizeFor(draft: Draft, sizeArg: number): number {
  const known = draft.sizes.get(sizeArg);
  if (known !== undefined) return known;
  const rule = argumentRule(draft.contract.name, sizeArg);
  const pick = draft.pick(sizeArg);
  let size = rule?.sizes !== undefined ? rule.sizes[pick % rule.sizes.length]! : SIZES[pick % SIZES.length]!;
  if (pick % 8 === 7 && limitsResult(draft.contract, sizeArg)) size = 0;
  draft.sizes.set(sizeArg, size);
  return size;
}

/** Whether the function answers how much of a buffer of this size it has filled, and takes one without a byte as well. */
function limitsResult({ args, outcomes }: Contract, sizeArg: number): boolean {
  const arg = args[sizeArg];
  if (arg?.kind !== 'size' || !arg.zero) return false;
  return outcomes.some(({ r0 }) => r0.kind === 'scalar' && r0.upTo === sizeArg);
}

/**
 * A choice that no random one is, made for memory that a function may both read and fill: the program leaves it unwritten before the call, as one
 * with all capabilities may.
 */
export const UNFILLED = 1002;

/** Beyond this the memory is taken from a map value. */
const MOST_ON_STACK = 64;

function prepareMemory(
  c: Compiler,
  draft: Draft,
  i: number,
  arg: Extract<Arg, { kind: 'mem' }>,
  next: (load: Load) => void,
): void {
  const pick = draft.pick(i);
  const sizeArg = 'arg' in arg.size ? arg.size.arg : undefined;
  if ((arg.nullable || arg.optional) && pick % 4 === 0) {
    if (sizeArg !== undefined && !arg.optional) draft.sizes.set(sizeArg, 0);
    next((reg) => c.emit(mov(reg, 0)));
    return;
  }
  const bytes = sizeArg === undefined ? (arg.size as { bytes: number }).bytes : sizeFor(draft, sizeArg);
  if (arg.mapValue || bytes > MOST_ON_STACK || pick % 8 === 1) {
    next((reg) => c.loadMapValue(reg, SCRATCH, 64 * (pick % 2)));
    return;
  }
  // The range of a variable size includes bytes that the function may not write, so those are written before.
  const initialised =
    (arg.access !== 'write' && !(arg.access === 'readwrite' && pick === UNFILLED)) ||
    pick % 4 === 3 ||
    (sizeArg !== undefined && isVariable(draft, sizeArg));
  if (bytes === 0) {
    next(stackAddress(c, -8));
    return;
  }
  buffer(c, draft, bytes, initialised ? pick : undefined, next);
}

/** Whether a size argument is passed as a bounded scalar rather than as a constant. */
function isVariable(draft: Draft, sizeArg: number): boolean {
  const arg = draft.contract.args[sizeArg];
  if (arg?.kind !== 'size' || arg.constant || argumentRule(draft.contract.name, sizeArg) !== undefined)
    return false;
  return sizeFor(draft, sizeArg) >= 8 && draft.pick(sizeArg) % 16 === 5;
}

function prepareSize(
  c: Compiler,
  draft: Draft,
  i: number,
  mayVary: boolean,
  next: (load: Load) => void,
): void {
  const size = sizeFor(draft, i);
  if (!mayVary || !isVariable(draft, i)) {
    next((reg) => c.emit(mov(reg, size)));
    return;
  }
  // 1 to 8: within the buffer, and never the 0 that most functions refuse.
  next((reg) => {
    emitScalar(c, reg, draft.pick(i) % 64);
    c.emit(and(reg, 7), add(reg, 1));
  });
}
