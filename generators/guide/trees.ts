/**
 * Edits of trees of fragments. Each takes one fragment out and puts a list of fragments in its place, so what comes out is a tree of
 * fragments again, and the program that it makes is accepted like any other.
 */
import { type Fragment, fragment } from '../fragment.js';

/** A fragment's place in a tree: the fragments around it, outermost first, and itself last. */
export type Path = readonly Fragment[];

/** Every fragment of a tree with its place, parents before what is nested in them. */
export function pathsOf(body: readonly Fragment[], above: Path = []): Path[] {
  return body.flatMap((node) => {
    const path = [...above, node];
    return [path, ...pathsOf(node.body, path)];
  });
}

/** The tree with the last fragment of `path` replaced by `instead`: by nothing, by what was nested in it, by itself and others, ... */
export function replaced(
  body: readonly Fragment[],
  path: Path,
  instead: readonly Fragment[],
): readonly Fragment[] {
  const [first, ...rest] = path;
  if (first === undefined) return body;
  const grown = rest.length === 0 ? instead : [graft(first, rest[0]!, replaced([rest[0]!], rest, instead))];
  return body.flatMap((node) => (node === first ? grown : [node]));
}

/** `node` with one of the fragments nested in it replaced by a list. */
function graft(node: Fragment, child: Fragment, instead: readonly Fragment[]): Fragment {
  const map = new Map([[child, instead]]);
  const body = node.body.flatMap((one) => (one === child ? instead : [one]));
  return fragment(node.name, body, (c) => c.replacing(map, () => node.emit(c)));
}

/** Smaller trees, those that cut most first: one fragment is dropped, or gives way to what is nested in it. */
export function* smallerTrees(body: readonly Fragment[]): Iterable<readonly Fragment[]> {
  for (const path of pathsOf(body)) {
    const node = path.at(-1)!;
    yield replaced(body, path, []);
    if (node.body.length > 0) yield replaced(body, path, node.body);
  }
}
