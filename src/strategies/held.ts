/** What the verifier knows to be held in a state, in the words of the ledger. */
import type { Contract } from '../kernel/contract.js';
import type { Ref, State } from '../verifier/state/state.js';
import type { Code } from '../vm/state/code.js';
import type { HoldKind } from '../vm/state/ledger.js';

/** What a function acquires, by the kinds of the ledger: the first of its outcomes that acquires something tells. */
export function acquiredBy(contract: Contract | undefined): HoldKind {
  for (const { r0, effects } of contract?.outcomes ?? []) {
    if (r0.kind === 'pointer' && r0.acquires !== undefined) return r0.acquires;
    for (const effect of effects) {
      if (effect.kind === 'iter_new') return 'iterator';
      if (effect.kind === 'init_dynptr' && effect.acquires !== undefined) return effect.acquires;
    }
  }
  return 'reference';
}

/** The kind of one thing that is held in a state. */
export function kindOfRef(ref: Ref, { contracts }: Code): HoldKind {
  return ref.kind === 'pointer' ? acquiredBy(contracts[ref.at]) : ref.kind;
}

/** All that is held in a state, by kind: references, locks, saved IRQ states, sections. */
export function heldIn(state: State, code: Code): readonly HoldKind[] {
  return [
    ...state.refs.map((ref) => kindOfRef(ref, code)),
    ...(state.rcu > 0 ? (['rcu'] as const) : []),
    ...(state.preempt > 0 ? (['preempt'] as const) : []),
  ];
}

/** `a spin_lock`, `an open rcu section`, `an iterator`: something held, in a sentence. */
export function described(kind: HoldKind): string {
  if (kind === 'rcu' || kind === 'preempt') return `an open ${kind} section`;
  if (kind === 'irq') return 'a saved IRQ state';
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
