/**
 * Linked lists and red-black trees of owned objects. A graph is kept as the ordered list of its nodes. A tree is a chain of right
 * children, which is one of the shapes that a red-black tree's program must expect.
 */

/** A node: the object's region, and where in it the node member lies. */
export interface GraphNode {
  readonly region: number;
  readonly offset: number;
}

/** All lists and trees of one run. Forks share them: a change makes a new map and leaves the old one alone. */
export class Graph {
  /** By root (`region:offset`). */
  private roots: ReadonlyMap<string, readonly GraphNode[]> = new Map();

  fork(): Graph {
    const copy = new Graph();
    copy.roots = this.roots;
    return copy;
  }

  nodes(root: string): readonly GraphNode[] {
    return this.roots.get(root) ?? [];
  }

  /** Whether this node is in any graph; a node can be in one only. */
  isLinked(node: GraphNode): boolean {
    return this.rootOf(node) !== undefined;
  }

  rootOf(node: GraphNode): string | undefined {
    for (const [root, nodes] of this.roots) if (nodes.some((one) => same(one, node))) return root;
    return undefined;
  }

  insert(root: string, at: number, node: GraphNode): void {
    const nodes = this.nodes(root);
    this.roots = new Map(this.roots).set(root, [...nodes.slice(0, at), node, ...nodes.slice(at)]);
  }

  remove(root: string, node: GraphNode): void {
    this.roots = new Map(this.roots).set(
      root,
      this.nodes(root).filter((one) => !same(one, node)),
    );
  }
}

const same = (a: GraphNode, b: GraphNode): boolean => a.region === b.region && a.offset === b.offset;

/** The key of a root: the region that it lies in and its offset in bytes. */
export const rootKey = (region: number, offset: number): string => `${region}:${offset}`;
