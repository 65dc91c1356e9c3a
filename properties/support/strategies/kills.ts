/** What each strategy does at each point of a small run, in a few words, for pinned tables. */
import { readdirSync, readFileSync } from 'node:fs';
import { type PreparedProgram, prepareProgram } from '../../../src/campaign/kill/prepared-program.js';
import { rangesInWords } from '../../../src/report/campaign/run.js';
import { killsUnder } from '../../../src/strategies/killed-run.js';
import type { Strategy } from '../../../src/strategies/strategy.js';
import { usageOf } from '../../../src/strategies/usage.js';
import { type Case, parseCase } from '../../../src/vm/case/case.js';
import type { VmOptions } from '../../../src/vm/vm.js';

const FOLDER = new URL('../../../corpus/design/', import.meta.url);

/** The cases of corpus/design, by name. */
export const DESIGN_CASES: ReadonlyMap<string, Case> = new Map(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.bpf'))
    .sort()
    .map((name) => [name.slice(0, -4), parseCase(readFileSync(new URL(name, FOLDER), 'utf8'), name)]),
);

/** The program of a case, verified for the kernel that the case says. */
export function preparedCase(one: Case): PreparedProgram {
  const prepared = prepareProgram(one.program, one.profile, { kernel: one.kernel });
  if (typeof prepared === 'string') throw new Error(prepared);
  return prepared;
}

/** The options of a run of a case. */
export const optionsOf = ({ verdict, profile }: PreparedProgram, { env }: Pick<Case, 'env'>): VmOptions => ({
  env,
  facts: verdict.facts,
  strict: profile === 'strict',
});

/**
 * One line for a strategy: what it costs; by point the insns to where a kill takes effect (`.`: nowhere) and to the end; and what breaks where.
 */
export function killsInWords(one: Case, strategy: Strategy): string {
  const program = preparedCase(one);
  const { code, verdict } = program;
  const prepared = strategy.prepare({ code, facts: verdict.facts });
  if ('cannot' in prepared) return `cannot: ${prepared.cannot}`;
  const options = optionsOf(program, one);
  const usage = usageOf(code, options);
  const points = Array.from({ length: usage.run.steps }, (_, step) => step);
  const killed = killsUnder(prepared, code, options, points);
  const effects = killed.map(({ tookEffect, killedAt }) => (tookEffect < 0 ? '.' : tookEffect - killedAt));
  const exits = killed.map(({ steps, killedAt }) => steps - killedAt);
  const broken = new Map<string, number[]>();
  for (const { killedAt, violations } of killed)
    for (const words of new Set(violations.map(({ check, message }) => `${check} ${message}`)))
      broken.set(words, [...(broken.get(words) ?? []), killedAt]);
  const costs = [
    `${prepared.bytes} bytes`,
    `${prepared.extra?.(usage) ?? 0} insns more`,
    ...(prepared.runBytes === undefined ? [] : [`${prepared.runBytes(usage)} bytes at run time`]),
  ];
  return [
    costs.join(', '),
    `to effect ${short(effects)}`,
    `to exit   ${short(exits)}`,
    ...[...broken].map(([words, steps]) => `${words}: ${rangesInWords(steps)}`),
  ].join('\n    ');
}

/** Points of one run that go by in a row: `5 to 2` for 5 4 3 2, `3 x 0` for 0 0 0. */
function short(values: readonly (number | string)[]): string {
  const parts: string[] = [];
  for (let i = 0; i < values.length; ) {
    const first = values[i]!;
    let same = i;
    while (same < values.length && values[same] === first) same++;
    let down = i;
    while (typeof first === 'number' && down < values.length && values[down] === first - (down - i)) down++;
    if (same - i >= Math.max(2, down - i)) {
      parts.push(`${same - i} x ${first}`);
      i = same;
    } else {
      parts.push(down - i > 2 ? `${first} to ${values[down - 1]}` : String(first));
      i = down - i > 2 ? down : i + 1;
    }
  }
  return parts.join(', ');
}
