/**
 * Wrong contracts, made of every contract of the tables in each way to be wrong, at each place where that way applies: none is picked by hand.
 */
import { S64_MAX, S64_MIN } from '../../../src/isa/integer.js';
import type { Contract, Outcome } from '../../../src/kernel/contract.js';
import { contractOfDeclared, declare } from '../../../src/kernel/declare/declare.js';
import { copyOf } from '../declare/print.js';

export interface WrongContract {
  readonly way: Way;
  /** The function, and where in its contract. */
  readonly where: string;
  readonly right: Contract;
  readonly wrong: Contract;
}

export const WAYS = [
  'an outcome is dropped',
  'an effect is removed',
  'a reference is forgotten',
  'a range is wider',
  'a guard is forgotten',
  'a call that lasts is said not to',
  'a flag is lost',
] as const;
export type Way = (typeof WAYS)[number];

/** All wrong contracts of one. */
export function* wrongOf(right: Contract): Generator<WrongContract> {
  const at = (way: Way, where: string, wrong: Contract): WrongContract => ({
    way,
    where: `${right.name}: ${where}`,
    right,
    wrong,
  });
  for (const [index, outcome] of right.outcomes.entries()) {
    const with_ = (other: Outcome): Contract => ({ ...right, outcomes: right.outcomes.with(index, other) });
    const { name, r0, effects } = outcome;
    if (right.outcomes.length > 1)
      yield at('an outcome is dropped', name, { ...right, outcomes: right.outcomes.toSpliced(index, 1) });
    for (const [n, { kind }] of effects.entries())
      yield at(
        'an effect is removed',
        `${name}, ${kind}`,
        with_({ ...outcome, effects: effects.toSpliced(n, 1) }),
      );
    if (r0.kind === 'pointer' && r0.acquires !== undefined) {
      const { acquires: _, ...rest } = r0;
      yield at('a reference is forgotten', name, with_({ ...outcome, r0: rest }));
    }
    if (r0.kind === 'scalar') {
      const wider = [
        { ...r0, min: r0.min - 1n },
        { ...r0, max: r0.max + 1n },
      ];
      for (const other of wider)
        if (other.min >= S64_MIN && other.max <= S64_MAX)
          yield at(
            'a range is wider',
            `${name}, [${other.min}, ${other.max}]`,
            with_({ ...outcome, r0: other }),
          );
    }
    if (outcome.guard !== undefined) {
      const { guard, ...rest } = outcome;
      yield at('a guard is forgotten', `${name}, ${guard.kind}`, with_(rest));
    }
    if (outcome.blocks === true) {
      const { blocks: _, ...rest } = outcome;
      yield at('a call that lasts is said not to', name, with_(rest));
    }
  }
  yield* withoutFlags(right);
}

/** The function as it would be declared with one flag less, where prototype and flags say all of it; not where that is no declaration. */
function* withoutFlags(right: Contract): Generator<WrongContract> {
  if (right.kind !== 'kfunc') return;
  const copy = copyOf(right, `${right.name}_copy`);
  if (copy === undefined || !copy.short) return;
  const spec = JSON.parse(copy.declared.text) as { flags: readonly string[] };
  for (const flag of right.flags) {
    const flags = spec.flags.filter((one) => one !== flag);
    let made: Contract;
    try {
      made = contractOfDeclared(declare('kfunc', { ...spec, flags }));
    } catch (error) {
      if (error instanceof Error && error.name === 'InputError') continue;
      throw error;
    }
    yield {
      way: 'a flag is lost',
      where: `${right.name}: ${flag}`,
      right,
      wrong: { ...made, name: right.name, id: right.id },
    };
  }
}
