/** Edits of trees: what stands in a fragment's place is written there, all else is written as before; and the programs are accepted like any other. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTree } from '../../generators/compile/program.js';
import { countFragments, type Fragment, fragment, outline } from '../../generators/fragment.js';
import { pathsOf, replaced, smallerTrees } from '../../generators/guide/trees.js';
import { programOfTree } from '../../generators/program.js';
import { sample } from '../../generators/sample.js';
import { mov, r0 } from '../../src/isa/build.js';
import { decodeAll } from '../../src/isa/decode.js';
import { verify } from '../../src/verifier/verify.js';
import { seeded } from '../support/seed.js';

const SEED = seeded(1).seed ?? 0;

/** A tree of numbers, each of which is written before and after what is nested in it. */
interface Numbers {
  readonly number: number;
  readonly inner: readonly Numbers[];
}

const { numbers } = fc.letrec<{ numbers: Numbers; list: Numbers[] }>((tie) => ({
  list: fc.oneof(
    { maxDepth: 3 },
    fc.constant<Numbers[]>([]),
    fc.array(tie('numbers'), { minLength: 1, maxLength: 3 }),
  ),
  numbers: fc.record({ number: fc.nat({ max: 99 }), inner: tie('list') }),
}));

const fragmentOf = ({ number, inner }: Numbers): Fragment => {
  const body = inner.map(fragmentOf);
  return fragment(`${number}`, body, (c) => {
    c.emit(mov(r0, number));
    c.body(body);
    c.emit(mov(r0, number));
  });
};

const writtenBy = (body: readonly Fragment[]): readonly string[] => {
  const { insns } = compileTree({ type: 'xdp', body, spillCtx: false, value: 0 }, 5000);
  return decodeAll(insns)
    .slice(0, -2)
    .flatMap((op) => (op?.kind === 'mov' && 'imm' in op.src ? [`${op.src.imm}`] : []));
};

/** What a tree of numbers writes, read off the tree. */
const expected = (body: readonly Fragment[]): string[] =>
  body.flatMap(({ name, body: inner }) => [name, ...expected(inner), name]);

/** Lists to put in the place of a fragment. */
const inPlaceOf = (node: Fragment, list: readonly Fragment[]) => ({
  instead: list,
  before: [...list, node],
  after: [node, ...list],
  hollow: node.body,
  around: [
    fragment('100', [node], (c) => {
      c.emit(mov(r0, 100));
      c.body([node]);
      c.emit(mov(r0, 100));
    }),
  ],
});

describe('an edit', () => {
  it('writes the list in the place of the fragment', () => {
    fc.assert(
      fc.property(
        fc.array(numbers, { minLength: 1, maxLength: 3 }),
        fc.array(numbers, { maxLength: 2 }),
        fc.nat(),
        fc.constantFrom('instead', 'around', 'before', 'after', 'hollow' as const),
        (trees, others, at, how) => {
          const body = trees.map(fragmentOf);
          const paths = pathsOf(body);
          expect(paths.length).toBe(countFragments(body));
          const path = paths[at % paths.length]!;
          const node = path.at(-1)!;
          const list = others.map(fragmentOf);
          const instead = inPlaceOf(node, list)[how];
          const edited = replaced(body, path, instead);
          expect(writtenBy(edited)).toEqual(expected(edited));
          // What the fragments say of themselves is what was to come out, worked out on the words alone.
          const words = (nodes: readonly Fragment[]): string[] =>
            nodes.flatMap((one) =>
              one === node ? expected(instead) : [one.name, ...words(one.body), one.name],
            );
          expect(writtenBy(edited)).toEqual(words(body));
          // The tree that was edited is as it was.
          expect(writtenBy(body)).toEqual(expected(body));
        },
      ),
      seeded(200),
    );
  });

  it('can be made again and again', () => {
    fc.assert(
      fc.property(
        fc.array(numbers, { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (trees, at) => {
          let body: readonly Fragment[] = trees.map(fragmentOf);
          for (const [nth, place] of at.entries()) {
            const paths = pathsOf(body);
            const path = paths[place % Math.max(1, paths.length)];
            if (path === undefined) break;
            const node = path.at(-1)!;
            body = replaced(
              body,
              path,
              [[node, node], node.body, [fragmentOf({ number: 7, inner: [] })]][nth % 3]!,
            );
          }
          expect(writtenBy(body)).toEqual(expected(body));
        },
      ),
      seeded(150),
    );
  });
});

it('in smaller trees each fragment can go, with what is nested in it or without', () => {
  for (let index = 0; index < 20; index++) {
    const { body } = sample(SEED, index).tree;
    const all = countFragments(body);
    // Each can be dropped with what is nested in it, and each that has something nested in it can give way to that.
    const sizes = pathsOf(body).flatMap((path) => {
      const node = path.at(-1)!;
      return [all - countFragments([node]), ...(node.body.length === 0 ? [] : [all - 1])];
    });
    expect([...smallerTrees(body)].map(countFragments)).toEqual(sizes);
  }
});

it('programs of edited trees are accepted by our verifier', () => {
  for (let index = 0; index < 40; index++) {
    const { tree } = sample(SEED, index);
    const donor = sample(SEED, index + 1000, { types: [tree.type] }).tree.body;
    const paths = pathsOf(tree.body);
    const path = paths[(7 * index) % Math.max(1, paths.length)];
    if (path === undefined) continue;
    for (const instead of [[], donor, [...donor, path.at(-1)!], path.at(-1)!.body]) {
      const body = replaced(tree.body, path, instead);
      const verdict = verify(programOfTree({ ...tree, body }, {}).program, { facts: false, budget: 20_000 });
      if (!verdict.ok) expect.fail(`${index} at ${verdict.slot}: ${verdict.message}\n${outline(body)}`);
    }
  }
});
