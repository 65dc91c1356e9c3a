/**
 * Of each tail call a proof says whether a killed run still makes it, from which maps and at which index, and whether it is in a function. Killed runs of
 * programs that are made of tail calls show the same: under each rule set a run that is killed ends in another program exactly at the calls of which the
 * proof says that it may.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fastPath } from '../../src/patch/fast-path.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { RULE_SETS, shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { programsToEnter, type TailCall } from '../../src/smt/tail-calls.js';
import { parseCase } from '../../src/vm/case/case.js';
import { printCase } from '../../src/vm/case/print.js';
import { defaultChooser } from '../../src/vm/state/chooser.js';
import { EMPTY } from '../../src/vm/state/environment.js';
import { Vm } from '../../src/vm/vm.js';
import { seeded } from '../support/seed.js';
import { subjectOf } from '../support/smt/every-kill.js';

/** A tail call of a made program. */
interface Made {
  /** The map, or one of both. */
  readonly map: 'one' | 'two' | 'either';
  /** Undefined: a number that the context holds; `some`: 0 or 2. */
  readonly index: number | 'some' | undefined;
  readonly inFunction: boolean;
}

const MADE: fc.Arbitrary<Made> = fc.record({
  map: fc.constantFrom('one' as const, 'two' as const, 'either' as const),
  index: fc.constantFrom(0, 2, 7, 'some' as const, undefined),
  inFunction: fc.boolean(),
});

const HEAD = `.type xdp
.map one prog_array key=4 value=4 entries=4 programs=0:first,2:second
.map two prog_array key=4 value=4 entries=8 programs=7:third
`;
const HELD: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  one: { 0: 'first', 2: 'second' },
  two: { 7: 'third' },
};

function callText({ map, index }: Made, at: number): string {
  const chosen =
    map === 'either'
      ? `    r2 = map one
    r4 = *(u32 *)(r6 +12)
    if r4 != 3 goto chosen_${at}
    r2 = map two
chosen_${at}:
`
      : `    r2 = map ${map}\n`;
  const some = `r3 = 2
    r4 = *(u32 *)(r6 +16)
    if r4 != 3 goto number_${at}
    r3 = 0
number_${at}:
`;
  const number = index === undefined ? 'r3 = *(u32 *)(r6 +16)' : index === 'some' ? some : `r3 = ${index}`;
  return `${chosen}    ${number}
    r1 = r6
    call bpf_tail_call
`;
}

/** The text of a program with these calls, one after the other. */
function textOf(calls: readonly Made[]): string {
  const main = calls.map((one, at) =>
    one.inFunction ? `    r1 = r6\n    call f_${at}\n` : callText(one, at),
  );
  const functions = calls.flatMap((one, at) =>
    one.inFunction ? [`f_${at}:\n    r6 = r1\n${callText(one, at)}    r0 = 1\n    exit\n`] : [],
  );
  return `${HEAD}
main:
    r6 = r1
${main.join('')}    r0 = 2
    exit
${functions.join('')}`;
}

/** The calls in the order in which they stand in the text: those of the main program, then the functions. */
const inOrder = (calls: readonly Made[]): readonly Made[] => [
  ...calls.filter(({ inFunction }) => !inFunction),
  ...calls.filter(({ inFunction }) => inFunction),
];

const mapsOf = ({ map }: Made): readonly string[] => (map === 'either' ? ['one', 'two'] : [map]);

function says(call: TailCall, made: Made): void {
  expect(call.function).toBe('bpf_tail_call');
  expect(call.maps.map(({ name }) => name).sort()).toEqual(mapsOf(made));
  expect(call.index).toBe(typeof made.index === 'number' ? made.index : undefined);
  expect(call.inFunction).toBe(made.inFunction);
  const held = mapsOf(made).flatMap((map) =>
    Object.entries(HELD[map]!).flatMap(([index, program]) =>
      typeof made.index !== 'number' || made.index === Number(index) ? [program] : [],
    ),
  );
  expect([...programsToEnter(call)].sort()).toEqual(held.sort());
}

/** Slots of the calls at which killed runs end in another program. */
function entered(text: string, rules: RuleSet): ReadonlySet<number> {
  const { program, verified } = subjectOf(parseCase(text).program);
  const path = fastPath(program, verified.facts, rules);
  const slots = new Set<number>();
  // The first calls find nothing at their index, and the next one finds a program.
  for (let missed = 0; missed < 4; missed++) {
    const choices = new Map(
      Array.from({ length: missed }, (_, at) => [`bpf_tail_call#${at + 1}`, 'missed'] as const),
    );
    const vm = new Vm(program, { env: { ...EMPTY, choices }, chooser: defaultChooser, fastPath: path });
    while (vm.running) {
      const killed = vm.fork();
      killed.kill();
      let at = killed.machine.pc;
      while (killed.running) {
        at = killed.machine.pc;
        killed.step();
      }
      if (killed.machine.end === 'tail_call') slots.add(at);
      vm.step();
    }
  }
  return slots;
}

describe('a killed run enters another program only where its proof says so', () => {
  it('under each shipped rule set, wherever it is killed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(MADE, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...RULE_SETS),
        async (calls, rules) => {
          const text = textOf(calls);
          const { program } = parseCase(text);
          const { tailCalls, verdict } = await proveProgram(program, rules, { maxRuns: 30 });
          expect(tailCalls).toHaveLength(calls.length);
          for (const [at, made] of inOrder(calls).entries()) says(tailCalls[at]!, made);
          const may = tailCalls.flatMap(({ slot, killedMayEnter }) => (killedMayEnter ? [slot] : []));
          expect([...entered(text, rules)].sort((a, b) => a - b)).toEqual(may);
          expect(verdict === 'proven').toBe(may.length === 0);
        },
      ),
      seeded(40),
    );
  });

  it('as pinned: who keeps tail calls and who replaces them', async () => {
    const { program } = parseCase(textOf([{ map: 'one', index: 0, inFunction: false }]));
    const keep: string[] = [];
    for (const rules of RULE_SETS) {
      const { tailCalls } = await proveProgram(program, rules, { maxRuns: 30 });
      if (tailCalls.some(({ killedMayEnter }) => killedMayEnter)) keep.push(rules.name);
    }
    expect(keep).toEqual(['rfc-v2', 'rfc-v3']);
  });

  it('a program without tail calls has none, and a text keeps what its maps begin with', async () => {
    const { program } = parseCase(`${HEAD}\n    r0 = 2\n    exit\n`);
    expect((await proveProgram(program, shippedRuleSet('sound')!)).tailCalls).toEqual([]);
    const one = parseCase(textOf([{ map: 'one', index: 0, inFunction: false }]));
    expect(one.program.maps[0]!.programs).toEqual([
      { index: 0, program: 'first' },
      { index: 2, program: 'second' },
    ]);
    expect(parseCase(printCase(one)).program.maps).toEqual(one.program.maps);
    expect(() => parseCase(`${HEAD.replace('0:first', 'first')}\n    r0 = 2\n    exit\n`)).toThrow(
      'expected entries INDEX:PROGRAM',
    );
  });
});
