/** Writes what is held at an insn in the same way for our states and for the kernel's, so that the two can be compared. */
import { type LogHold, showsReferences } from '../../../oracle/walk-log/held.js';
import type { LogPoint } from '../../../oracle/walk-log/walk.js';
import type { State } from '../../../verifier/state/state.js';

/** What is held in one state. */
export interface Held {
  /** In the order of acquisition, with the slot of the acquiring insn: `pointer@12 spin_lock@20, rcu, preempt 1`. */
  readonly exact: string;
  /** The same without slots: states must agree in this to be compared for pruning. */
  readonly kinds: string;
  /** Locks and sections only. If a lock comes first that the log does not show, the log does not tell more. */
  readonly locks: string;
}

function heldOf(
  refs: readonly Pick<LogHold, 'kind' | 'at'>[],
  frames: readonly number[],
  { rcu, preempt }: { readonly rcu: number; readonly preempt: number },
): Held {
  const sections = `${rcu > 0 ? ', rcu' : ''}${rcu > 1 ? ` ${rcu}` : ''}${preempt > 0 ? `, preempt ${preempt}` : ''}`;
  const calls = frames.length === 0 ? '' : ` in ${frames.join('>')}`;
  const list = (texts: readonly string[]): string =>
    `${texts.length === 0 ? 'nothing' : texts.join(' ')}${sections}${calls}`;
  const exact = refs.map(({ kind, at }) => `${kind}@${at}`);
  return {
    exact: list(exact),
    kinds: list(refs.map(({ kind }) => kind)),
    locks: list(exact.filter((_, i) => refs[i]!.kind !== 'pointer' && refs[i]!.kind !== 'irq')),
  };
}

/** Writes down the references, locks, sections and call sites of one of our states. */
export function heldInState(state: State): Held {
  return heldOf(
    state.refs,
    state.frames.slice(1).map((frame) => frame.callsite),
    state,
  );
}

/** Writes down the references, locks, sections and call sites that the kernel's log shows at an insn. */
export function heldAtPoint(point: LogPoint): Held {
  return heldOf(point.held, point.callsites, point);
}

/** Whether the log tells of all that is held there. */
export const isHeldShown = (point: LogPoint): boolean => showsReferences(point.held);
