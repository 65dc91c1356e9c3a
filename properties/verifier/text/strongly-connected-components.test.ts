/** Two nodes are in one component iff each can be reached from the other; a component comes after all that it leads to. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { components } from '../../../src/smt/components.js';
import { eachComponent } from '../../../src/smt/graph-components.js';
import { seeded } from '../../support/seed.js';

const MOST_NODES = 9;

interface Graph {
  readonly size: number;
  readonly edges: readonly (readonly [number, number])[];
  readonly roots: readonly number[];
}

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: MOST_NODES }).chain((size) => {
  const node = fc.nat({ max: size - 1 });
  return fc.record({
    size: fc.constant(size),
    edges: fc.array(fc.tuple(node, node), { maxLength: 3 * size }),
    roots: fc.array(node, { maxLength: 4 }),
  });
});

const nextIn =
  ({ edges }: Graph) =>
  (node: number): number[] =>
    edges.filter(([from]) => from === node).map(([, to]) => to);

/** Everything that a path of any length leads to, the node itself included. */
function reached(next: (node: number) => readonly number[], from: readonly number[]): ReadonlySet<number> {
  const seen = new Set(from);
  for (const node of seen) for (const to of next(node)) seen.add(to);
  return seen;
}

type Divide = (roots: Iterable<number>, next: (node: number) => readonly number[]) => number[][];

/** What must hold of a division into components; answers what does not. */
function fault(divide: Divide, graph: Graph): string | undefined {
  const next = nextIn(graph);
  const found = divide(graph.roots, next);
  const all = found.flat();
  const expected = reached(next, graph.roots);
  if (new Set(all).size !== all.length) return 'a node is in two components';
  if (all.length !== expected.size || !all.every((node) => expected.has(node))) return 'other nodes';
  const placeOf = new Map(
    found.flatMap((component, place) => component.map((node) => [node, place] as const)),
  );
  for (const a of all) {
    const fromA = reached(next, [a]);
    for (const b of all) {
      const together = fromA.has(b) && reached(next, [b]).has(a);
      if (together !== (placeOf.get(a) === placeOf.get(b))) return `${a} and ${b}`;
      if (fromA.has(b) && placeOf.get(b)! > placeOf.get(a)!)
        return `${a} comes before ${b}, to which it leads`;
    }
  }
  return undefined;
}

/** The division of a graph whose nodes are numbers; `loops` tells which components have a cycle. */
function inArrays(
  roots: Iterable<number>,
  next: (node: number) => readonly number[],
  size: number,
  loops: boolean[] = [],
): number[][] {
  const found: number[][] = [];
  const eachNext = (node: number, each: (to: number) => void): void => {
    for (const to of next(node)) each(to);
  };
  eachComponent([...roots], size, eachNext, (component, loop) => {
    found.push([...component]);
    loops.push(loop);
  });
  return found;
}

test('the same of nodes that are numbers, and which of them have a cycle', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const next = nextIn(graph);
      const loops: boolean[] = [];
      const found = inArrays(graph.roots, next, graph.size, loops);
      const divide = (roots: Iterable<number>, of: (node: number) => readonly number[]) =>
        inArrays(roots, of, graph.size);
      expect(fault(divide, graph)).toBeUndefined();
      expect(loops).toEqual(found.map((part) => part.length > 1 || next(part[0]!).includes(part[0]!)));
    }),
    seeded(400),
  );
  const long = inArrays([0], (node) => (node < 200_000 ? [node + 1] : [100_000]), 200_001);
  expect([long.length, long[0]!.length]).toEqual([100_001, 100_001]);
});

test('components are what can be reached both ways, what they lead to first', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      expect(fault(components, graph)).toBeUndefined();
    }),
    seeded(400),
  );
});

test('a long path needs no deep stack', () => {
  const found = components([0], (node: number) => (node < 200_000 ? [node + 1] : [100_000]));
  expect(found.length).toBe(100_001);
  expect(found[0]!.length).toBe(100_001);
});

const WRONG: Readonly<Record<string, Divide>> = {
  'the order is turned round': (roots, next) => components(roots, next).reverse(),
  'every node is alone': (roots, next) =>
    components(roots, next).flatMap((part) => part.map((node) => [node])),
  'the last edge of each node is forgotten': (roots, next) =>
    components(roots, (node) => next(node).slice(0, -1)),
  'two components are one': (roots, next) => {
    const [first = [], second = [], ...rest] = components(roots, next);
    return [[...first, ...second], ...rest];
  },
  'only one root counts': (roots, next) => components([...roots].slice(0, 1), next),
};

test.each(Object.entries(WRONG))('noticed: %s', (_name, divide) => {
  const details = fc.check(
    fc.property(graphs, (graph) => fault(divide, graph) === undefined),
    seeded(400),
  );
  expect(details.failed).toBe(true);
});
