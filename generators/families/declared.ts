/**
 * Calls of declared functions that need a shape of their own: what opens something is called with what closes it, iterators in a loop, callbacks
 * with a function to call. The other half of a pair may be declared too, or is that of the tables.
 */
import { add, ja, jmp, ldFunc, mov, type Reg, r0, r10 } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import { contracts } from '../../src/kernel/catalog.js';
import type { Arg, CallbackSpec, Contract, Effect } from '../../src/kernel/contract.js';
import { ITER_WORDS } from '../../src/kernel/structs.js';
import type { DeclaredFunction } from '../../src/object/program.js';
import { type Load, loadArguments, withArguments } from '../compile/arguments.js';
import { produce } from '../compile/call.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided } from '../compile/frame.js';
import { LOCKED_MAPS, RESILIENT_MAPS } from '../compile/maps.js';
import { effectOf, resultOf } from '../compile/names.js';
import { isRefused } from '../compile/refused.js';
import type { Thing } from '../compile/scope.js';
import { ARGUMENTS, type Param } from '../compile/unit.js';
import type { Write } from '../fragment.js';
import { emitLookup } from './memory.js';

/** How to write a call of a declared function that a plain call would not do for; undefined where a plain one does. */
export function declaredShape(contract: Contract, declared: readonly DeclaredFunction[]): Write | undefined {
  const has = (kind: Effect['kind']): boolean => effectOf(contract, kind) !== undefined;
  if (has('lock') || has('unlock')) return lockShape(contract, declared);
  if (has('enter') || has('leave')) return sectionShape(contract, declared);
  if (has('irq_save') || has('irq_restore')) return irqShape(contract, declared);
  if (contract.args.some(({ kind }) => kind === 'iter')) return iteratorShape(contract, declared);
  const callback = contract.args.find((arg) => arg.kind === 'callback');
  if (callback?.kind === 'callback' && callback.callback.async !== true)
    return (c, inner) => emitCallback(c, contract, callback.callback, inner);
  return undefined;
}

/** Calls it with the arguments that are given and others made for it, and writes `inner` where these are still there. */
function emitWith(
  c: Compiler,
  { name }: Contract,
  given: ReadonlyMap<number, Load>,
  inner: () => void,
): void {
  const contract = c.usable(name);
  withArguments(
    c,
    contract,
    () => 2,
    produce,
    (prepared) => {
      loadArguments(prepared);
      c.call(name);
      prepared.finish();
      inner();
    },
    given,
  );
}

/** As `emitWith`, where the context is still that of the inside: all other arguments are 0. */
function closeWith(c: Compiler, contract: Contract, given: ReadonlyMap<number, Load>): void {
  contract.args.forEach((_, i) => {
    const reg = ARGUMENTS[i]!;
    const load = given.get(i);
    if (load === undefined) c.emit(mov(reg, 0));
    else load(reg);
  });
  c.callUnchecked(contract.name);
}

/** A function for the other half: it passes `test`, and may be called by programs of the first half's types. */
function partner(
  contract: Contract,
  declared: readonly DeclaredFunction[],
  test: (other: Contract) => boolean,
): Contract | undefined {
  return contracts(declared).find(
    (other) => other !== contract && other.types.some((type) => contract.types.includes(type)) && test(other),
  );
}

const at = (contract: Contract, kind: Arg['kind']): number =>
  contract.args.findIndex((arg) => arg.kind === kind);
const only = (...pairs: readonly (readonly [number, Load])[]): ReadonlyMap<number, Load> =>
  new Map(pairs.filter(([index]) => index >= 0));
const slotAddress =
  (c: Compiler, slot: number): Load =>
  (reg) =>
    c.emit(mov(reg, r10), add(reg, slot));

/** The two halves, the one that opens first. */
function pair(
  contract: Contract,
  declared: readonly DeclaredFunction[],
  opens: Effect['kind'],
  closes: Effect['kind'],
  same: (a: Effect, b: Effect) => boolean,
): readonly [Contract, Contract] | undefined {
  const first = effectOf(contract, opens);
  const own = first ?? effectOf(contract, closes);
  if (own === undefined) return undefined;
  const wanted = first === undefined ? opens : closes;
  const other = partner(contract, declared, (one) => {
    const effect = effectOf(one, wanted);
    return effect !== undefined && same(own, effect);
  });
  if (other === undefined) return undefined;
  return first === undefined ? [other, contract] : [contract, other];
}

function lockShape(contract: Contract, declared: readonly DeclaredFunction[]): Write | undefined {
  const lockOf = (effect: Effect): string => ('lock' in effect ? effect.lock : '');
  const halves = pair(contract, declared, 'lock', 'unlock', (a, b) => lockOf(a) === lockOf(b));
  if (halves === undefined) return undefined;
  const [take, give] = halves;
  return (c, inner) => {
    if (isRefused('bpf_spin_lock', c.type)) throw new Elided(`${c.type} programs may not use locks`);
    const kind = lockOf(effectOf(take, 'lock')!);
    const map = (kind === 'spin_lock' ? LOCKED_MAPS : RESILIENT_MAPS)[0]!;
    if (c.context.locks.includes(map.name)) throw new Elided('the lock is held already');
    emitLookup(c, map, { constant: true, key: 0, spill: false }, (home) => {
      const slot = at(take, 'irq_flag') < 0 ? undefined : c.takeStack(8);
      const flags = (one: Contract): readonly [number, Load] => [
        at(one, 'irq_flag'),
        slotAddress(c, slot ?? 0),
      ];
      const lock: Load = (reg) => c.load(reg, home);
      emitWith(c, take, only([at(take, 'spin_lock'), lock], flags(take)), () => {
        const failed = c.fresh();
        if (resultOf(take).scalar) c.emit(jmp('ne', r0, 0, failed));
        c.holding(() => closeWith(c, give, only([at(give, 'spin_lock'), lock], flags(give))), inner, {
          locks: [...c.context.locks, map.name],
        });
        if (resultOf(take).scalar) c.emit(label(failed));
      });
      if (slot !== undefined) c.giveStack(slot, 8);
    });
  };
}

function sectionShape(contract: Contract, declared: readonly DeclaredFunction[]): Write | undefined {
  const which = (effect: Effect): string => ('section' in effect ? effect.section : '');
  const halves = pair(contract, declared, 'enter', 'leave', (a, b) => which(a) === which(b));
  if (halves === undefined) return undefined;
  const [enter, leave] = halves;
  return (c, inner) => {
    const { context } = c;
    const rcu = which(effectOf(enter, 'enter')!) === 'rcu';
    if (rcu && (context.rcu || context.rcuPinned)) throw new Elided('already in an RCU section');
    c.usable(leave.name);
    const change = rcu ? { rcu: true } : { preempt: context.preempt + 1 };
    emitWith(c, enter, only(), () => c.holding(() => closeWith(c, leave, only()), inner, change));
  };
}

function irqShape(contract: Contract, declared: readonly DeclaredFunction[]): Write | undefined {
  const by = (effect: Effect): string => ('by' in effect && effect.by !== undefined ? effect.by : '');
  const halves = pair(contract, declared, 'irq_save', 'irq_restore', (a, b) => by(a) === by(b));
  if (halves === undefined) return undefined;
  const [save, restore] = halves;
  return (c, inner) => {
    c.usable(restore.name);
    const slot = c.takeStack(8);
    const address = slotAddress(c, slot);
    emitWith(c, save, only([at(save, 'irq_flag'), address]), () =>
      c.holding(() => closeWith(c, restore, only([at(restore, 'irq_flag'), address])), inner, {
        irq: c.context.irq + 1,
      }),
    );
    c.giveStack(slot, 8);
  };
}

function iteratorShape(contract: Contract, declared: readonly DeclaredFunction[]): Write | undefined {
  const arg = contract.args[0];
  if (arg?.kind !== 'iter') return undefined;
  const part = (kind: Effect['kind']): Contract | undefined => {
    if (effectOf(contract, kind) !== undefined) return contract;
    return partner(contract, declared, (one) => {
      const first = one.args[0];
      return first?.kind === 'iter' && first.type === arg.type && effectOf(one, kind) !== undefined;
    });
  };
  const [make, next, destroy] = [part('iter_new'), part('iter_next'), part('iter_destroy')];
  if (make === undefined || next === undefined || destroy === undefined) return undefined;
  return (c, inner) => {
    const bytes = 8 * ITER_WORDS[arg.type];
    const slot = c.takeStack(bytes);
    const address = only([0, slotAddress(c, slot)]);
    for (const { name } of [next, destroy]) c.usable(name);
    const pinned = make.needsRcu === true || c.context.rcuPinned;
    const loop = (): void => {
      const [again, done] = [c.fresh(), c.fresh()];
      c.emit(label(again));
      closeWith(c, next, address);
      c.emit(jmp('eq', r0, 0, done));
      inner();
      c.emit(ja(again), label(done));
    };
    emitWith(c, make, address, () =>
      c.holding(() => closeWith(c, destroy, address), loop, {
        held: c.context.held + 1,
        loops: c.context.loops + 1,
        rcuPinned: pinned,
      }),
    );
    c.giveStack(slot, bytes);
  };
}

/** A callback that is given what its spec says, of which numbers and kernel structs are in scope for `inner`. */
function emitCallback(c: Compiler, contract: Contract, spec: CallbackSpec, inner: () => void): void {
  c.usable(contract.name);
  const struct =
    (name: string): Param['as'] =>
    (home): Thing => ({ kind: 'btf', struct: name, home, trust: 'plain', owned: false });
  const params = spec.args.flatMap((kind, i): Param[] => {
    const reg = ARGUMENTS[i]!;
    if (kind === 'scalar') return [{ reg, as: 'scalar' }];
    if (kind === 'task') return [{ reg, as: struct('task_struct') }];
    return kind === 'vma' ? [{ reg, as: struct('vm_area_struct') }] : [];
  });
  const { label: target } = c.func('callback', params, spec.returns, () => {
    c.within({ loops: c.context.loops + 1 }, () => {
      inner();
      c.result(0);
    });
  });
  const pointer = (reg: Reg<64>): void => c.emit(ldFunc(reg, target));
  emitWith(c, contract, only([at(contract, 'callback'), pointer]), () => {
    if (resultOf(contract).scalar) c.keep(false, (home) => c.withScalar(home, () => {}));
  });
}
