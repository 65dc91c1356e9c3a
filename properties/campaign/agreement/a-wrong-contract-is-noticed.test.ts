/**
 * A contract that is wrong is noticed: an outcome dropped, an effect removed, a reference or a guard forgotten, a range one wider, a flag lost, time
 * left out. Wrong ones are made of the whole table, in each way at each place, and drawn from them with the seed. Each is noticed by a rule proof
 * (a rule, or a stub that the solver finds, has another verdict), by Linux, or by killed runs under what `sound` would decide by it; or it is
 * shown that nobody can (`Excused` in support/contracts/noticed.ts). Wrong rules are drawn over the same table in
 * smt/rule/sound-rules-are-proven-and-wrong-ones-refuted.
 *
 * SWANSONG_WRONG_CONTRACTS: how many are to be noticed (60 unless told; `all`).
 */
import { beforeAll, expect, it } from 'vitest';
import { contracts } from '../../../src/kernel/catalog.js';
import { flaws } from '../../../src/kernel/declare/flaws.js';
import { kernelAvailable } from '../../../src/oracle/available.js';
import { openSolver, type Solver } from '../../../src/smt/solver.js';
import { Terms } from '../../../src/smt/term/terms.js';
import { shuffled } from '../../support/contracts/drawn.js';
import { judge } from '../../support/contracts/noticed.js';
import { WAYS, type WrongContract, wrongOf } from '../../support/contracts/wrong.js';
import { messagesKnown } from '../../support/kernel/skip.js';
import { seeded } from '../../support/seed.js';

const SEED = seeded(1).seed ?? 0;
const WANTED = process.env.SWANSONG_WRONG_CONTRACTS ?? '60';
const wanted = WANTED === 'all' ? Number.POSITIVE_INFINITY : Number(WANTED);
const kernel = kernelAvailable().ok && messagesKnown();

let solver: Solver;
beforeAll(async () => {
  solver = await openSolver(new Terms());
});

/**
 * Wrong contracts of all ways in turn, each way in an order of the seed; not those that are malformed, which are refused before anybody is asked.
 */
function drawn(): readonly WrongContract[] {
  const all = contracts().flatMap((one) =>
    [...wrongOf(one)].filter(({ wrong }) => flaws(wrong).length === 0),
  );
  const byWay = WAYS.map((way) =>
    shuffled(
      all.filter((one) => one.way === way),
      SEED,
    ),
  );
  expect(Math.min(...byWay.map(({ length }) => length))).toBeGreaterThan(3);
  const longest = Math.max(...byWay.map(({ length }) => length));
  return Array.from({ length: longest }, (_, n) => byWay.flatMap((list) => list[n] ?? [])).flat();
}

it('of as many as are asked for', { timeout: 600_000 }, async () => {
  const noticed = new Set<string>();
  const excused: string[] = [];
  const missed: string[] = [];
  let count = 0;
  for (const pair of drawn()) {
    // Each way to be wrong is to be noticed somewhere.
    if (count >= wanted && WAYS.every((way) => noticed.has(way))) break;
    const answer = await judge(pair, solver, { seed: SEED, kernel });
    const what = `${pair.way}: ${pair.where}`;
    if (answer === 'missed') missed.push(what);
    else if (answer.startsWith('by ')) {
      count++;
      noticed.add(pair.way);
    } else excused.push(`${answer}: ${what}`);
  }
  expect(missed).toEqual([]);
  expect(count).toBeGreaterThanOrEqual(Math.min(wanted, 400));
  expect(WAYS.filter((way) => !noticed.has(way))).toEqual([]);
  // To be excused is not the rule.
  expect(excused.length).toBeLessThan(2 * count);
});
