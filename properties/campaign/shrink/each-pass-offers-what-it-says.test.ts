/**
 * Each shrinking pass offers exactly the programs that its name says, in order: a table of small programs. Of generated programs, whatever
 * pass is used and wherever: what leads somewhere still leads to one place, and what is not touched stays what and where it was.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { close, type Draft, open, opOf, replaced, without } from '../../../src/campaign/shrink/draft.js';
import {
  dropJumpedOver,
  dropPairs,
  dropRuns,
  type Pass,
  simplify,
} from '../../../src/campaign/shrink/passes.js';
import {
  dropAcquireAndRelease,
  dropCall,
  forwardSpill,
  inlineSubprog,
  lookupToAddress,
  propagateCopy,
  rematerializeAddress,
  shareStackAddress,
  simplerCall,
} from '../../../src/campaign/shrink/rewrites.js';
import { sizeOf } from '../../../src/campaign/shrink/size.js';
import { decodeAll } from '../../../src/isa/decode.js';
import { type Op, slots } from '../../../src/isa/insn.js';
import { subprogTarget } from '../../../src/isa/target.js';
import type { Program } from '../../../src/object/program.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { EMPTY } from '../../../src/vm/state/environment.js';
import { PASS_CASES, SIMPLER } from '../../support/campaign/passes.js';
import { seeded } from '../../support/seed.js';

const parsed = (body: string): Program =>
  parseCase(`.type tc\n${body.split('; ').join('\n')}\n`.replaceAll(':;', ':')).program;

/** The program as the table spells it. */
function spelled(draft: Draft): string {
  const program = close(draft);
  if (program === undefined) return 'no program';
  const text = printCase({ program, profile: 'privileged', env: EMPTY, comments: [] });
  return text
    .split('\n')
    .map((line) => line.trim().replace(/#\d+$/, ''))
    .filter((line) => line !== '' && line !== 'main:' && !line.startsWith('.type'))
    .join('; ');
}

function* candidatesOf(pass: Pass, draft: Draft): Iterable<Draft> {
  for (let at = 0; at < pass.positions(draft); at++) yield* pass.candidates(draft, at);
}

describe('the passes', () => {
  it.each(PASS_CASES)('$pass.name: $what', ({ pass, program, candidates }) => {
    expect([...candidatesOf(pass, open(parsed(program)))].map(spelled)).toEqual(candidates);
  });

  it.each(SIMPLER)('simplify: %s', (op, simpler) => {
    const maps = op.includes('map') ? '.map m array key=4 value=8 entries=1; ' : '';
    const around = (one: string): string =>
      spelled(open(parsed(`${maps}${one}; r0 = 0; ${/goto/.test(op + one) ? 'out:; ' : ''}exit`)));
    const draft = open(parsed(`${maps}${op}; r0 = 0; ${op.includes('goto') ? 'out:; ' : ''}exit`));
    expect([...simplify.candidates(draft, 0)].map(spelled)).toEqual(simpler.map(around));
  });
});

const PASSES: readonly Pass[] = [
  dropRuns(1),
  dropRuns(8),
  dropPairs,
  dropJumpedOver,
  dropCall,
  dropAcquireAndRelease,
  lookupToAddress,
  inlineSubprog,
  propagateCopy,
  forwardSpill,
  rematerializeAddress,
  simplerCall,
  simplify,
  shareStackAddress,
];
/** Those that only leave operations out. */
const ONLY_DROP: ReadonlySet<Pass> = new Set([...PASSES.slice(0, 4)]);

const programs = fc
  .tuple(fc.nat({ max: 2 ** 31 - 1 }), fc.nat({ max: 999 }))
  .map(([seed, index]) => sample(seed, index, { maxInsns: 60 }).program);

describe('an edited draft', () => {
  it('keeps the labels of whatever goes, at the next operation or behind the last one', () => {
    const draft = open(parsed('if r0 == 0 goto out; r0 = 1; out:; r0 = 2; exit'));
    for (let from = 0; from < draft.nodes.length; from++) {
      for (let to = from + 1; to <= draft.nodes.length; to++)
        checkDropped(
          draft,
          without(draft, (i) => i >= from && i < to),
        );
    }
  });

  it('leads to what stands in the place of an operation as it led to that', () => {
    const draft = open(parsed('if r0 == 0 goto out; r0 = 1; out:; r0 = 2; exit'));
    const [op] = parsedOps('r0 = 7');
    const edited = replaced(draft, 2, [op!, op!]);
    expect(spelled(edited)).toBe('if r0 == 0x0 goto L2; r0 = 1; L2:; r0 = 7; r0 = 7; exit');
  });
});

const parsedOps = (body: string) => open(parsed(body)).nodes.map(opOf);

describe.each(PASSES)('$name', (pass) => {
  it('keeps every jump, call and reference leading to one place', () => {
    fc.assert(
      fc.property(programs, fc.infiniteStream(fc.nat()), (program, random) => {
        const draft = open(program);
        const count = pass.positions(draft);
        for (let tries = 0; tries < 6 && count > 0; tries++) {
          for (const candidate of pass.candidates(draft, random.next().value! % count)) {
            if (random.next().value! % 4 === 0) checkLabels(candidate);
            if (ONLY_DROP.has(pass)) checkDropped(draft, candidate);
          }
        }
      }),
      seeded(6),
    );
  });
});

function checkLabels({ nodes, tail }: Draft): void {
  const labels = [...nodes.flatMap((node) => node.labels), ...tail];
  expect(new Set(labels).size).toBe(labels.length);
  for (const { item } of nodes) if (item.kind === 'linked') expect(labels).toContain(item.target);
}

/** What is left is a part of what was there, in its order, and each label is at the next operation that was left behind it. */
function checkDropped(before: Draft, after: Draft): void {
  const place = new Map(before.nodes.map(({ item }, i) => [item, i]));
  const places = after.nodes.map(({ item }) => place.get(item) ?? -1);
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);
  expect(after.nodes.length).toBeLessThan(before.nodes.length);
  const labelsAt = new Map<number, string[]>();
  before.nodes.forEach(({ labels }, i) => {
    const next = places.find((one) => one >= i) ?? before.nodes.length;
    labelsAt.set(next, [...(labelsAt.get(next) ?? []), ...labels]);
  });
  after.nodes.forEach(({ labels }, i) => {
    expect(labels).toEqual(labelsAt.get(places[i]!) ?? []);
  });
  expect(after.tail).toEqual([...(labelsAt.get(before.nodes.length) ?? []), ...before.tail]);
}

describe('what is inlined is the function that is called, and no more', () => {
  /** The operations of a function, as the program says where functions start. */
  const bodyOf = ({ insns, subprogs }: Program, start: number): readonly Op[] => {
    const next = Math.min(...subprogs.map((one) => one.start).filter((one) => one > start), insns.length);
    return decodeAll(insns)
      .slice(start, next)
      .filter((op) => op !== undefined);
  };
  const kinds = (ops: readonly Op[]): readonly string[] => ops.map(({ kind }) => kind);

  /** Each call of a function, inlined; answers which functions stand right behind those that were. */
  function checkInlined(program: Program): readonly string[] {
    const draft = open(program);
    const slots = decodeAll(program.insns).flatMap((op, slot) => (op === undefined ? [] : [slot]));
    const before = draft.nodes.map(opOf);
    return before.flatMap((op, at) => {
      const start = subprogTarget(op, slots[at]!);
      if (op.kind !== 'call' || start === undefined) return [];
      const [candidate] = inlineSubprog.candidates(draft, at);
      const body = bodyOf(program, start);
      // The last exit would be a jump to the next operation; one that is jumped to stays.
      const after = candidate!.nodes.map(opOf);
      const more = after.length - before.length + 1;
      expect([body.length, body.length - 1]).toContain(more);
      const leaving = (kind: string): string => (kind === 'exit' ? 'ja' : kind);
      expect(kinds(after.slice(0, at))).toEqual(kinds(before.slice(0, at)));
      expect(kinds(after.slice(at, at + more))).toEqual(kinds(body).slice(0, more).map(leaving));
      expect(kinds(after.slice(at + more))).toEqual(kinds(before.slice(at + 1)));
      const behind = program.subprogs.find((one) => one.start >= start + slotsOf(body));
      const use = behind && before.findIndex((one, i) => subprogTarget(one, slots[i]!) === behind.start);
      if (behind === undefined) return ['nothing'];
      return [behind.exceptionCallback ? 'exception callback' : before[use!]!.kind];
    });
  }
  const slotsOf = (ops: readonly Op[]): number => ops.reduce((sum, op) => sum + slots(op), 0);

  it('whatever stands behind it', () => {
    const functions = {
      called: 'called:; if r1 == 0 goto l; r0 = 7; exit; l:; r0 = 8; exit',
      other: 'other:; r0 = r1; exit',
      callback: 'callback:; r1 += 1; r0 = 0; exit',
      caught: 'caught:; r0 = 5; exit',
    };
    const names = Object.keys(functions) as (keyof typeof functions)[];
    const main = 'r1 = 0; call called; call other; r2 = func callback; r3 = 0; r1 = r2; exit';
    const seen = names.flatMap((first) =>
      names.flatMap((second) => {
        if (first === second) return [];
        const order = [first, second, ...names.filter((name) => name !== first && name !== second)];
        const text = `.exception_callback caught; main:; ${main}; ${order.map((name) => functions[name]).join('; ')}`;
        return checkInlined(parsed(text));
      }),
    );
    expect(new Set(seen)).toEqual(new Set(['nothing', 'call', 'ld_imm64', 'exception callback']));
  });

  it('in generated programs', () => {
    let calls = 0;
    fc.assert(
      fc.property(programs, (program) => {
        calls += checkInlined(program).length;
      }),
      seeded(60),
    );
    expect(calls).toBeGreaterThan(10);
  });
});

it('what only leaves out or simplifies is never larger', () => {
  fc.assert(
    fc.property(programs, fc.infiniteStream(fc.nat()), (program, random) => {
      const draft = open(program);
      const plain = close(draft)!;
      const size = (one: Program) => sizeOf({ program: one, env: EMPTY, step: 0 });
      const [insns, slots, weight] = size(plain);
      for (const pass of [...ONLY_DROP, simplify, dropCall]) {
        const count = pass.positions(draft);
        if (count === 0) continue;
        for (const candidate of pass.candidates(draft, random.next().value! % count)) {
          const smaller = close(candidate);
          if (smaller === undefined) continue;
          const [a, b, c] = size(smaller);
          expect(a).toBeLessThanOrEqual(insns!);
          expect(b).toBeLessThanOrEqual(slots!);
          if (a === insns && b === slots) expect(c).toBeLessThanOrEqual(weight!);
        }
      }
    }),
    seeded(20),
  );
});
