/**
 * A program that no verifier has accepted may do anything. Its run still ends by an exit, at the limit, or at a check that broke. Nothing
 * else is thrown, except an InputError for what cannot be run at all, such as a function that Linux does not have.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BREAKS, nearMissesOf } from '../../generators/near-miss.js';
import { sample } from '../../generators/sample.js';
import { runEnvironment } from '../../src/campaign/kill/environments.js';
import { InputError } from '../../src/isa/errors.js';
import type { Insn } from '../../src/isa/insn.js';
import { contracts } from '../../src/kernel/catalog.js';
import type { Contract } from '../../src/kernel/contract.js';
import { mapRefusal, takesMap } from '../../src/kernel/maptypes.js';
import { MAP_TYPES, type MapDef, PROG_TYPES, type Program } from '../../src/object/program.js';
import { modelOf } from '../../src/vm/call/models/index.js';
import { parseCase } from '../../src/vm/case/case.js';
import { type Code, prepare } from '../../src/vm/state/code.js';
import { type RunResult, Vm } from '../../src/vm/vm.js';
import { seeded } from '../support/seed.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 202);
const ENDS = ['exit', 'throw', 'tail_call', 'trap', 'limit'];

/** What a run of it comes to in one of the worlds of a campaign; undefined where it cannot be run at all. */
function outcome(program: Program, world: number, tier: 'fast' | 'definitional'): RunResult | undefined {
  let code: Code;
  try {
    code = prepare(program);
    const surroundings = runEnvironment(program, SEED, 0, world);
    return new Vm(code, { ...surroundings, tier, strict: world % 2 === 1, maxSteps: 1000 }).run();
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Runs a program in both tiers and a few worlds; answers how many runs there were. */
function runs(program: Program, worlds: readonly number[]): number {
  let count = 0;
  for (const world of worlds) {
    for (const tier of ['fast', 'definitional'] as const) {
      const result = outcome(program, world, tier);
      if (result === undefined) continue;
      count++;
      expect(ENDS).toContain(result.end);
    }
  }
  return count;
}

describe('a run ends', () => {
  it('of near misses', () => {
    let count = 0;
    for (let index = 0; index < 10; index++) {
      const original = sample(SEED, index, { maxInsns: 60 });
      for (const way of BREAKS)
        for (const { program } of nearMissesOf(original, way, 1, index)) count += runs(program, [0, index]);
    }
    expect(count).toBeGreaterThan(500);
  });

  it('of programs with insns and a type that do not belong there', () => {
    let count = 0;
    const edit = fc.record({ at: fc.nat(), kind: fc.nat({ max: 5 }), to: fc.nat() });
    fc.assert(
      fc.property(
        fc.nat({ max: 400 }),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        fc.option(fc.constantFrom(...PROG_TYPES), { freq: 3 }),
        (index, edits, type) => {
          const { program } = sample(SEED + 1, index, { maxInsns: 60 });
          const changed = edits.reduce(edited, program);
          count += runs(type === null ? changed : { ...changed, type }, [index]);
        },
      ),
      seeded(200),
    );
    expect(count).toBeGreaterThan(100);
  });
});

const CALL = 0x85;
const LD_IMM64 = 0x18;
const FUNCTIONS = contracts();
const NUMBERS = [0, 1, -1, 4, 8, -8, -16, -512, 0x7fffffff];

/** The program with one insn changed: a register, a number, an offset, or another function called. */
function edited(program: Program, change: { at: number; kind: number; to: number }): Program {
  const slot = change.at % program.insns.length;
  const insn = program.insns[slot]!;
  const number = NUMBERS[change.to % NUMBERS.length]!;
  const put = (parts: Partial<Insn>, kfuncs = program.kfuncs): Program => {
    const insns = program.insns.map((one, at) => (at === slot ? { ...insn, ...parts } : one));
    return { ...program, insns, kfuncs };
  };
  if (insn.opcode === CALL && insn.src !== 1 && change.kind < 4) {
    const to = FUNCTIONS[change.to % FUNCTIONS.length]!;
    if (to.kind === 'helper') return put({ src: 0, off: 0, imm: to.id! });
    return put({ src: 2, off: 0, imm: program.kfuncs.length }, [...program.kfuncs, to.name]);
  }
  switch (change.kind) {
    case 0:
      return put({ dst: change.to % 10 });
    case 1:
      return insn.opcode === CALL || insn.opcode === LD_IMM64 ? program : put({ src: change.to % 11 });
    case 2:
    case 3:
      return put({ imm: number });
    default:
      return insn.opcode === CALL ? program : put({ off: number });
  }
}

/** Maps of every type, as small as they can be made, without special fields. */
const MAPS: readonly MapDef[] = MAP_TYPES.flatMap((type) => {
  for (const keySize of [4, 0, 8])
    for (const valueSize of [8, 4, 0])
      for (const flags of [0, 1]) {
        const maxEntries = type.endsWith('ringbuf') ? 4096 : type.endsWith('storage') ? 0 : 2;
        const map: MapDef = { name: 'm', type, keySize, valueSize, maxEntries, flags, fields: [] };
        if (type !== 'array_of_maps' && type !== 'hash_of_maps' && mapRefusal(map) === undefined)
          return [map];
      }
  return [];
});

/** Functions that take a map, apart from those that take what only a map value has. */
const TAKE_MAPS = FUNCTIONS.filter(
  ({ args }) => args.some(({ kind }) => kind === 'map') && !args.some(({ kind }) => kind === 'callback'),
);

/** A call of the function, with map `m` and memory on the stack. */
function callOf({ name, args }: Contract, map: MapDef): Program {
  const loads = args.map(({ kind }, at) => {
    const reg = `r${at + 1}`;
    if (kind === 'map') return `    ${reg} = map m`;
    if (kind === 'ctx') return `    ${reg} = r6`;
    if (['map_key', 'map_value', 'mem', 'dynptr'].includes(kind))
      return `    ${reg} = r10\n    ${reg} += -64`;
    return `    ${reg} = ${kind === 'size' || kind === 'alloc_size' ? 8 : 0}`;
  });
  const zeros = Array.from({ length: 8 }, (_, word) => `    *(u64 *)(r10 -${8 * (word + 1)}) = 0`);
  const text = ['    r6 = r1', ...zeros, ...loads, `    call ${name}`, '    r0 = 0', '    exit'].join('\n');
  const { program } = parseCase(`.type tc\n.map m array key=4 value=8 entries=1\n${text}\n`);
  return { ...program, maps: [map] };
}

describe('a function and a map', () => {
  it('that it does not take: a fault', () => {
    const tally = { exits: 0, refused: 0 };
    for (const contract of TAKE_MAPS) {
      const arg = contract.args.find((one) => one.kind === 'map')!;
      for (const map of MAPS) {
        const taken = takesMap(contract.name, arg, map);
        for (const tier of ['fast', 'definitional'] as const) {
          const result = outcome(callOf(contract, map), 0, tier);
          if (result === undefined) continue;
          if (result.end === 'exit') tally.exits++;
          if (taken) continue;
          tally.refused++;
          expect([contract.name, map.type, result.end]).toEqual([contract.name, map.type, 'trap']);
        }
      }
    }
    expect(tally.exits).toBeGreaterThan(60);
    expect(tally.refused).toBeGreaterThan(300);
  });

  it.each([-1, 1, 7])('number %i, which the program does not have: a fault', (index) => {
    for (const src of [5, 6] as const) {
      const insns: Insn[] = [
        { opcode: LD_IMM64, dst: 1, src, off: 0, imm: index },
        { opcode: 0, dst: 0, src: 0, off: 0, imm: 0 },
        { opcode: 0xb7, dst: 0, src: 0, off: 0, imm: 0 },
        { opcode: 0x95, dst: 0, src: 0, off: 0, imm: 0 },
      ];
      const { program } = parseCase(
        '.type xdp\n.map m array key=4 value=8 entries=1\n    r0 = 0\n    exit\n',
      );
      for (const tier of ['fast', 'definitional'] as const)
        expect(outcome({ ...program, insns }, 0, tier)?.violations).toMatchObject([
          { check: 'fault', slot: 0 },
        ]);
    }
  });
});

it('each function that gives a pointer which only a model can make has a model', () => {
  const made: readonly string[] = ['map_value', 'graph_node', 'kptr'];
  const lacking = contracts().filter(
    ({ name, outcomes }) =>
      outcomes.some(({ r0 }) => r0.kind === 'pointer' && made.includes(r0.to.kind)) &&
      modelOf(name) === undefined,
  );
  expect(lacking.map(({ name }) => name)).toEqual([]);
});
