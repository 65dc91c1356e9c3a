/**
 * Strongly connected components of a graph whose nodes are numbers (Tarjan), without recursion and in arrays: a graph of visits has a node for every insn
 * walked. `components.ts` does the same for any nodes.
 */

/**
 * Calls `found` with each component of what can be reached from the roots, after all components that it leads to. `loops`: there is a cycle in it.
 * Nodes are below `size`.
 */
export function eachComponent(
  roots: readonly number[],
  size: number,
  eachNext: (node: number, each: (next: number) => void) => void,
  found: (component: readonly number[], loops: boolean) => void,
): void {
  // 0: not seen yet. Otherwise a number that grows with each node.
  const seen = new Int32Array(size);
  const low = new Int32Array(size);
  const done = new Uint8Array(size);
  const stack: number[] = [];
  let counter = 0;
  // The open nodes, and what of their edges is still to be followed: edges of all of them lie behind one another.
  const open: number[] = [];
  const edges: number[] = [];
  const firstEdge: number[] = [];
  // The node whose edges are followed, and the nodes that follow themselves.
  let node = -1;
  const followsItself = new Uint8Array(size);
  const edge = (next: number): void => {
    edges.push(next);
    if (next === node) followsItself[node] = 1;
  };

  const enter = (entered: number): void => {
    node = entered;
    counter++;
    seen[node] = counter;
    low[node] = counter;
    stack.push(node);
    open.push(node);
    firstEdge.push(edges.length);
    eachNext(node, edge);
  };

  for (const root of roots) {
    if (seen[root] !== 0) continue;
    enter(root);
    while (open.length > 0) {
      node = open[open.length - 1]!;
      if (edges.length > firstEdge[firstEdge.length - 1]!) {
        const to = edges.pop()!;
        if (seen[to] === 0) enter(to);
        else if (done[to] === 0 && seen[to]! < low[node]!) low[node] = seen[to]!;
        continue;
      }
      open.pop();
      firstEdge.pop();
      const before = open[open.length - 1];
      if (before !== undefined && low[node]! < low[before]!) low[before] = low[node]!;
      if (low[node] !== seen[node]) continue;
      // Most components are one node. A literal has room for one, an array that is pushed to for 17.
      if (stack[stack.length - 1] === node) {
        stack.pop();
        done[node] = 1;
        found([node], followsItself[node] === 1);
        continue;
      }
      const component: number[] = [];
      for (;;) {
        const member = stack.pop()!;
        done[member] = 1;
        component.push(member);
        if (member === node) break;
      }
      found(component, true);
    }
  }
}
