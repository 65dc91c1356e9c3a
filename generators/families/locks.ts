/** Locks in map values: taken, the value touched, given back. */
import fc from 'fast-check';
import { add, jmp, mov, r0, r1, r2, r10 } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import { pickArbitrary, spillArbitrary, touchesArbitrary } from '../choices.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided, type Home } from '../compile/frame.js';
import { DIRECT_LOCKED_MAPS, DIRECT_RESILIENT_MAPS, LOCKED_MAPS, RESILIENT_MAPS } from '../compile/maps.js';
import { isRefused } from '../compile/refused.js';
import { type Fragment, fragment } from '../fragment.js';
import { emitLookup, withValue } from './memory.js';
import type { Body } from './values.js';

export type LockName = 'spin' | 'resilient' | 'irqsave';

/**
 * Takes the lock at the start of the value in `home`, writes `inner` where it is held, gives it back. `signed`: failure is told by a
 * number below 0, which the verifier knows to be the same as one that is not 0.
 */
export function emitLocked(
  c: Compiler,
  name: LockName,
  home: Home,
  owner: string,
  inner: () => void,
  signed = false,
): void {
  if (isRefused('bpf_spin_lock', c.type)) throw new Elided(`${c.type} programs may not use locks`);
  if (c.context.locks.includes(owner)) throw new Elided('the lock is held already');
  const change = { locks: [...c.context.locks, owner] };
  c.load(r1, home);
  if (name === 'spin') {
    c.call('bpf_spin_lock');
    const close = () => {
      c.load(r1, home);
      c.callUnchecked('bpf_spin_unlock');
    };
    c.holding(close, inner, change);
    return;
  }
  const failed = c.fresh();
  if (name === 'resilient') {
    c.call('bpf_res_spin_lock');
    c.emit(jmp(signed ? 'slt' : 'ne', r0, 0, failed));
    const close = () => {
      c.load(r1, home);
      c.callUnchecked('bpf_res_spin_unlock');
    };
    c.holding(close, inner, change);
  } else {
    const slot = c.takeStack(8);
    c.emit(mov(r2, r10), add(r2, slot));
    c.call('bpf_res_spin_lock_irqsave');
    c.emit(jmp(signed ? 'slt' : 'ne', r0, 0, failed));
    const close = () => {
      c.load(r1, home);
      c.emit(mov(r2, r10), add(r2, slot));
      c.callUnchecked('bpf_res_spin_unlock_irqrestore');
    };
    c.holding(close, inner, { ...change, irq: c.context.irq + 1 });
    c.giveStack(slot, 8);
  }
  c.emit(label(failed));
}

/** A value with a lock is looked up, locked and touched; the body is written where the lock is held. */
export function lockArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      name: fc.constantFrom<LockName[]>('spin', 'resilient', 'irqsave'),
      map: fc.nat({ max: 1 }),
      direct: fc.boolean(),
      constant: fc.boolean(),
      key: pickArbitrary,
      spill: spillArbitrary,
      touches: touchesArbitrary,
      body,
    })
    .map(({ name, map, direct, touches, body, ...choices }) =>
      fragment(`${name} lock`, body, (c) => {
        const looked = name === 'spin' ? LOCKED_MAPS : RESILIENT_MAPS;
        const addressed = name === 'spin' ? DIRECT_LOCKED_MAPS : DIRECT_RESILIENT_MAPS;
        const def = (direct ? addressed : looked)[map]!;
        if (isRefused('bpf_spin_lock', c.type)) throw new Elided(`${c.type} programs may not use locks`);
        if (direct) {
          c.loadMapValue(r0, def);
          c.keep(choices.spill, (home) =>
            emitLocked(
              c,
              name,
              home,
              def.name,
              () => withValue(c, def, home, touches, body),
              choices.key % 3 === 1,
            ),
          );
          return;
        }
        emitLookup(c, def, choices, (home) => {
          const signed = choices.key % 3 === 1;
          emitLocked(c, name, home, def.name, () => withValue(c, def, home, touches, body), signed);
        });
      }),
    );
}

/** Two resilient locks, or three, one inside the other: in values of different maps that are addressed directly or looked up. */
export function nestedLocksArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      names: fc.array(fc.constantFrom<LockName[]>('resilient', 'irqsave'), { minLength: 2, maxLength: 3 }),
      first: fc.nat({ max: 2 }),
      spill: spillArbitrary,
      body,
    })
    .map(({ names, first, spill, body }) =>
      fragment('nested locks', body, (c) => {
        if (isRefused('bpf_spin_lock', c.type)) throw new Elided(`${c.type} programs may not use locks`);
        const maps = [...DIRECT_RESILIENT_MAPS, RESILIENT_MAPS[0]!];
        const homes: Home[] = [];
        // Nothing may be looked up once a lock is held.
        const find = (n: number): void => {
          if (n === names.length) {
            lock(0);
            return;
          }
          const def = maps[(first + n) % maps.length]!;
          const found = (home: Home): void => {
            homes.push(home);
            find(n + 1);
          };
          if (def.maxEntries === 1) {
            c.loadMapValue(r0, def);
            c.keep(spill, found);
          } else emitLookup(c, def, { constant: true, key: n, spill }, found);
        };
        const lock = (n: number): void => {
          if (n === names.length) c.body(body);
          else emitLocked(c, names[n]!, homes[n]!, maps[(first + n) % maps.length]!.name, () => lock(n + 1));
        };
        find(0);
      }),
    );
}
