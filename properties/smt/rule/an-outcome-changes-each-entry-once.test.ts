/**
 * What a proof compares of two outcomes is what they change of what is held. Every outcome of every function changes each entry by one: up for what it takes, down
 * for what it gives back; and it has an entry for each of its effects on what is held.
 */
import { expect, it } from 'vitest';
import { contracts } from '../../../src/kernel/catalog.js';
import type { Outcome } from '../../../src/kernel/contract.js';
import { deltas } from '../../../src/smt/rule/changes.js';

const UP = ['lock', 'enter', 'irq_save', 'iter_new'];
const DOWN = ['release', 'transfer', 'unlock', 'leave', 'irq_restore', 'iter_destroy', 'destroy_dynptr'];

/** How many entries go up, and how many down, by its effects alone. */
function counted({ r0, effects }: Outcome): readonly [number, number] {
  const takes = effects.filter(
    (effect) => UP.includes(effect.kind) || (effect.kind === 'init_dynptr' && effect.acquires === 'dynptr'),
  ).length;
  const inR0 = r0.kind === 'pointer' && r0.acquires !== undefined ? 1 : 0;
  return [takes + inR0, effects.filter(({ kind }) => DOWN.includes(kind)).length];
}

it('an outcome changes each entry once', () => {
  const seen = { up: 0, down: 0 };
  for (const { name, outcomes } of contracts())
    for (const outcome of outcomes) {
      const changes = [...deltas(outcome).values()];
      const [up, down] = [changes.filter((by) => by === 1).length, changes.filter((by) => by === -1).length];
      expect([name, outcome.name, up, down, changes.length]).toEqual([
        name,
        outcome.name,
        ...counted(outcome),
        up + down,
      ]);
      seen.up += up;
      seen.down += down;
    }
  expect(seen.up).toBeGreaterThan(50);
  expect(seen.down).toBeGreaterThan(50);
});
