/**
 * The outcomes of a function, from what its flags, its return type and the answers of its declaration say. What the kernel's verifier knows of
 * r0 is what counts for proofs: a kfunc or a new helper that returns a number may return any. What it is likely to be is only for runs.
 */
import type { Arg, Effect, Outcome, PointerKind, R0, Resource } from '../contract.js';
import type { Fields } from './fields.js';
import { rangeOf } from './long-form.js';
import { ERROR_RANGE, INTEGER, NULL, REFERENCES, VOID } from './vocabulary.js';

/** What a function returns, as far as its prototype tells. */
export type Returned =
  | { readonly kind: 'void' }
  /** `signed`: it may be an error. */
  | { readonly kind: 'number'; readonly signed: boolean }
  | {
      readonly kind: 'pointer';
      readonly to: PointerKind;
      readonly nullable: boolean;
      /** The class of the reference that it holds. */
      readonly acquires?: Resource;
      readonly derives?: number;
    };

/** All that is known of a function before its outcomes are. */
export interface Behaviour {
  readonly args: readonly Arg[];
  readonly returned: Returned;
  /** Indices of arguments that are given back. */
  readonly releases: readonly number[];
  readonly writes: readonly number[];
  readonly transfers: number | undefined;
  readonly iterator: 'new' | 'next' | 'destroy' | undefined;
  /** It may sleep: then what succeeds may take long. */
  readonly sleeps: boolean;
  /** It is known to be prompt (KF_FASTCALL). */
  readonly prompt: boolean;
}

const slowly = (o: Outcome, slow: boolean): Outcome => (slow ? { ...o, blocks: true } : o);
const plain = (name: string, r0: R0, effects: readonly Effect[]): Outcome => ({ name, r0, effects });
const likely = (usual: readonly [bigint, bigint], o: Outcome): Outcome => ({ ...o, usual });

/** The outcomes. Asks `fields` for what cannot be inferred, and fails there for what contradicts itself. */
export function infer(fields: Fields, b: Behaviour): readonly Outcome[] {
  const index = (kind: Arg['kind']): number => b.args.findIndex((arg) => arg.kind === kind);
  const always = alwaysDone(fields, b);
  if (b.iterator !== undefined) return iterates(fields, b, always);
  const locks = fields.word('lock', ['takes', 'tries', 'releases']);
  // What is asked for already is not to be guessed at.
  if (locks === undefined && index('spin_lock') >= 0) return [plain('done', VOID, [])];
  if (locks !== undefined) return locking(fields, b, locks, index('spin_lock'), always);
  if (fields.has('section')) return section(fields, b, always);
  const flags = index('irq_flag');
  if (flags >= 0) {
    const saves = fields.word('irq', ['saves', 'restores']) === 'saves';
    return [
      plain(saves ? 'saved' : 'restored', successOf(b.returned), [
        ...always,
        { kind: saves ? 'irq_save' : 'irq_restore', arg: flags },
      ]),
    ];
  }
  const callback = index('callback');
  if (callback >= 0) return callsBack(fields, b, callback, always);
  const made = b.args.findIndex((arg) => arg.kind === 'dynptr' && arg.state === 'uninit');
  if (made >= 0) return makesDynptr(fields, b, made, always);
  return plainOutcomes(fields, b, always);
}

/** Effects that every outcome has. */
function alwaysDone(fields: Fields, b: Behaviour): readonly Effect[] {
  return [
    ...b.releases.map(
      (arg): Effect =>
        b.args[arg]?.kind === 'dynptr' ? { kind: 'destroy_dynptr', arg } : { kind: 'release', arg },
    ),
    ...b.writes.map((arg): Effect => ({ kind: 'write', arg })),
    ...(b.transfers === undefined ? [] : [transfer(b.args[b.transfers], b.transfers)]),
    ...(fields.flag('movesPacket') ? [{ kind: 'invalidate_packet' } as const] : []),
  ];
}

const transfer = (arg: Arg | undefined, index: number): Effect => ({
  kind: 'transfer',
  arg: index,
  ...(arg?.kind === 'graph_node' ? { nonOwning: true } : {}),
});

/** r0 of a function that does not fail. */
function successOf(returned: Returned): R0 {
  if (returned.kind === 'void') return VOID;
  if (returned.kind === 'number') return INTEGER;
  const { to, acquires, derives } = returned;
  return {
    kind: 'pointer',
    to,
    ...(acquires === undefined ? {} : { acquires }),
    ...(derives === undefined ? {} : { derives }),
  };
}

/** Whether a call that does its work may take long. It is asked for where the answer can change a verdict. */
function isSlow(fields: Fields, b: Behaviour): boolean {
  const said = fields.boolean('blocks');
  if (said !== undefined) {
    if (!said && b.sleeps) fields.fail('blocks: false, though the function may sleep');
    return said;
  }
  if (b.sleeps || b.prompt) return b.sleeps;
  const gives = b.returned.kind === 'pointer' && b.returned.acquires !== undefined;
  if (!gives && b.releases.length === 0 && b.transfers === undefined)
    fields.ask('blocks: true if a call may wait, spin or take long, else false');
  return false;
}

function plainOutcomes(fields: Fields, b: Behaviour, always: readonly Effect[]): readonly Outcome[] {
  const slow = isSlow(fields, b);
  const { returned } = b;
  switch (returned.kind) {
    case 'void':
      return [slowly(plain('done', VOID, always), slow)];
    case 'pointer': {
      const found = slowly(
        plain(returned.acquires === undefined ? 'found' : 'acquired', successOf(returned), always),
        slow,
      );
      return returned.nullable ? [plain('null', NULL, always), found] : [found];
    }
    case 'number':
      return numbers(fields, returned.signed, always, slow);
  }
}

/** Outcomes by the field `returns`. */
function numbers(
  fields: Fields,
  signed: boolean,
  always: readonly Effect[],
  slow: boolean,
): readonly Outcome[] {
  const said = fields.get('returns');
  const done = slowly(plain('done', INTEGER, always), slow);
  if (said === undefined) {
    if (signed) fields.ask(`returns: 'error' (0, or -1 to -4095), 'any', or [least, most]`);
    return [done];
  }
  if (said === 'any') return [done];
  if (said === 'error') return [likely(ERROR_RANGE, plain('error', INTEGER, always)), likely([0n, 0n], done)];
  const range = rangeOf(said);
  if (range === undefined)
    return fields.fail(`returns is 'error', 'any' or [least, most], not ${JSON.stringify(said)}`);
  if (!signed && range[0] < 0n) fields.fail('returns begins below 0, which the return type cannot be');
  return [likely(range, done)];
}

function makesDynptr(
  fields: Fields,
  b: Behaviour,
  arg: number,
  always: readonly Effect[],
): readonly Outcome[] {
  const made = b.args[arg];
  if (made?.kind !== 'dynptr' || b.returned.kind !== 'number')
    return fields.fail('a function that makes a dynptr returns a number, 0 or an error');
  const { type = 'local' } = made;
  const counted = type === 'ringbuf';
  const slow = fields.boolean('blocks') ?? b.sleeps;
  const nothing: Effect = {
    kind: 'init_dynptr',
    arg,
    type,
    ...(counted ? { acquires: 'null_dynptr' as const } : {}),
    null: true,
  };
  const something: Effect = {
    kind: 'init_dynptr',
    arg,
    type,
    ...(counted ? { acquires: 'dynptr' as const } : {}),
  };
  return [
    likely(ERROR_RANGE, plain('error', INTEGER, [...always, nothing])),
    slowly(plain('ok', INTEGER, [...always, something]), slow),
  ];
}

function callsBack(fields: Fields, b: Behaviour, arg: number, always: readonly Effect[]): readonly Outcome[] {
  const r0 = successOf(b.returned);
  if (r0.kind === 'pointer') return fields.fail('a function with a callback returns a number or nothing');
  const given = b.args[arg];
  const later = given?.kind === 'callback' && given.callback.async === true;
  return [
    plain('none', r0, [...always, { kind: 'callback', arg, times: 'none' }]),
    slowly(plain(later ? 'set' : 'some', r0, [...always, { kind: 'callback', arg, times: 'any' }]), !later),
  ];
}

function locking(
  fields: Fields,
  b: Behaviour,
  what: 'takes' | 'tries' | 'releases',
  arg: number,
  always: readonly Effect[],
): readonly Outcome[] {
  const given = b.args[arg];
  if (given?.kind !== 'spin_lock')
    return fields.fail(`lock: no parameter is a struct bpf_spin_lock * or struct bpf_res_spin_lock *`);
  const { lock } = given;
  const flags = b.args.findIndex(({ kind }) => kind === 'irq_flag');
  const irq = (kind: 'irq_save' | 'irq_restore'): readonly Effect[] =>
    flags < 0 ? [] : [{ kind, arg: flags, by: 'lock' }];
  if (what === 'releases')
    return [
      plain('done', successOf(b.returned), [...always, { kind: 'unlock', arg, lock }, ...irq('irq_restore')]),
    ];
  const held: readonly Effect[] = [...always, { kind: 'lock', arg, lock }, ...irq('irq_save')];
  if (what === 'takes') {
    if (b.returned.kind !== 'void')
      fields.fail(`lock: 'takes' is for a function that returns nothing; one that may fail 'tries'`);
    return [slowly(plain('taken', VOID, held), true)];
  }
  if (b.returned.kind !== 'number') fields.fail(`lock: 'tries' is for a function that returns 0 or an error`);
  const error: R0 = { kind: 'scalar', min: ERROR_RANGE[0], max: ERROR_RANGE[1] };
  const zero: R0 = { kind: 'scalar', min: 0n, max: 0n };
  return [plain('error', error, always), slowly(plain('taken', zero, held), true)];
}

function section(fields: Fields, b: Behaviour, always: readonly Effect[]): readonly Outcome[] {
  const said = fields.words('section') ?? [];
  const [verb, which] = said;
  if (
    said.length !== 2 ||
    (verb !== 'enters' && verb !== 'leaves') ||
    (which !== 'rcu' && which !== 'preempt')
  )
    return fields.fail(`section is 'enters rcu', 'leaves rcu', 'enters preempt' or 'leaves preempt'`);
  const enters = verb === 'enters';
  return [
    plain(enters ? 'entered' : 'left', successOf(b.returned), [
      ...always,
      { kind: enters ? 'enter' : 'leave', section: which },
    ]),
  ];
}

function iterates(fields: Fields, b: Behaviour, always: readonly Effect[]): readonly Outcome[] {
  const arg = b.args.findIndex(({ kind }) => kind === 'iter');
  if (arg !== 0)
    return fields.fail('the first parameter of an iterator function is its struct bpf_iter_... *');
  const { returned } = b;
  const slow = fields.boolean('blocks') ?? b.sleeps;
  switch (b.iterator) {
    case 'new':
      if (returned.kind !== 'number') return fields.fail('a function with KF_ITER_NEW returns an int');
      return [plain('made', INTEGER, [...always, { kind: 'iter_new', arg }])];
    case 'destroy':
      if (returned.kind !== 'void') return fields.fail('a function with KF_ITER_DESTROY returns nothing');
      return [slowly(plain('destroyed', VOID, [...always, { kind: 'iter_destroy', arg }]), slow)];
    default: {
      if (returned.kind !== 'pointer' || !returned.nullable)
        return fields.fail('a function with KF_ITER_NEXT returns a pointer and is KF_RET_NULL');
      // Plain memory lies in the iterator itself and dies with it.
      const r0 = successOf(returned.to.kind === 'mem' ? { ...returned, derives: arg } : returned);
      return [
        plain('drained', NULL, [...always, { kind: 'iter_next', arg, to: 'drained' }]),
        slowly(plain('active', r0, [...always, { kind: 'iter_next', arg, to: 'active' }]), slow),
      ];
    }
  }
}

/** The class of a reference: what the declaration says, else what the type tells. */
export function classOf(fields: Fields, known: Resource): Resource {
  return fields.word('resource', REFERENCES) ?? known;
}
