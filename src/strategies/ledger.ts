/**
 * A ledger that is kept at run time (acquire and release hooks, RFC of February 2025): each call that acquires or gives back tells it, in a search
 * tree by address. What is in it at a kill is given back, the latest first. The run can be ended wherever it can be preempted.
 */
import type { HoldKind } from '../vm/state/ledger.js';
import { release } from './release.js';
import type { Strategy } from './strategy.js';

/** Held, these keep the CPU from being taken away from the program. */
const NOT_PREEMPTIBLE: ReadonlySet<HoldKind> = new Set([
  'spin_lock',
  'res_spin_lock',
  'res_spin_lock_irqsave',
  'preempt',
  'irq',
]);

/** Bytes of an entry of the ledger. */
const ENTRY_BYTES = 24;

/** Steps of a search among so many entries, and one to change the tree. */
const searchSteps = (entries: number): number => 1 + Math.ceil(Math.log2(entries + 1));

/** Stops wherever the program can be preempted; each call that acquires or gives back costs a search. */
export const ledger: Strategy = {
  name: 'ledger',
  does: 'ends the run where it can be preempted, and gives back what a list kept at run time says is held',
  prepare: () => ({
    kind: 'ends the run',
    bytes: 0,
    runBytes: ({ holding }) => ENTRY_BYTES * Math.max(0, ...holding),
    extra: ({ holding }) => holding.reduce((sum, entries) => sum + searchSteps(entries), 0),
    sites: 'every insn',
    canStop: (machine) => !machine.ledger.holds.some(({ kind }) => NOT_PREEMPTIBLE.has(kind)),
    stop(machine) {
      for (const hold of machine.ledger.holds.toReversed()) release(machine, hold);
      machine.finish('stopped');
    },
  }),
};
