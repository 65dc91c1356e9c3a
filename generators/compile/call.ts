/**
 * One call, made from its contract alone: arguments prepared, the result checked for NULL and kept, what was acquired given
 * back. Families with a shape of their own (locks, iterators, callbacks, graphs) do not come here.
 */
import { add, ja, jmp, ldx, mov, r0, r1, r2, r10, st } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import type { Arg, Contract, PointerKind } from '../../src/kernel/contract.js';
import { loadArguments, type Prepared, withArguments } from './arguments.js';
import type { Compiler } from './compiler.js';
import { Elided, type Home } from './frame.js';
import { holesOf } from './maps.js';
import { effectOf, resultOf } from './names.js';
import { CONTEXT_SOCKET, producersOf } from './producers.js';
import { closing } from './release.js';
import type { Thing } from './scope.js';

/** The free choices in writing one call and what follows from it. */
export interface CallChoices {
  /** Free choices, one an argument, used round and round. */
  readonly picks: readonly number[];
  /** Keep the result on the stack. */
  readonly spill: boolean;
  /** Which function gives it back: odd takes the second, where there are two. */
  readonly release: number;
  /** A static subprogram gives it back. */
  readonly inSubprogram: boolean;
  /** The nested fragments give away what the call acquires, so it is not released here. */
  readonly given?: true;
  /** Written where the result is NULL. */
  readonly orElse?: () => void;
}

export const PLAIN: CallChoices = { picks: [0], spill: false, release: 0, inSubprogram: false };

/**
 * Writes the call of `name` with arguments made for it as `pick` chooses, and `then` while these are still there. Throws Elided where the function
 * may not be called here.
 */
export function withCalled(
  c: Compiler,
  name: string,
  pick: (i: number) => number,
  then: (prepared: Prepared, contract: Contract) => void,
): void {
  const contract = c.usable(name);
  withArguments(c, contract, pick, produce, (prepared) => {
    loadArguments(prepared);
    c.call(name);
    then(prepared, contract);
  });
}

/** Chooses from `picks` in turn. */
export const pickFrom =
  (picks: readonly number[]) =>
  (i: number): number =>
    picks[i % picks.length] ?? 0;

/**
 * Writes the call of `name` and, while its result is held and in scope, `inner`. Throws Elided where it cannot be. What is given away by
 * `inner` (`CallChoices.given`) is not in scope; `inner` gets its home.
 */
export function emitCall(
  c: Compiler,
  name: string,
  choices: CallChoices,
  inner: (home?: Home) => void,
): void {
  const pick = pickFrom(choices.picks);
  withCalled(c, name, pick, (prepared, contract) => {
    if (pick(4) % 4 === 1) readFilled(c, prepared);
    const empty = [...prepared.sizes.values()].includes(0);
    if (empty || pick(4) % 4 === 3) requirePromised(c, contract, prepared);
    prepared.finish();
    withResult(c, contract, prepared, choices, inner);
  });
}

/** Reads what the call has filled, whatever it answered; r0 stays as it is. */
function readFilled(c: Compiler, prepared: Prepared): void {
  for (const [offset, bytes] of prepared.filled) {
    const size = ([8, 4, 2, 1] as const).find((each) => each <= bytes) ?? 1;
    c.emit(ldx(size, r1, r10, offset));
  }
}

/** Largest number that fits an insn. */
const MOST = 0x7fff_ffffn;

/**
 * Adds bad code for a number that the function never returns. The verifier knows that and does not walk this code. A killed program must
 * not get there either.
 */
function requirePromised(c: Compiler, { outcomes }: Contract, { sizes }: Prepared): void {
  let [least, most] = [MOST, -MOST];
  for (const { r0: answer } of outcomes) {
    if (answer.kind !== 'scalar') return;
    const size = answer.upTo === undefined ? undefined : sizes.get(answer.upTo);
    const max = size === undefined || answer.max < BigInt(size) ? answer.max : BigInt(size);
    least = answer.min < least ? answer.min : least;
    most = max > most ? max : most;
  }
  if (least < -MOST || most > MOST || least > most) return;
  const never = c.fresh();
  const on = c.fresh();
  c.emit(jmp('slt', r0, Number(least), never), jmp('sle', r0, Number(most), on));
  c.emit(label(never), mov(r0, 0), ldx(8, r0, r0, 0), label(on));
}

/** Makes what an argument needs by calling the first function that can be called here. */
export function produce(c: Compiler, arg: Arg, pick: number, use: (thing: Thing) => void): void {
  const names = producersOf(arg, c.type, c.declared);
  const choices: CallChoices = { ...PLAIN, spill: pick % 2 === 1 };
  for (let i = 0; i < names.length; i++) {
    const name = names[(pick + i) % names.length]!;
    // What a declared function makes may be what it takes.
    const own = c.declared.some((one) => one.name === name);
    if (own && c.producing.has(name)) continue;
    if (own) c.producing.add(name);
    const made = c.attempt(() => {
      if (name === CONTEXT_SOCKET) {
        withContextSocket(c, choices.spill, use);
        return;
      }
      const before = c.things.length;
      emitCall(c, name, choices, () => {
        const thing = c.things.at(-1);
        if (thing === undefined || c.things.length === before) throw new Elided(`${name} makes nothing`);
        use(thing);
      });
    });
    if (own) c.producing.delete(name);
    if (made) return;
  }
  throw new Elided(`nothing here makes a ${arg.kind}`);
}

/** Offset of `sk` in struct __sk_buff. */
const SK_BUFF_SK = 168;

/** The packet's socket, which may be none and is not counted. */
function withContextSocket(c: Compiler, spill: boolean, use: (thing: Thing) => void): void {
  if (c.type !== 'tc' && c.type !== 'socket_filter') throw new Elided('the context has no socket');
  const none = c.fresh();
  c.loadCtx(r1);
  c.emit(ldx(8, r0, r1, SK_BUFF_SK), jmp('eq', r0, 0, none));
  c.keep(spill, (home) => {
    const thing: Thing = { kind: 'sock', home, type: 'sock_common' };
    c.withThing(thing, () => use(thing));
  });
  c.emit(label(none));
}

function withResult(
  c: Compiler,
  contract: Contract,
  prepared: Prepared,
  choices: CallChoices,
  inner: (home?: Home) => void,
): void {
  const slot = [...prepared.slots.values()][0];
  if (slot !== undefined) {
    withDynptr(c, contract, prepared, slot, choices, inner);
    return;
  }
  const result = resultOf(contract);
  if (result.pointer === undefined) {
    if (!result.scalar) {
      inner();
      return;
    }
    c.keep(choices.spill, (home) => c.withScalar(home, inner));
    return;
  }
  const { to, acquires } = result.pointer;
  const out = c.fresh();
  if (result.nullable) c.emit(jmp('eq', r0, 0, out));
  c.keep(choices.spill, (home) => {
    const thing = thingOf(contract, to, acquires !== undefined, prepared, home);
    const scoped = () => (thing === undefined ? inner() : c.withThing(thing, inner));
    if (choices.given === true) inner(home);
    else if (acquires === undefined) withSlice(c, prepared, to, home, scoped);
    else c.holding(closing(c, acquires, home, choices.release, choices.inSubprogram, to), scoped);
  });
  if (!result.nullable) return;
  if (choices.orElse === undefined) {
    c.emit(label(out));
    return;
  }
  const end = c.fresh();
  c.emit(ja(end), label(out));
  choices.orElse();
  c.emit(label(end));
}

/** Packet bytes seen through a dynptr are gone when the packet moves, so it must not while they are in scope. */
function withSlice(c: Compiler, prepared: Prepared, to: PointerKind, home: Home, inner: () => void): void {
  const from = to.kind === 'mem' && to.slice !== undefined ? prepared.things.get(to.slice.arg) : undefined;
  if (from?.kind === 'dynptr' && from.type !== 'local' && from.type !== 'ringbuf')
    c.within({ packetFixed: true }, inner);
  else inner();
  // A slice that stays on the stack belongs to another dynptr in every round, so the verifier would find every round different.
  if (from !== undefined && 'slot' in home) c.emit(st(8, r10, home.slot, 0));
}

/** What the pointer in `home` can be used for; undefined for what nothing here takes. */
function thingOf(
  contract: Contract,
  to: PointerKind,
  owned: boolean,
  prepared: Prepared,
  home: Home,
): Thing | undefined {
  switch (to.kind) {
    case 'map_value': {
      const map = prepared.map;
      if (map === undefined) return undefined;
      const holes = holesOf(map.fields);
      return { kind: 'region', home, size: map.valueSize, readonly: false, holes, of: 'map_value' };
    }
    case 'sock':
      return { kind: 'sock', home, type: to.type };
    case 'record': {
      const at = contract.args.findIndex((arg) => arg.kind === 'alloc_size');
      const size = prepared.sizes.get(at) ?? 0;
      return { kind: 'region', home, size, readonly: false, holes: [], of: 'record' };
    }
    case 'mem': {
      const size = 'arg' in to.size ? (prepared.sizes.get(to.size.arg) ?? 0) : to.size.bytes;
      return { kind: 'region', home, size, readonly: to.readonly === true, holes: [], of: 'mem' };
    }
    case 'btf':
      return { kind: 'btf', struct: to.struct, home, trust: to.trust === 'none' ? 'plain' : to.trust, owned };
    default:
      return undefined;
  }
}

/** Size that is counted with for a dynptr over a packet. */
const PACKET_BYTES = 14;

function withDynptr(
  c: Compiler,
  contract: Contract,
  prepared: Prepared,
  slot: number,
  choices: CallChoices,
  inner: () => void,
): void {
  const made = effectOf(contract, 'init_dynptr');
  const cloned = effectOf(contract, 'clone_dynptr');
  const from = cloned === undefined ? undefined : prepared.things.get(cloned.from);
  const type = made?.type ?? (from?.kind === 'dynptr' ? from.type : undefined);
  if (type === undefined) throw new Elided(`${contract.name} makes no dynptr that is known`);
  const size = prepared.sizes.get(contract.name === 'bpf_dynptr_from_mem' ? 1 : -1) ?? PACKET_BYTES;
  const { loops } = c.context;
  const thing: Thing = { kind: 'dynptr', slot, type, size, loops };
  if (cloned !== undefined && type === 'ringbuf') {
    // It dies with the dynptr that it was cloned from, and until then its slot cannot be used: neither by others nor in another round.
    if (from?.kind === 'dynptr' && from.loops !== loops)
      throw new Elided('the slot holds the clone of the round before');
    c.withThing(thing, inner);
    return;
  }
  if (made?.acquires === undefined) {
    // A view needs no release, but while its slot holds a dynptr no output memory may cover it; a store ends that.
    c.withThing(thing, inner);
    c.emit(st(8, r10, slot, 0));
    c.giveStack(slot, 16);
    return;
  }
  const close = choices.release % 2 === 0 ? 'bpf_ringbuf_submit_dynptr' : 'bpf_ringbuf_discard_dynptr';
  c.holding(
    () => {
      c.emit(mov(r1, r10), add(r1, slot), mov(r2, 0));
      c.callUnchecked(close);
    },
    () => c.withThing(thing, inner),
  );
  c.giveStack(slot, 16);
}
