/** Objects of local types: allocated, touched, shared, dropped; and owned pointers that are exchanged with a map. */
import fc from 'fast-check';
import { add, jmp, ldx, mov, r0, r1, r2 } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import type { LocalType } from '../../src/object/program.js';
import { oneIn, pickArbitrary, spillArbitrary, touchesArbitrary } from '../choices.js';
import { emitCall, PLAIN } from '../compile/call.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided, type Home } from '../compile/frame.js';
import { COUNTED_OBJECT, holesOf, kptrMap, PLAIN_OBJECT } from '../compile/maps.js';
import { closing } from '../compile/release.js';
import type { Thing } from '../compile/scope.js';
import type { Touch } from '../compile/touch.js';
import { type Fragment, fragment } from '../fragment.js';
import { emitLookup } from './memory.js';
import { emitSection } from './sections.js';
import { type Body, emitTouches } from './values.js';

/**
 * Allocates a `type` and writes `inner` where it was found, held in a home. `inner` gets the code that drops it, for
 * `Compiler.holding`.
 */
export function emitNew(
  c: Compiler,
  type: Omit<LocalType, 'id'>,
  choices: { readonly spill: boolean; readonly percpu?: boolean; readonly inSubprogram?: boolean },
  inner: (home: Home, drop: () => void) => void,
): void {
  const percpu = choices.percpu === true;
  const name = percpu ? 'bpf_percpu_obj_new_impl' : 'bpf_obj_new_impl';
  c.usable(name);
  c.emit(mov(r1, c.localType(type)), mov(r2, 0));
  c.call(name);
  const out = c.fresh();
  c.emit(jmp('eq', r0, 0, out));
  c.keep(choices.spill, (home) => {
    const resource = percpu ? 'percpu_object' : 'object';
    inner(home, closing(c, resource, home, 0, choices.inSubprogram === true));
  });
  c.emit(label(out));
}

/** The plain bytes of an object. */
export function objectRegion(type: Omit<LocalType, 'id'>, home: Home): Extract<Thing, { kind: 'region' }> {
  return {
    kind: 'region',
    home,
    size: type.size,
    readonly: false,
    holes: holesOf(type.fields),
    of: 'object',
  };
}

/** The free choices in allocating and dropping an object. `shared`: a second reference is taken; `percpu`: every CPU has its own. */
export interface ObjectChoices {
  readonly kind: 'plain' | 'shared' | 'percpu';
  readonly spill: boolean;
  readonly inSubprogram: boolean;
  readonly touches: readonly Touch[];
}

/** Allocates, touches, drops; a shared object is acquired a second time and dropped twice. */
export function emitObject(
  c: Compiler,
  { kind, spill, inSubprogram, touches }: ObjectChoices,
  inner: () => void,
): void {
  const type = kind === 'shared' ? COUNTED_OBJECT : PLAIN_OBJECT;
  emitNew(c, type, { spill, inSubprogram, percpu: kind === 'percpu' }, (home, drop) => {
    c.holding(drop, () => {
      if (kind === 'percpu') {
        inner();
        return;
      }
      const region = objectRegion(type, home);
      emitTouches(c, (reg) => c.load(reg, home), { ...region, full: false }, touches);
      const used = () => c.withThing(region, inner);
      if (kind === 'plain') used();
      else emitShared(c, home, used);
    });
  });
}

/** A second reference to the object in `home`; it cannot fail, for the first one is owned. */
function emitShared(c: Compiler, home: Home, inner: () => void): void {
  c.usable('bpf_refcount_acquire_impl');
  c.load(r1, home);
  c.emit(mov(r2, 0));
  c.call('bpf_refcount_acquire_impl');
  c.keep(true, (second) => c.holding(closing(c, 'object', second, 0, false), inner));
}

/** Objects that are allocated and dropped again: plain, with a second reference, or per-CPU. `body` runs while they are held. */
export function objectArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      kind: fc.constantFrom<ObjectChoices['kind'][]>('plain', 'shared', 'percpu'),
      spill: spillArbitrary,
      inSubprogram: oneIn(4),
      touches: touchesArbitrary,
      body,
    })
    .map(({ body, ...choices }) =>
      fragment(`${choices.kind} object`, body, (c) => emitObject(c, choices, () => c.body(body))),
    );
}

/** Kernel structs that may be kept in a map, and what acquires and releases one. */
export const KEPT = [
  { struct: 'task_struct', acquire: 'bpf_task_from_pid', resource: 'task' },
  { struct: 'cgroup', acquire: 'bpf_cgroup_from_id', resource: 'cgroup' },
  { struct: 'bpf_cpumask', acquire: 'bpf_cpumask_create', resource: 'cpumask' },
  { struct: 'bpf_crypto_ctx', acquire: 'bpf_crypto_ctx_create', resource: 'crypto_ctx' },
  { struct: 'plain', acquire: undefined, resource: 'object' },
] as const;

/** The free choices in exchanging an owned pointer with a map value (bpf_kptr_xchg). */
export interface ExchangeChoices {
  /** Index into `KEPT`. */
  readonly which: number;
  /** Take out what is there and leave NULL, rather than put something in. */
  readonly take: boolean;
  readonly spill: boolean;
}

/** Exchanges the owned pointer of a map value; the old one, if any, is held while `inner` is written. */
export function emitExchange(c: Compiler, { which, take, spill }: ExchangeChoices, inner: () => void): void {
  const kept = KEPT[which % KEPT.length]!;
  const map = kptrMap(kept.struct);
  if (kept.acquire === undefined) c.localType(PLAIN_OBJECT);
  c.usable('bpf_kptr_xchg');
  emitLookup(c, map, { constant: true, key: 0, spill: false }, (value) => {
    if (take) emitSwap(c, kept, value, undefined, spill, inner);
    else emitOwned(c, kept, (owned) => emitSwap(c, kept, value, owned, spill, inner));
  });
}

/**
 * An owned pointer goes into a map value, `between` is written where nothing is held, and then what is in the map comes out again and is held
 * while `inner` is written.
 */
export function emitParked(
  c: Compiler,
  { which, spill }: Omit<ExchangeChoices, 'take'>,
  between: () => void,
  inner: () => void,
): void {
  const kept = KEPT[which % KEPT.length]!;
  if (kept.acquire === undefined) c.localType(PLAIN_OBJECT);
  c.usable('bpf_kptr_xchg');
  emitLookup(c, kptrMap(kept.struct), { constant: true, key: 0, spill: false }, (value) => {
    emitOwned(c, kept, (owned) => emitSwap(c, kept, value, owned, spill, () => {}));
    between();
    emitSwap(c, kept, value, undefined, spill, inner);
  });
}

/** An owned pointer to put into the map; whoever gets it gives it away. */
function emitOwned(c: Compiler, kept: (typeof KEPT)[number], inner: (home: Home) => void): void {
  if (kept.acquire === undefined) {
    emitNew(c, PLAIN_OBJECT, { spill: false }, (home) => inner(home));
    return;
  }
  emitCall(c, kept.acquire, { ...PLAIN, given: true }, (home) => {
    if (home === undefined) throw new Elided('nothing to put into the map');
    inner(home);
  });
}

function emitSwap(
  c: Compiler,
  kept: (typeof KEPT)[number],
  value: Home,
  owned: Home | undefined,
  spill: boolean,
  inner: () => void,
): void {
  c.load(r1, value);
  if (owned === undefined) c.emit(mov(r2, 0));
  else c.load(r2, owned);
  c.call('bpf_kptr_xchg');
  const none = c.fresh();
  c.emit(jmp('eq', r0, 0, none));
  c.keep(spill, (old) => {
    c.holding(closing(c, kept.resource, old, 0, false), () => {
      if (kept.acquire === undefined) c.withThing(objectRegion(PLAIN_OBJECT, old), inner);
      else c.withThing({ kind: 'btf', struct: kept.struct, home: old, trust: 'trusted', owned: true }, inner);
    });
  });
  c.emit(label(none));
}

/** bpf_kptr_xchg on a map value: puts a new object in or takes out what is there. `body` runs while the old one is held. */
export function exchangeArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({ which: pickArbitrary, take: oneIn(3), spill: spillArbitrary, body })
    .map(({ body, ...choices }) =>
      fragment('exchange with a map', body, (c) => emitExchange(c, choices, () => c.body(body))),
    );
}

/** Reads an owned pointer of a map without taking it; it may be used as long as RCU protects it. */
export function emitPeek(c: Compiler, which: number, spill: boolean, inner: () => void): void {
  const kept = KEPT[which % (KEPT.length - 1)]!;
  const read = () => {
    emitLookup(c, kptrMap(kept.struct), { constant: true, key: 0, spill: false }, (value) => {
      c.load(r1, value);
      c.emit(ldx(8, r0, r1, 0));
      const none = c.fresh();
      c.emit(jmp('eq', r0, 0, none));
      c.keep(spill, (home) => {
        c.withThing({ kind: 'btf', struct: kept.struct, home, trust: 'rcu', owned: false }, inner);
      });
      c.emit(label(none));
    });
  };
  if (c.inRcu) read();
  else emitSection(c, 'rcu', read);
}

/** Reads a kept pointer from a map value under RCU, without taking a reference, and runs `body` where it is not NULL. */
export function peekArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({ which: pickArbitrary, spill: spillArbitrary, body })
    .map(({ which, spill, body }) =>
      fragment('read a kept pointer', body, (c) => emitPeek(c, which, spill, () => c.body(body))),
    );
}

/** `reg1 = pointer + off`, for a member of what `home` points to. */
export function loadMember(c: Compiler, reg: typeof r1, home: Home, off: number): void {
  c.load(reg, home);
  if (off !== 0) c.emit(add(reg, off));
}
