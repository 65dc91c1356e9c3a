/**
 * Shapes in which ownership goes other ways than from one call to one release: references that meet in one register, that another frame gives back,
 * that move into maps, lists and trees or wait out a tail call; locks in callbacks, callbacks in callbacks, iterators in iterators, exceptions, callbacks
 * that run later, maps that are filled first. Campaigns make each of them within so many programs, guided or not; what makes them is
 * accepted by our verifier and by Linux, around whatever fragments.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as shapes from '../../generators/families/shapes.js';
import type { Body } from '../../generators/families/values.js';
import { type Fragment, outline } from '../../generators/fragment.js';
import { guided } from '../../generators/guided.js';
import {
  fragmentsArbitrary,
  GENERATED_TYPES,
  type GeneratedProgram,
  programOfTree,
} from '../../generators/program.js';
import { randomFor } from '../../generators/random.js';
import { sample } from '../../generators/sample.js';
import type { ProgType } from '../../src/object/program.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { verify } from '../../src/verifier/verify.js';
import { SHAPES, shapesOf } from '../support/generators/shapes.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

const SEED = seeded(1).seed ?? 0;

const FAMILIES = {
  'references merged into one register': shapes.mergedArbitrary,
  'ownership across a tail call': shapes.acrossTailCallArbitrary,
  'three callbacks deep': shapes.deepCallbacksArbitrary,
  'iterator around an iterator': shapes.nestedIteratorsArbitrary,
  'lock in a callback': shapes.lockedCallbackArbitrary,
  'filled map with a callback': shapes.filledArbitrary,
} as const;

/** A program of one fragment of the family, around fragments drawn from `inner`. */
function programAround(
  make: (body: Body) => ReturnType<typeof shapes.mergedArbitrary>,
  nth: number,
): GeneratedProgram {
  const type: ProgType = GENERATED_TYPES[nth % GENERATED_TYPES.length]!;
  const body: readonly Fragment[] = [
    make(fragmentsArbitrary(type, { depth: 2 })).generate(randomFor(SEED, nth), undefined).value,
  ];
  return programOfTree({ type, body, spillCtx: nth % 2 === 0, value: nth % 8 }, {});
}

describe.each(Object.entries(FAMILIES))('%s', (name, make) => {
  it('is what its family makes, and is accepted by our verifier', () => {
    let has = 0;
    for (let nth = 0; nth < 2 * GENERATED_TYPES.length; nth++) {
      const { program, tree } = programAround(make, nth);
      const verdict = verify(program, { budget: 40_000 });
      if (!verdict.ok) {
        expect.fail(`${nth}, ${program.type}, at ${verdict.slot}: ${verdict.message}\n${outline(tree.body)}`);
      } else if (shapesOf(program, verdict.facts).has(name)) has++;
    }
    // Some types of programs may not call what it takes.
    expect(has).toBeGreaterThan(GENERATED_TYPES.length / 6);
  });
});

describeKnownKernel('Linux', () => {
  let judge: KernelJudge;
  beforeAll(() => {
    judge = new KernelJudge();
  });
  afterAll(() => judge.close());

  it.each(Object.entries(FAMILIES))('accepts %s', (_, make) => {
    for (let nth = 0; nth < 6 * GENERATED_TYPES.length; nth++) {
      const { program, tree } = programAround(make, nth);
      const { accepted, judged, message, insn } = judge.judge(program);
      if (judged && !accepted)
        expect.fail(`${nth}, ${program.type} at ${insn}: ${message}\n${outline(tree.body)}`);
    }
  });

  it('accepts guided programs', () => {
    for (let index = 0; index < 320; index++) {
      const { program, tree } = guided(SEED, index);
      const { accepted, judged, message, insn } = judge.judge(program);
      if (judged && !accepted)
        expect.fail(`${index}, ${program.type} at ${insn}: ${message}\n${outline(tree.body)}`);
    }
  });
});

/** A campaign of so many programs has each of the shapes; most are met within a hundred. */
const WITHIN = 600;

it.each([
  ['guided', guided],
  ['unguided', sample],
] as const)('each is made by a campaign, %s', (_, make) => {
  const missing = new Set<string>(SHAPES);
  for (let index = 0; missing.size > 0 && index < WITHIN; index++) {
    const { program } = make(SEED, index);
    const verdict = verify(program, { budget: 20_000 });
    if (verdict.ok) for (const shape of shapesOf(program, verdict.facts)) missing.delete(shape);
  }
  expect([...missing]).toEqual([]);
});
