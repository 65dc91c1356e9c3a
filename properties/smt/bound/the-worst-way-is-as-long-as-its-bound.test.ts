/**
 * The way that a proof tells from the worst place to be killed to the exit: it begins where the bound is largest, goes from each insn to one that
 * can follow, ends where the run ends, and is as long as the bound where no loop is on it.
 */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { programArbitrary } from '../../../generators/program.js';
import { readObject } from '../../../src/object/load.js';
import type { Program } from '../../../src/object/program.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { prepare } from '../../../src/vm/state/code.js';
import { seeded } from '../../support/seed.js';

let told = 0;

async function hold(program: Program, rules = 'sound'): Promise<void> {
  const { verdict, bound, bounds, boundKind, worstPath } = await proveProgram(
    program,
    shippedRuleSet(rules)!,
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

it('through a loop that the rules do not end, and out of it', async () => {
  const program = readObject(readFileSync('corpus/objects/iter_num.o'), 'iter_num.o').programs[0]!;
  await hold(program, 'rfc-v1');
  const { worstPath, loops } = await proveProgram(program, shippedRuleSet('rfc-v1')!);
  const { ops } = prepare(program);
  expect([ops[worstPath.at(-1)!]?.kind, new Set(worstPath).size < worstPath.length]).toEqual(['exit', true]);
  expect(loops).toEqual([]);
  const nested =
    '.type xdp\n    r6 = 0\nouter:\n    r7 = 0\ninner:\n    r7 += 1\n    if r7 < 9 goto inner\n    r6 += 1\n    if r6 < 7 goto outer\n    r0 = 2\n    exit\n';
  await hold(parseCase(nested, 'nested.bpf').program);
});

it('in generated programs', async () => {
  await fc.assert(
    fc.asyncProperty(programArbitrary(), ({ program }) => hold(program)),
    seeded(25),
  );
  expect(told).toBeGreaterThan(3);
});
