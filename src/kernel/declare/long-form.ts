/**
 * The long form of a declaration: arguments and outcomes in the words of contract.ts, for what the short form cannot say. Values are checked
 * against the shape of each word; whether they fit together is another question (flaws.ts).
 */
import { S64_MAX, S64_MIN } from '../../isa/integer.js';
import { MAP_TYPES } from '../../object/program.js';
import type { Arg, Effect, Guard, Outcome, PointerKind, R0 } from '../contract.js';
import { isObject, type Json, type JsonObject, show } from './fields.js';
import {
  DYNPTRS,
  INTEGER,
  ITERATORS,
  LOCKS,
  NULL,
  REFERENCES,
  SECTIONS,
  SOCKETS,
  VOID,
} from './vocabulary.js';

type Fail = (message: string) => never;
/** What is wrong with a value: what was expected, or undefined where it fits. */
type Check = (value: Json) => string | undefined;
interface Shape {
  readonly [field: string]: Check | readonly [optional: Check];
}

const expect =
  (what: string, test: (value: Json) => boolean): Check =>
  (value) =>
    test(value) ? undefined : what;

const yes = expect('true', (value) => value === true);
const bool = expect('true or false', (value) => typeof value === 'boolean');
const index = expect('the number of an argument, 0 to 4', (value) => isCount(value) && value < 5);
const bytes = expect('a number of bytes', (value) => isCount(value) && value > 0 && value < 1 << 29);
const name = expect('a name', (value) => typeof value === 'string' && /^[A-Za-z_]\w*$/.test(value));
const oneOf = (words: readonly string[]): Check =>
  expect(`one of ${words.join(', ')}`, (value) => typeof value === 'string' && words.includes(value));
const several = (each: Check, least: number, most = 64): Check =>
  expect(
    `a list of ${each(null) ?? 'values'}`,
    (value) =>
      isList(value) &&
      value.length >= least &&
      value.length <= most &&
      value.every((one) => each(one) === undefined),
  );
const size: Check = expect(
  '{ arg: N } or { bytes: N }',
  (value) =>
    isObject(value) &&
    Object.keys(value).length === 1 &&
    ((value.arg !== undefined && index(value.arg) === undefined) ||
      (value.bytes !== undefined && bytes(value.bytes) === undefined)),
);
const number = expect('a signed 64-bit number', (value) => bigintOf(value) !== undefined);

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** A signed 64-bit number, written as one or, where it is too large for that, as text. */
export function bigintOf(value: Json | undefined): bigint | undefined {
  const whole = typeof value === 'number' && Number.isSafeInteger(value);
  const text = typeof value === 'string' && /^-?\d{1,19}$/.test(value);
  if (!whole && !text) return undefined;
  const read = BigInt(value as number | string);
  return read >= S64_MIN && read <= S64_MAX ? read : undefined;
}

/** An inclusive range; undefined where the value is none. */
export function rangeOf(value: Json | undefined): readonly [bigint, bigint] | undefined {
  if (value === undefined || !isList(value) || value.length !== 2) return undefined;
  const [min, max] = [bigintOf(value[0]), bigintOf(value[1])];
  return min === undefined || max === undefined || min > max ? undefined : [min, max];
}

const state = oneOf(['uninit', 'init']);
const CALLBACK_ARGS = [
  'scalar',
  'map_ptr',
  'map_key',
  'map_value',
  'context',
  'dynptr',
  'rb_node',
  'task',
  'vma',
  'timer_map_ptr',
  'none',
];
const CALLBACK_SHAPE: Shape = {
  args: several(oneOf(CALLBACK_ARGS), 0, 5),
  returns: expect(
    '[least, most]',
    (value) =>
      isList(value) &&
      value.length === 2 &&
      value.every((one) => Number.isInteger(one) && Math.abs(one as number) < 2 ** 31) &&
      (value[0] as number) <= (value[1] as number),
  ),
  async: [yes],
  contextArg: [index],
  countArg: [index],
};
/** A callback as a declaration states it. */
export const callbackFlaw: Check = (value) =>
  isObject(value) ? shapeFlaw(value, CALLBACK_SHAPE) : 'an object';

const ARGS: Readonly<Record<Arg['kind'], Shape>> = {
  anything: {},
  scalar: { constant: [yes] },
  map: { types: [several(oneOf(MAP_TYPES), 1)] },
  map_key: {},
  map_value: { uninit: [yes], nullable: [yes] },
  percpu: {},
  mem: {
    access: oneOf(['read', 'write', 'readwrite']),
    size,
    nullable: [yes],
    optional: [yes],
    mapValue: [yes],
    aligned: [yes],
  },
  size: { zero: bool, constant: [yes] },
  alloc_size: {},
  ctx: { nullable: [yes] },
  sock: { types: several(oneOf(SOCKETS), 1), release: [yes], nullable: [yes], btf: [yes] },
  record: { release: yes },
  spin_lock: { lock: oneOf(LOCKS) },
  timer: {},
  wq: {},
  dynptr: { state, type: [oneOf(DYNPTRS)], release: [yes], rdonly: [yes], nullable: [yes] },
  iter: { type: oneOf(ITERATORS), state },
  irq_flag: { state },
  btf: {
    structs: several(name, 1),
    trust: oneOf(['trusted', 'rcu', 'any']),
    release: [yes],
    nullable: [yes],
  },
  kptr_slot: {},
  kptr_value: {},
  callback: { callback: callbackFlaw },
  stack_or_null: {},
  const_str: {},
  object: { release: yes, percpu: [yes] },
  refcounted: {},
  graph_root: { graph: oneOf(['list', 'rbtree']) },
  graph_node: { graph: oneOf(['list', 'rbtree']), owned: bool },
  ignored: {},
};

const POINTERS: Readonly<Record<PointerKind['kind'], Shape>> = {
  map_value: {},
  sock: { type: oneOf(SOCKETS) },
  record: {},
  mem: {
    size,
    readonly: [yes],
    slice: [
      expect(
        '{ arg: N }',
        (value) =>
          isObject(value) &&
          Object.keys(value).length === 1 &&
          value.arg !== undefined &&
          index(value.arg) === undefined,
      ),
    ],
  },
  btf: { struct: name, trust: oneOf(['trusted', 'rcu', 'untrusted', 'none']) },
  cast: { arg: index },
  kern_ctx: {},
  object: { percpu: [yes] },
  same: { arg: index },
  graph_node: { owning: bool },
  percpu: { arg: index },
  kptr: {},
};

const EFFECTS: Readonly<Record<Effect['kind'], Shape>> = {
  release: { arg: index },
  lock: { arg: index, lock: oneOf(LOCKS) },
  unlock: { arg: index, lock: oneOf(LOCKS) },
  enter: { section: oneOf(SECTIONS) },
  leave: { section: oneOf(SECTIONS) },
  irq_save: { arg: index, by: [oneOf(['lock'])] },
  irq_restore: { arg: index, by: [oneOf(['lock'])] },
  init_dynptr: {
    arg: index,
    type: oneOf(DYNPTRS),
    acquires: [oneOf(['dynptr', 'null_dynptr'])],
    null: [yes],
  },
  clone_dynptr: { arg: index, from: index },
  destroy_dynptr: { arg: index },
  iter_new: { arg: index },
  iter_next: { arg: index, to: oneOf(['active', 'drained']) },
  iter_destroy: { arg: index },
  write: { arg: index },
  callback: { arg: index, times: oneOf(['none', 'any']) },
  arm: { arg: index },
  transfer: { arg: index, nonOwning: [yes] },
  invalidate_packet: { dynptr: [index] },
  throw: {},
  tail_call: {},
};

const GUARDS: Readonly<Record<Guard['kind'], Shape>> = {
  key_may_miss: {},
  map_of_sockets: { is: bool },
  not_owning: { arg: index },
};

function shapeFlaw(value: JsonObject, shape: Shape): string | undefined {
  for (const [field, check] of Object.entries(shape)) {
    const given = Object.hasOwn(value, field) ? value[field] : undefined;
    if (given === undefined) {
      if (typeof check === 'function') return `${field}: ${check(null) ?? 'a value'}`;
      continue;
    }
    const wrong = typeof check === 'function' ? check(given) : check[0](given);
    if (wrong !== undefined) return `${field}: ${wrong}, not ${show(given)}`;
  }
  const stray = Object.keys(value).find((field) => field !== 'kind' && !Object.hasOwn(shape, field));
  return stray === undefined ? undefined : `no field ${show(stray)}`;
}

/** A value that is told apart by its `kind`. */
function kinded<K extends string>(
  what: string,
  shapes: Readonly<Record<K, Shape>>,
  value: Json | undefined,
  fail: Fail,
): JsonObject {
  if (!isObject(value) || typeof value.kind !== 'string' || !Object.hasOwn(shapes, value.kind))
    return fail(
      `${what} is an object whose kind is one of ${Object.keys(shapes).join(', ')}, not ${show(value)}`,
    );
  const flaw = shapeFlaw(value, shapes[value.kind as K]);
  if (flaw !== undefined) fail(`${what} of kind ${value.kind}: expected ${flaw}`);
  return value;
}

/** An argument. Calls `fail` where it is none. */
export function argOf(value: Json | undefined, what: string, fail: Fail): Arg {
  return kinded(what, ARGS, value, fail) as unknown as Arg;
}

function r0Of(value: Json | undefined, what: string, fail: Fail): R0 {
  if (value === 'void') return VOID;
  if (value === 'null') return NULL;
  if (value === 'any') return INTEGER;
  const range = rangeOf(value);
  if (range !== undefined) return { kind: 'scalar', min: range[0], max: range[1] };
  if (!isObject(value) || (value.kind !== 'scalar' && value.kind !== 'pointer'))
    return fail(
      `${what}: r0 is 'void', 'null', 'any', [least, most], or an object of kind scalar or pointer, not ${show(value)}`,
    );
  if (value.kind === 'scalar') {
    const flaw = shapeFlaw(value, { min: number, max: number, upTo: [index] });
    if (flaw !== undefined) fail(`${what}, r0 of kind scalar: expected ${flaw}`);
    const { min, max, upTo } = value;
    return {
      kind: 'scalar',
      min: bigintOf(min)!,
      max: bigintOf(max)!,
      ...(upTo === undefined ? {} : { upTo: upTo as number }),
    };
  }
  const flaw = shapeFlaw(value, { to: () => undefined, acquires: [oneOf(REFERENCES)], derives: [index] });
  if (flaw !== undefined) fail(`${what}, r0 of kind pointer: expected ${flaw}`);
  kinded(`${what}: what r0 points to`, POINTERS, value.to, fail);
  return value as unknown as R0;
}

/** Outcomes. Calls `fail` where they are none. */
export function outcomesOf(value: Json, fail: Fail): readonly Outcome[] {
  if (!isList(value) || value.length === 0)
    return fail(`outcomes is a list of at least one outcome, not ${show(value)}`);
  return value.map((one, i): Outcome => {
    const what = `outcome ${i + 1}`;
    if (!isObject(one)) return fail(`${what} is an object with name and r0, not ${show(one)}`);
    const list = (field: Json): string | undefined => (isList(field) ? undefined : 'a list');
    const flaw = shapeFlaw(one, {
      name: expect('a name', (given) => typeof given === 'string' && /^[A-Za-z_][\w-]*$/.test(given)),
      r0: () => undefined,
      effects: [list],
      blocks: [bool],
      usual: [expect('[least, most]', (given) => rangeOf(given) !== undefined)],
      guard: [() => undefined],
    });
    if (flaw !== undefined) fail(`${what}: expected ${flaw}`);
    const effects = ((one.effects ?? []) as readonly Json[]).map((effect) =>
      kinded(`an effect of ${what}`, EFFECTS, effect, fail),
    );
    return {
      name: one.name as string,
      ...(one.guard === undefined
        ? {}
        : { guard: kinded(`the guard of ${what}`, GUARDS, one.guard, fail) as unknown as Guard }),
      r0: r0Of(one.r0, what, fail),
      effects: effects as unknown as readonly Effect[],
      ...(one.blocks === true ? { blocks: true as const } : {}),
      ...(one.usual === undefined ? {} : { usual: rangeOf(one.usual)! }),
    };
  });
}
