/**
 * The long form of a declaration takes every argument and outcome that a function of the tables has, as it is, and refuses whatever is left out of
 * them, put in besides, or replaced by a value of another shape; numbers end where they must.
 */
import { describe, expect, it } from 'vitest';
import { contracts } from '../../src/kernel/catalog.js';
import type { Json, JsonObject } from '../../src/kernel/declare/fields.js';
import { argOf, bigintOf, callbackFlaw, outcomesOf, rangeOf } from '../../src/kernel/declare/long-form.js';

class Failed extends Error {}
const fail = (message: string): never => {
  throw new Failed(message);
};
/** What is said of a value, undefined where it is taken. */
function said(take: () => unknown): string | undefined {
  try {
    take();
    return undefined;
  } catch (error) {
    if (error instanceof Failed) return error.message;
    throw error;
  }
}

const json = (value: unknown): Json =>
  JSON.parse(
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part)),
  ) as Json;
/** Each of them once. */
const distinct = (values: readonly unknown[]): readonly Json[] =>
  [...new Set(values.map((value) => JSON.stringify(json(value))))].map((text) => JSON.parse(text) as Json);

const ARGS = distinct(contracts().flatMap(({ args }) => args)) as readonly JsonObject[];
const OUTCOMES = distinct(contracts().flatMap(({ outcomes }) => outcomes)) as readonly JsonObject[];

/** The callback of an argument is made for programs, with numbers and no more. */
const plain = (arg: JsonObject): boolean => arg.kind !== 'callback';

const arg = (value: Json | undefined): string | undefined => said(() => argOf(value, 'argument 1', fail));
const outcome = (value: Json): string | undefined => said(() => outcomesOf([value], fail));
const spec = (one: JsonObject): JsonObject => {
  const { r0 } = one as { r0: JsonObject };
  const short = r0.kind === 'void' || r0.kind === 'null' ? (r0.kind as string) : r0;
  return { ...one, r0: short };
};

/** No field of a declaration takes one of these. */
const NOTHING: readonly Json[] = [null, 'no such word', -1, 1.5, {}, [], [null], false];
/** Fields that say yes or no. */
const SWITCHES = new Set(['zero', 'owned', 'is', 'owning', 'blocks']);

/** The value with each field, however deep, replaced by each of what no field takes. */
function* spoiled(value: Json): Generator<readonly [string, Json]> {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [i, one] of value.entries()) {
      for (const wrong of NOTHING) yield [`${i} ${JSON.stringify(wrong)}`, value.with(i, wrong)];
      for (const [path, inner] of spoiled(one as Json)) yield [`${i}.${path}`, value.with(i, inner)];
    }
    return;
  }
  for (const [field, one] of Object.entries(value)) {
    if (field === 'effects' && Array.isArray(one) && one.length === 0) continue;
    for (const wrong of NOTHING)
      if (
        !(SWITCHES.has(field) && wrong === false) &&
        !(field === 'effects' && JSON.stringify(wrong) === '[]')
      )
        yield [`${field} ${JSON.stringify(wrong)}`, { ...(value as JsonObject), [field]: wrong }];
    for (const [path, inner] of spoiled(one as Json))
      yield [`${field}.${path}`, { ...(value as JsonObject), [field]: inner }];
  }
  yield ['stray', { ...(value as JsonObject), stray: true }];
}

describe('arguments', () => {
  it('of the tables are taken as they are', () => {
    for (const one of ARGS) expect(argOf(one, 'argument', fail)).toEqual(one);
  });
  it.each(ARGS.filter(plain).map((one) => [JSON.stringify(one), one] as const))('spoiled: %s', (_, one) => {
    for (const [what, wrong] of spoiled(one)) expect([what, typeof arg(wrong)]).toEqual([what, 'string']);
  });
  it('are objects of a kind', () => {
    for (const value of [
      undefined,
      null,
      'map',
      3,
      [],
      {},
      { kind: 3 },
      { kind: 'toString' },
      { kind: 'mapp' },
    ])
      expect(arg(value as Json)).toMatch(/^argument 1 is an object whose kind is one of anything, /);
  });
  it('without one of their fields are asked for it', () => {
    const needed: readonly (readonly [JsonObject, string])[] = [
      [{ kind: 'mem', size: { arg: 1 } }, 'access'],
      [{ kind: 'mem', access: 'read' }, 'size'],
      [{ kind: 'size' }, 'zero'],
      [{ kind: 'sock' }, 'types'],
      [{ kind: 'spin_lock' }, 'lock'],
      [{ kind: 'dynptr' }, 'state'],
      [{ kind: 'iter', state: 'init' }, 'type'],
      [{ kind: 'iter', type: 'num' }, 'state'],
      [{ kind: 'btf', trust: 'rcu' }, 'structs'],
      [{ kind: 'btf', structs: ['a'] }, 'trust'],
      [{ kind: 'graph_root' }, 'graph'],
      [{ kind: 'graph_node', graph: 'list' }, 'owned'],
      [{ kind: 'callback' }, 'callback'],
      [{ kind: 'object' }, 'release'],
    ];
    for (const [one, field] of needed) expect(arg(one)).toContain(`of kind ${one.kind}: expected ${field}: `);
  });
});

describe('outcomes', () => {
  it('of the tables are taken as they are', () => {
    for (const one of OUTCOMES) expect(json(outcomesOf([spec(one)], fail))).toEqual([one]);
  });
  it.each(OUTCOMES.map((one) => [JSON.stringify(one).slice(0, 100), one] as const))(
    'spoiled: %s',
    (_, one) => {
      for (const [what, wrong] of spoiled(spec(one))) {
        // The words of r0 are those of another outcome.
        if (what.startsWith('r0.kind')) continue;
        // Its ends may be below 0.
        if (/^(?:r0\.(?:min|max)|usual\.\d)/.test(what) && what.endsWith(' -1')) continue;
        expect([what, wrong, typeof outcome(wrong)]).toEqual([what, wrong, 'string']);
      }
    },
  );
  it('are at least one, in a list, each an object', () => {
    for (const value of [[], {}, 'any', null])
      expect(said(() => outcomesOf(value as Json, fail))).toMatch(/^outcomes is a list/);
    for (const value of ['x', 3, null]) expect(outcome(value as Json)).toMatch(/^outcome 1 is an object/);
    expect(outcome([])).toBeDefined();
    expect(outcome({ name: 'x' })).toBe('outcome 1: expected r0: a value');
  });
  it('have an r0 by word, range or kind', () => {
    const r0 = (value: Json): unknown => json(outcomesOf([{ name: 'x', r0: value }], fail)[0]!.r0);
    expect(r0('void')).toEqual({ kind: 'void' });
    expect(r0('null')).toEqual({ kind: 'null' });
    expect(r0([-4, 9])).toEqual({ kind: 'scalar', min: '-4', max: '9' });
    expect(r0([3, 3])).toEqual({ kind: 'scalar', min: '3', max: '3' });
    expect(r0('any')).toEqual({ kind: 'scalar', min: `${-(2n ** 63n)}`, max: `${2n ** 63n - 1n}` });
    for (const value of [
      'nothing',
      [4, 3],
      [1],
      [1, 2, 3],
      { kind: 'void' },
      { kind: 'scalar', min: 1 },
      5,
      null,
    ])
      expect(outcome({ name: 'x', r0: value as Json })).toMatch(/r0/);
  });
});

describe('numbers', () => {
  it('of 64 bits, signed, plain or as text', () => {
    const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
    for (const value of [least, least + 1n, -1n, 0n, most - 1n, most])
      expect(bigintOf(`${value}`)).toBe(value);
    for (const value of [-5, 0, Number.MAX_SAFE_INTEGER]) expect(bigintOf(value)).toBe(BigInt(value));
    for (const value of [
      `${least - 1n}`,
      `${most + 1n}`,
      2 ** 53,
      1.5,
      '0x10',
      '',
      '1e3',
      ' 1',
      null,
      undefined,
      true,
    ])
      expect(bigintOf(value as Json)).toBeUndefined();
    for (const value of [[2, 1], [1], [1, 2, 3], 'a', undefined, [1, 'x'], ['x', 1]])
      expect(rangeOf(value as Json)).toBeUndefined();
    expect(rangeOf([`${least}`, most.toString()])).toEqual([least, most]);
    expect(rangeOf([1, 1])).toEqual([1n, 1n]);
  });
  it('of arguments and bytes', () => {
    const size = (value: Json): boolean => arg({ kind: 'mem', access: 'read', size: value }) === undefined;
    for (const [value, ok] of [
      [{ arg: 0 }, true],
      [{ arg: 4 }, true],
      [{ arg: 5 }, false],
      [{ arg: -1 }, false],
      [{ bytes: 1 }, true],
      [{ bytes: 0 }, false],
      [{ bytes: 2 ** 29 - 1 }, true],
      [{ bytes: 2 ** 29 }, false],
      [{ arg: 1, bytes: 1 }, false],
      [{}, false],
    ] as const)
      expect([value, size(value)]).toEqual([value, ok]);
  });
  it('of callbacks', () => {
    const flaw = (more: JsonObject): string | undefined =>
      callbackFlaw({ args: [], returns: [0, 1], ...more });
    expect(flaw({})).toBeUndefined();
    for (const returns of [
      [0, 0],
      [-(2 ** 31) + 1, 2 ** 31 - 1],
    ])
      expect(flaw({ returns })).toBeUndefined();
    for (const returns of [[1, 0], [0], [0, 1, 2], [0, 2 ** 31], [-(2 ** 31), 0], [0.5, 1], 'any', null])
      expect(flaw({ returns: returns as Json })).toMatch(/^returns: /);
    for (const count of [5, 6])
      expect(flaw({ args: Array<Json>(count).fill('scalar') }) === undefined).toBe(count === 5);
    for (const field of ['contextArg', 'countArg'])
      for (const [value, ok] of [
        [0, true],
        [4, true],
        [5, false],
        ['1', false],
      ] as const)
        expect([field, value, flaw({ [field]: value }) === undefined]).toEqual([field, value, ok]);
    expect(flaw({ async: true })).toBeUndefined();
    expect(flaw({ async: false })).toMatch(/^async: true/);
    expect(callbackFlaw('none')).toBe('an object');
  });
});
