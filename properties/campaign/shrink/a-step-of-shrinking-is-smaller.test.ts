/**
 * How small a case is: each part of it counts, and of two cases one is smaller, the other is, or they are of one size. What is offered as
 * simpler about maps, environment and the like changes one thing. Shrinking only takes what is smaller, and keeps what it is to show.
 */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cause, causeKey, isSameOrPart } from '../../../src/campaign/kill/cause.js';
import {
  causeOfBroken,
  pathOf,
  prepareProgram,
  replayed,
} from '../../../src/campaign/kill/prepared-program.js';
import { loadRuleSets, type NamedRules } from '../../../src/campaign/naming/rules.js';
import { shrinkCase } from '../../../src/campaign/shrink/shrink.js';
import { simplerScenarios, trimEnvironment } from '../../../src/campaign/shrink/simpler-environments.js';
import { insnCount, isSmaller, type Scenario, sizeOf, weightOf } from '../../../src/campaign/shrink/size.js';
import type { Op } from '../../../src/isa/insn.js';
import type { MapDef } from '../../../src/object/program.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { matches } from '../../../src/vm/case/expectation.js';
import { EMPTY, type Environment } from '../../../src/vm/state/environment.js';
import { CORPUS } from '../../support/cli.js';
import { seeded } from '../../support/seed.js';

const sizes = fc.array(fc.nat({ max: 2 }), { minLength: 3, maxLength: 3 });

describe('the order of sizes', () => {
  it('compares from the left, and never calls a size smaller than itself', () => {
    fc.assert(
      fc.property(sizes, sizes, (a, b) => {
        const spell = (size: readonly number[]): string => size.join('');
        expect(isSmaller(a, b)).toBe(spell(a) < spell(b));
      }),
      seeded(300),
    );
  });
});

describe('operations', () => {
  const ops = (text: string): number => {
    const { program } = parseCase(
      `.type tc\n.map m array key=4 value=8 entries=1\n${text}\nr0 = 0\nout:\nexit\n`,
    );
    return sizeOf({ program, env: EMPTY, step: 0 })[2]!;
  };

  it('weigh the more, the more there is to understand', () => {
    const order = [
      'r1 = 0',
      'r1 = 1',
      'r1 = 2',
      'r1 = 4',
      'r1 = -4',
      'r1 = 1000',
      'r1 = r2',
      'w1 = w2',
      '*(u8 *)(r10 -1) = 0',
      '*(u8 *)(r10 -1) = 1',
      'r1 = *(u8 *)(r2 +0)',
      'goto out',
      'r1 = 0x1 ll',
      'r1 = 0x100000001 ll',
      'r1 += 0',
      'r1 += 1',
      'r1 += r2',
      'if r1 == 0 goto out',
      'if r1 != 0 goto out',
      'if r1 > 0 goto out',
      'if r1 > 1 goto out',
      'if r1 > r2 goto out',
      'lock *(u64 *)(r10 -8) += r1',
      'r0 = *(u8 *)skb[2]',
      'call bpf_ktime_get_ns',
    ].map(ops);
    for (const [i, weight] of order.slice(1).entries())
      expect(weight, `number ${i + 1}`).toBeGreaterThan(order[i]!);
  });

  it.each<[string, readonly Op['kind'][]]>([
    ['nothing', ['exit']],
    ['loads and stores of registers alike', ['ldx', 'stx']],
    ['the rare ones alike', ['ld_packet', 'may_goto', 'addr_space_cast']],
    ['ordered memory accesses alike', ['load_acquire', 'store_release']],
  ])('weigh %s', (_, kinds) => {
    const weights = kinds.map((kind) => weightOf({ kind } as Op));
    expect(new Set(weights).size).toBe(1);
    expect(weights[0] === 0).toBe(kinds[0] === 'exit');
  });

  it('count once each, a 64-bit immediate too', () => {
    const { program } = parseCase('.type xdp\nr1 = 0x1 ll\nr0 = 0\nexit\n');
    expect([program.insns.length, insnCount(program)]).toEqual([4, 3]);
    expect(sizeOf({ program, env: EMPTY, step: 9 }).slice(0, 2)).toEqual([3, 4]);
  });
});

const map = (more: Partial<MapDef> = {}): MapDef => ({
  name: 'm',
  type: 'array',
  keySize: 4,
  valueSize: 8,
  maxEntries: 1,
  flags: 0,
  fields: [],
  ...more,
});
const FIELD = { kind: 'spin_lock', offset: 0, size: 4 } as unknown as MapDef['fields'][number];
const least: Scenario = {
  program: { ...parseCase('.type xdp\nr0 = 0\nexit\n').program, name: 'case', maps: [map()] },
  env: EMPTY,
  step: 0,
};
const withProgram = (more: Partial<Scenario['program']>): Scenario => ({
  ...least,
  program: { ...least.program, ...more },
});
const withEnv = (more: Partial<Environment>): Scenario => ({ ...least, env: { ...EMPTY, ...more } });
const ENTRIES = new Map([['m', new Map([['00', '01']])]]);
const LARGER: readonly (readonly [what: string, larger: Scenario])[] = [
  ['a step later', { ...least, step: 1 }],
  ['a packet', withEnv({ packet: new Uint8Array(1) })],
  ['a context', withEnv({ ctx: new Uint8Array(1) })],
  ['a field of the context', withEnv({ ctxFields: new Map([['mark', 1n]]) })],
  ['an entry of a map', withEnv({ maps: ENTRIES })],
  ['a choice', withEnv({ choices: new Map([['f#1', 'ok']]) })],
  ['another name', withProgram({ name: 'other' })],
  ['one more map', withProgram({ maps: [map(), map()] })],
  ['a special field', withProgram({ maps: [map({ fields: [FIELD] })] })],
  ['more entries', withProgram({ maps: [map({ maxEntries: 2 })] })],
  ['longer values', withProgram({ maps: [map({ valueSize: 16 })] })],
  ['longer keys', withProgram({ maps: [map({ keySize: 8 })] })],
  ['a kfunc', withProgram({ kfuncs: ['bpf_rcu_read_lock'] })],
  ['a subprogram', withProgram({ subprogs: [...least.program.subprogs, ...least.program.subprogs] })],
  ['a section', withProgram({ section: 'xdp' })],
  ['a license', withProgram({ license: 'GPL' })],
  ['a local type', withProgram({ localTypes: [{ id: 1, name: 't', size: 8, fields: [] }] as never })],
];

describe('a case', () => {
  it.each(LARGER)('is larger with %s', (_, larger) => {
    expect(isSmaller(sizeOf(least), sizeOf(larger))).toBe(true);
    expect(isSmaller(sizeOf(larger), sizeOf(least))).toBe(false);
  });

  it.each([
    ['packet', { packet: new Uint8Array(2) }, { packet: new Uint8Array(3) }],
    ['context', { ctx: new Uint8Array(2) }, { ctx: new Uint8Array(3) }],
    ['choice', { choices: new Map([['f#1', 'ok']]) }, { choices: new Map([['f#1', 'ok:1']]) }],
    ['key', { maps: ENTRIES }, { maps: new Map([['m', new Map([['0000', '01']])]]) }],
    ['value', { maps: ENTRIES }, { maps: new Map([['m', new Map([['00', '0101']])]]) }],
  ])('is larger with a longer %s', (_, shorter, longer) => {
    expect(isSmaller(sizeOf(withEnv(shorter)), sizeOf(withEnv(longer)))).toBe(true);
  });
});

describe('what is offered as simpler', () => {
  const rich: Environment = {
    packet: new Uint8Array(1),
    ctx: new Uint8Array(2),
    ctxFields: new Map([['mark', 1n]]),
    maps: new Map([
      [
        'm',
        new Map([
          ['00', '01'],
          ['02', '03'],
        ]),
      ],
    ]),
    choices: new Map([
      ['f#1', 'ok:1:ff'],
      ['g#1', 'null'],
      ['h#1', '7'],
    ]),
  };
  const envs = [...simplerScenarios(withEnv(rich))].map(({ env }) => env);

  it('of an environment: nothing given, each thing left out, each entry, each choice, or what came with it', () => {
    const { packet, ctx, ctxFields, maps, choices } = rich;
    const others = { packet, ctx, ctxFields, maps };
    const lessOne = (name: keyof typeof others): Environment => {
      const { [name]: _, ...rest } = rich;
      return rest;
    };
    const without = (key: string): Environment => ({
      ...rich,
      choices: new Map([...choices].filter(([other]) => other !== key)),
    });
    expect(envs.slice(0, envs.length)).toEqual([
      { choices },
      lessOne('packet'),
      lessOne('ctx'),
      lessOne('ctxFields'),
      lessOne('maps'),
      { ...rich, maps: new Map([['m', new Map([['02', '03']])]]) },
      { ...rich, maps: new Map([['m', new Map([['00', '01']])]]) },
      without('f#1'),
      { ...rich, choices: new Map([...choices].map(([key, one]) => [key, key === 'f#1' ? 'ok' : one])) },
      without('g#1'),
      without('h#1'),
    ]);
  });

  it('of a map: one entry, a plainer type, each field gone, a short value', () => {
    const offered = (one: MapDef): readonly MapDef[] =>
      [...simplerScenarios(withProgram({ maps: [map({ name: 'first' }), one] }))].map(({ program }) => {
        expect(program.maps[0]).toEqual(map({ name: 'first' }));
        return program.maps[1]!;
      });
    expect(offered(map())).toEqual([]);
    expect(offered(map({ type: 'lru_hash', maxEntries: 5, valueSize: 9 }))).toEqual([
      map({ type: 'lru_hash', valueSize: 9 }),
      map({ type: 'hash', maxEntries: 5, valueSize: 9 }),
      map({ type: 'lru_hash', maxEntries: 5, valueSize: 8 }),
    ]);
    expect(offered(map({ type: 'percpu_array' }))).toEqual([map()]);
    const other = { ...FIELD, offset: 8 };
    expect(offered(map({ valueSize: 32, fields: [FIELD, other] }))).toEqual([
      map({ valueSize: 32, fields: [other] }),
      map({ valueSize: 32, fields: [FIELD] }),
    ]);
    expect(offered(map({ type: 'ringbuf', maxEntries: 4096, keySize: 0, valueSize: 0 }))).toEqual([]);
  });

  it('of a program: no section and license, a plain name, the last local type gone', () => {
    const types = [1, 2].map((id) => ({ id, name: `t${id}`, size: 8, fields: [] })) as never[];
    const full = withProgram({ name: 'x', section: 's', license: 'l', localTypes: types });
    const offered = [...simplerScenarios(full)].map(({ program }) => program);
    expect(offered.map(({ section, license }) => [section, license])).toEqual([
      [undefined, undefined],
      ['s', 'l'],
      ['s', 'l'],
    ]);
    expect(offered.map(({ name }) => name)).toEqual(['x', 'case', 'x']);
    expect(offered.map(({ localTypes }) => localTypes.length)).toEqual([2, 2, 1]);
    expect(offered[2]!.localTypes[0]).toBe(types[0]);
  });

  it('only what the run asked for is kept of an environment', () => {
    const made = new Map([
      ['g#1', 'null'],
      ['k#1', 'x'],
    ]);
    const trimmed = trimEnvironment(rich, least.program, made);
    expect(trimmed).toEqual({ ...rich, choices: new Map([['g#1', 'null']]) });
    const { maps: _, ...rest } = rich;
    expect(trimEnvironment(rich, { ...least.program, maps: [] }, rich.choices)).toEqual(rest);
    const bare = { ...rich, maps: new Map([['m', new Map<string, string>()]]) };
    expect(trimEnvironment(bare, least.program, rich.choices)).toEqual(rest);
  });
});

/** One case of the corpus for each rule set and check, the shortest. */
const cases = new Map<string, { readonly name: string; readonly text: string }>();
for (const name of readdirSync(CORPUS).filter((one) => one.endsWith('.bpf'))) {
  const text = readFileSync(`${CORPUS}/${name}`, 'utf8');
  const [, rules] = /^\.rules (\S+)/m.exec(text)!;
  const [, check] = /^\.expect (\S+)/m.exec(text)!;
  const known = cases.get(`${rules} ${check}`);
  if (known === undefined || text.length < known.text.length) cases.set(`${rules} ${check}`, { name, text });
}

describe('a case of the corpus made larger', () => {
  it.each([...cases])(
    'shrinks for the same cause, by steps that are smaller each (%s)',
    async (_, { text, name }) => {
      // Insns that do nothing for it, behind the first label, where nothing leads to.
      const small = parseCase(text, name);
      const padded = parseCase(
        text.replace(/^main:$/m, 'main:\n    r0 = 11\n    r0 += 12\n    r0 = 13'),
        name,
      );
      const [rules] = await loadRuleSets([small.rules!]);
      const original = causeOf(small, rules!);
      const larger = { ...padded, kill: small.kill! + 3 };
      const accepted: (readonly number[])[] = [];
      const shrunk = shrinkCase(larger, {
        rules: rules!,
        profile: small.profile,
        cause: original,
        kernelAccepts: (program) => {
          accepted.push(sizeOf({ program, env: EMPTY, step: 0 }).slice(0, 3));
          return true;
        },
      });
      expect(isSameOrPart(shrunk.cause, original), causeKey(shrunk.cause)).toBe(true);
      const again = parseCase(shrunk.text);
      expect(causeKey(causeOf(again, rules!))).toBe(causeKey(shrunk.cause));
      expect(again.expect).toMatchObject({ kind: 'breaks', check: original.check });
      expect(insnCount(again.program)).toBe(shrunk.insns);
      expect(shrunk.insns).toBeLessThanOrEqual(insnCount(small.program));
      for (const [i, size] of accepted.slice(1).entries()) expect(isSmaller(accepted[i]!, size)).toBe(false);
    },
  );
});

/** The cause that a case shows, worked out from its text. */
function causeOf(one: ReturnType<typeof parseCase>, rules: NamedRules): Cause {
  const prepared = prepareProgram(one.program, one.profile);
  const answer = replayed(one, rules.rules);
  if (typeof prepared === 'string' || typeof answer === 'string') throw new Error('our verifier refuses it');
  const violation = answer.result.violations.find((each) => matches(one.expect!, each))!;
  return causeOfBroken(prepared, pathOf(prepared, rules.rules), {
    violation,
    step: one.kill!,
    env: answer.result.env,
  });
}
