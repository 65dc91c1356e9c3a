/** Calls made from contracts alone: whatever the catalog has that needs no shape of its own. */
import fc from 'fast-check';
import { contracts } from '../../src/kernel/catalog.js';
import type { Contract } from '../../src/kernel/contract.js';
import type { DeclaredFunction, ProgType } from '../../src/object/program.js';
import { oneIn, pickArbitrary, picksArbitrary, spillArbitrary } from '../choices.js';
import { type CallChoices, emitCall } from '../compile/call.js';
import { resultOf } from '../compile/names.js';
import { releasersOf } from '../compile/release.js';
import { type Fragment, fragment } from '../fragment.js';
import type { Body } from './values.js';

/** Kinds of arguments and effects that belong to families of their own. */
const OWN_ARGUMENTS = new Set<string>([
  'spin_lock',
  'timer',
  'wq',
  'iter',
  'irq_flag',
  'kptr_slot',
  'kptr_value',
  'callback',
  'object',
  'refcounted',
  'graph_root',
  'graph_node',
  'record',
]);
const OWN_EFFECTS = new Set<string>([
  'release',
  'destroy_dynptr',
  'lock',
  'unlock',
  'enter',
  'leave',
  'irq_save',
  'irq_restore',
  'throw',
  'tail_call',
]);

/** Whether `emitCall` alone makes a good call of it. */
export function isPlainCall(contract: Contract, declared: readonly DeclaredFunction[] = []): boolean {
  if (contract.args.some((arg) => OWN_ARGUMENTS.has(arg.kind))) return false;
  if (contract.outcomes.some(({ effects }) => effects.some(({ kind }) => OWN_EFFECTS.has(kind))))
    return false;
  const pointer = resultOf(contract).pointer;
  if (pointer?.to.kind === 'object' || pointer?.to.kind === 'same' || pointer?.to.kind === 'kptr')
    return false;
  if (pointer?.to.kind === 'graph_node') return false;
  return pointer?.acquires === undefined || releasersOf(pointer.acquires, pointer.to, declared).length > 0;
}

/** Names of the functions of that kind for a program type, or for all. */
export function plainCalls(type?: ProgType, declared: readonly DeclaredFunction[] = []): readonly string[] {
  return contracts(declared)
    .filter(
      (contract) => isPlainCall(contract, declared) && (type === undefined || contract.types.includes(type)),
    )
    .map(({ name }) => name);
}

/** The function to call, by name, and the free choices in writing the call. */
export interface PlainCall extends Omit<CallChoices, 'orElse'> {
  readonly name: string;
}

/** A call as a fragment, its result in scope for `body`; `none` is written where the result is NULL. */
export function call(
  choices: PlainCall,
  body: readonly Fragment[],
  none: readonly Fragment[] = [],
): Fragment {
  return fragment(`call ${choices.name}`, [...body, ...none], (c) =>
    emitCall(c, choices.name, none.length === 0 ? choices : { ...choices, orElse: () => c.body(none) }, () =>
      c.body(body),
    ),
  );
}

/** A call of one of `names`. */
export function callArbitrary(names: readonly string[], body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      choices: fc.record({
        name: fc.constantFrom(...names),
        picks: picksArbitrary,
        spill: spillArbitrary,
        release: pickArbitrary,
        inSubprogram: oneIn(5),
      }),
      body,
      none: fc.oneof({ weight: 4, arbitrary: fc.constant<Fragment[]>([]) }, { weight: 1, arbitrary: body }),
    })
    .map(({ choices, body, none }) => call(choices, body, none));
}
