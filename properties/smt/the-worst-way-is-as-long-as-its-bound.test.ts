/**
 * The way that a proof tells from the worst place to be killed to the exit: it begins where the bound is largest, goes from each insn to one that
 * can follow, ends where the run ends, and is as long as the bound where no loop is on it.
 */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { programArbitrary } from '../../generators/program.js';
import { readObject } from '../../src/object/load.js';
import type { Program } from '../../src/object/program.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { prepare } from '../../src/vm/code.js';
import { seeded } from '../support/seed.js';

let told = 0;

async function hold(program: Program): Promise<void> {
  const { verdict, bound, bounds, boundKind, worstPath } = await proveProgram(
    program,
    shippedRuleSet('sound')!,
  );
  if (verdict !== 'proven' || boundKind !== 'exact') return;
  const { ops } = prepare(program);
  expect(bounds.get(worstPath[0]!)).toBe(bound);
  expect(worstPath.length).toBeLessThanOrEqual(bound!);
  // A subprogram that was verified by itself ends at its own exit.
  expect(ops[worstPath.at(-1)!]?.kind).toMatch(/exit|call/);
  if (program.subprogs.length > 1) return;
  if (new Set(worstPath).size === worstPath.length && !ops.some((op) => op?.kind === 'may_goto')) {
    const isStraight = worstPath.every((slot, i) => i === 0 || slot > worstPath[i - 1]!);
    if (isStraight && bound === worstPath.length) told++;
  }
  for (const [i, slot] of worstPath.slice(0, -1).entries()) {
    const op = ops[slot]!;
    const next = worstPath[i + 1]!;
    let after = slot + 1;
    while (after < ops.length && ops[after] === undefined) after++;
    const to = op.kind === 'jmp' || op.kind === 'ja' || op.kind === 'may_goto' ? slot + 1 + op.off : after;
    expect([slot, next === after || next === to]).toEqual([slot, true]);
  }
}

it('in objects', async () => {
  for (const name of ['lock_counter', 'loop_lookup', 'iter_num', 'socket_xdp', 'task_rcu']) {
    const file = `corpus/objects/${name}.o`;
    for (const program of readObject(readFileSync(file), file).programs) await hold(program);
  }
  expect(told).toBeGreaterThan(0);
});

it('in generated programs', async () => {
  await fc.assert(
    fc.asyncProperty(programArbitrary(), ({ program }) => hold(program)),
    seeded(25),
  );
  expect(told).toBeGreaterThan(3);
});
