/** What is held at an insn, spelled alike for our states and for the kernel's. */
import { type LogHold, showsReferences } from '../../../oracle/walk-log/held.js';
import type { LogPoint } from '../../../oracle/walk-log/walk.js';
import type { State } from '../../../verifier/state.js';

/** What is held in one state. */
export interface Held {
  /** In the order of acquisition, with the slot of the acquiring insn: `pointer@12 spin_lock@20, rcu, preempt 1`. */
  readonly exact: string;
  /** Without slots: what states that are compared for pruning must agree in. */
  readonly kinds: string;
}

function spell(
  refs: readonly Pick<LogHold, 'kind' | 'at'>[],
  frames: readonly number[],
  { rcu, preempt }: { readonly rcu: boolean; readonly preempt: number },
): Held {
  const sections = `${rcu ? ', rcu' : ''}${preempt > 0 ? `, preempt ${preempt}` : ''}`;
  const calls = frames.length === 0 ? '' : ` in ${frames.join('>')}`;
  const list = (of: (ref: Pick<LogHold, 'kind' | 'at'>) => string): string =>
    `${refs.length === 0 ? 'nothing' : refs.map(of).join(' ')}${sections}${calls}`;
  return { exact: list((ref) => `${ref.kind}@${ref.at}`), kinds: list((ref) => ref.kind) };
}

export function heldInState(state: State): Held {
  return spell(
    state.refs,
    state.frames.slice(1).map((frame) => frame.callsite),
    state,
  );
}

/** Undefined where a lock that the log does not show hides the references. */
export function heldAtPoint(point: LogPoint): Held | undefined {
  if (!showsReferences(point.held)) return undefined;
  return spell(point.held, point.callsites, point);
}
