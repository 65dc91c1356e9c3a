/**
 * There is one recorder of runs, for the page, `show` and `run --trace`. Under each strategy what it takes down of a killed run is what that kill comes
 * to: the same end, steps, violations and things left; the run is ended where the strategy ends it, and what is told as given back is no longer held.
 */
import { expect, it } from 'vitest';
import { traced } from '../../src/cli/output/trace.js';
import { STRATEGIES } from '../../src/strategies/index.js';
import { endingOf, killedUnder, optionsUnder } from '../../src/strategies/killed-run.js';
import { traceOf } from '../../src/vm/trace.js';
import { DESIGN_CASES, optionsOf, preparedCase } from '../support/strategies/kills.js';

it.each(STRATEGIES.map(({ name }) => name))('under %s a trace is the killed run', (name) => {
  const strategy = STRATEGIES.find((one) => one.name === name)!;
  let ended = 0;
  for (const [of, one] of DESIGN_CASES) {
    const prepared = preparedCase(one);
    const { code, verdict } = prepared;
    const ready = strategy.prepare({ code, facts: verdict.facts });
    if ('cannot' in ready) continue;
    for (const bound of [undefined, 4]) {
      const own = { ...optionsOf(prepared, one), ...(bound === undefined ? {} : { bound }) };
      const options = optionsUnder(ready, own);
      for (const kill of [0, 3, 7, 9, 12, 15]) {
        const killed = killedUnder(ready, code, options, kill);
        const ending = endingOf(ready, code, options, kill);
        const trace = traceOf(code, options, kill, { ending });
        const { result, steps, holds } = trace;
        expect([of, kill, result]).toEqual([of, kill, killed]);
        expect(steps.flatMap(({ broken }) => broken)).toEqual(killed.violations);
        const left = holds.filter(({ to }) => to === undefined).map(({ id }) => id);
        // One that is over its bound is told up to there.
        if (!killed.violations.some(({ check }) => check === 'bound')) {
          expect(left).toEqual(killed.held.map(({ id }) => id));
          const trapped = killed.end === 'trap' ? 1 : 0;
          expect(steps.reduce((sum, { count }) => sum + count, 0)).toBe(killed.steps + trapped);
        }
        const at = steps.filter((step) => step.ended).map(({ step }) => step);
        const ends = ready.kind === 'ends the run' && killed.killedAt >= 0 && killed.tookEffect >= 0;
        expect([of, kill, at]).toEqual([of, kill, ends ? [killed.tookEffect] : []]);
        ended += at.length;
        // The lines of run --trace tell the same steps, one by one.
        const lines = traced(code, options, kill, ready);
        if (steps.every(({ count }) => count <= 1))
          expect(lines.map(({ step, slot }) => [step, slot])).toEqual(
            steps.map(({ step, slot }) => [step, slot]),
          );
        expect(lines.filter(({ insn }) => insn === '(ended here)')).toHaveLength(at.length);
      }
    }
  }
  if (['abandon', 'ledger', 'throw', 'unwind-table'].includes(name)) expect(ended).toBeGreaterThan(10);
});
