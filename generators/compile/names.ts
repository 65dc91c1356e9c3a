/** What a contract's outcomes say about its result. */
import type { Contract, Effect, PointerKind, Resource } from '../../src/kernel/contract.js';

/** What may be in r0 after a call, over all outcomes. */
export interface ResultOf {
  readonly pointer?: { readonly to: PointerKind; readonly acquires?: Resource };
  readonly nullable: boolean;
  readonly scalar: boolean;
}

/** Worked out once for each contract: contracts stay, but for those of functions that are declared. */
const results = new WeakMap<Contract, ResultOf>();

/** Sums up what a function may return over all its outcomes: a pointer and to what, NULL, a number. */
export function resultOf(contract: Contract): ResultOf {
  let result = results.get(contract);
  if (result === undefined) {
    result = summed(contract);
    results.set(contract, result);
  }
  return result;
}

function summed(contract: Contract): ResultOf {
  // No map of sockets is looked into by a program that is made here.
  const pointers = contract.outcomes.flatMap(({ r0, guard }) =>
    r0.kind === 'pointer' && !(guard?.kind === 'map_of_sockets' && guard.is) ? [r0] : [],
  );
  const pointer = pointers[0];
  return {
    ...(pointer === undefined ? {} : { pointer }),
    nullable: contract.outcomes.some(({ r0 }) => r0.kind === 'null'),
    scalar: contract.outcomes.some(({ r0 }) => r0.kind === 'scalar'),
  };
}

/** The first effect of this kind in any outcome. */
export function effectOf<K extends Effect['kind']>(
  contract: Contract,
  kind: K,
): Extract<Effect, { kind: K }> | undefined {
  for (const { effects } of contract.outcomes) {
    for (const effect of effects) {
      if (effect.kind === kind) return effect as Extract<Effect, { kind: K }>;
    }
  }
  return undefined;
}
