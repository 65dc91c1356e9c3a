/** Strongly connected components of a directed graph (Tarjan), without recursion: programs are longer than a JavaScript stack is deep. */

/** Components of what can be reached from the roots; each one after all components that it leads to. */
export function components<T>(roots: Iterable<T>, next: (node: T) => readonly T[]): T[][] {
  const index = new Map<T, number>();
  const low = new Map<T, number>();
  const onStack = new Set<T>();
  const stack: T[] = [];
  const found: T[][] = [];
  let counter = 0;

  interface Step {
    readonly node: T;
    readonly next: readonly T[];
    at: number;
  }
  const open = (node: T, calls: Step[]): void => {
    index.set(node, counter);
    low.set(node, counter);
    counter++;
    stack.push(node);
    onStack.add(node);
    calls.push({ node, next: next(node), at: 0 });
  };

  for (const root of roots) {
    if (index.has(root)) continue;
    const calls: Step[] = [];
    open(root, calls);
    while (calls.length > 0) {
      const step = calls[calls.length - 1]!;
      if (step.at < step.next.length) {
        const to = step.next[step.at++]!;
        if (!index.has(to)) open(to, calls);
        else if (onStack.has(to)) low.set(step.node, Math.min(low.get(step.node)!, index.get(to)!));
        continue;
      }
      calls.pop();
      const caller = calls[calls.length - 1];
      if (caller !== undefined) low.set(caller.node, Math.min(low.get(caller.node)!, low.get(step.node)!));
      if (low.get(step.node) !== index.get(step.node)) continue;
      const component: T[] = [];
      for (;;) {
        const node = stack.pop()!;
        onStack.delete(node);
        component.push(node);
        if (node === step.node) break;
      }
      found.push(component);
    }
  }
  return found;
}
