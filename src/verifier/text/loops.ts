/**
 * Which insns lie on loops: the strongly connected components of each subprogram's control flow. Follows compute_scc of
 * kernel/bpf/verifier.c; inside such a loop the walk must be careful until all its paths have ended (`walk/explored-states.ts`).
 */
interface Open {
  readonly at: number;
  readonly next: readonly number[];
  done: number;
}

/**
 * The number of each slot's component, from 1 on; 0 for a slot on no loop. `successors`: the slots that may run after each one. The
 * caller counts a call with a callback as one that may run after itself; Linux 6.18 does not.
 */
export function numberLoops(successors: readonly (readonly number[])[]): Int32Array {
  const count = successors.length;
  const component = new Int32Array(count);
  const index = new Int32Array(count);
  const low = new Int32Array(count);
  const onStack = new Uint8Array(count);
  const stack: number[] = [];
  let counter = 0;
  let found = 0;
  const open = (at: number, calls: Open[]): void => {
    counter++;
    index[at] = counter;
    low[at] = counter;
    onStack[at] = 1;
    stack.push(at);
    calls.push({ at, next: successors[at]!, done: 0 });
  };
  for (let root = 0; root < count; root++) {
    if (index[root] !== 0) continue;
    const calls: Open[] = [];
    open(root, calls);
    while (calls.length > 0) {
      const step = calls[calls.length - 1]!;
      const { at } = step;
      if (step.done < step.next.length) {
        const to = step.next[step.done++]!;
        if (to >= count) continue;
        if (index[to] === 0) open(to, calls);
        else if (onStack[to] === 1) low[at] = Math.min(low[at]!, index[to]!);
        continue;
      }
      calls.pop();
      const caller = calls[calls.length - 1]?.at;
      if (caller !== undefined) low[caller] = Math.min(low[caller]!, low[at]!);
      if (low[at] !== index[at]) continue;
      // Alone, and not its own successor: on no loop.
      if (stack[stack.length - 1] === at && !step.next.includes(at)) {
        stack.pop();
        onStack[at] = 0;
        continue;
      }
      found++;
      for (;;) {
        const member = stack.pop()!;
        onStack[member] = 0;
        component[member] = found;
        if (member === at) break;
      }
    }
  }
  return component;
}
