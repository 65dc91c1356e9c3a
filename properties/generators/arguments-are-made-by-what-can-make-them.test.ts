/**
 * Which functions a generator calls to have something to pass: for dynptrs all that make one of a type that will do, found in the contracts
 * anew; for sockets and kernel structs functions that return such a one.
 */
import { expect, it } from 'vitest';
import { CONTEXT_SOCKET, producersOf } from '../../generators/compile/producers.js';
import { contractOf, contracts } from '../../src/kernel/catalog.js';
import type { Arg, DynptrType } from '../../src/kernel/contract.js';
import { PROG_TYPES, type ProgType } from '../../src/object/program.js';

const everyArg = contracts().flatMap(({ name, args, types }) =>
  args.flatMap((arg) => types.map((type) => [name, arg, type] as const)),
);

/** Functions that make a dynptr of this type out of nothing. */
const makersOf = (type: DynptrType): readonly string[] =>
  contracts()
    .filter(({ outcomes }) =>
      outcomes.some(({ effects }) =>
        effects.some(
          (effect) => effect.kind === 'init_dynptr' && effect.type === type && effect.null !== true,
        ),
      ),
    )
    .map(({ name }) => name);

function dynptrTypes(arg: Extract<Arg, { kind: 'dynptr' }>, type: ProgType): readonly DynptrType[] {
  if (arg.type !== undefined) return [arg.type];
  if (arg.rdonly !== true) return ['local', 'ringbuf'];
  return ['local', 'ringbuf', type === 'xdp' ? 'xdp' : 'skb'];
}

it('dynptrs: all functions that make one that will do', () => {
  let seen = 0;
  for (const [name, arg, type] of everyArg) {
    if (arg.kind !== 'dynptr' || arg.state !== 'init') continue;
    seen++;
    const expected = dynptrTypes(arg, type).flatMap(makersOf);
    expect([name, type, [...producersOf(arg, type)].sort()]).toEqual([name, type, [...expected].sort()]);
  }
  expect(seen).toBeGreaterThan(100);
});

it('sockets and kernel structs: functions that return such a one', () => {
  const asked = new Set<string>();
  for (const [name, arg, type] of everyArg) {
    if (arg.kind !== 'sock' && arg.kind !== 'btf') continue;
    for (const producer of producersOf(arg, type)) {
      if (producer === CONTEXT_SOCKET) continue;
      asked.add(producer);
      const kinds = contractOf(producer)!.outcomes.flatMap(({ r0 }) =>
        r0.kind === 'pointer' ? [r0.to.kind] : [],
      );
      expect([name, producer, kinds.some((kind) => kind === arg.kind)]).toEqual([name, producer, true]);
    }
  }
  expect(asked.size).toBeGreaterThan(15);
});

it('nothing else has to be made', () => {
  for (const [, arg] of everyArg)
    if (!['sock', 'btf', 'dynptr'].includes(arg.kind))
      for (const type of PROG_TYPES) expect(producersOf(arg, type)).toEqual([]);
});
