/** A table in which costs can be counted by hand, and what it makes of programs. */
import { type Estimate, estimate } from '../../../src/cost/estimate.js';
import type { CostOptions } from '../../../src/cost/span.js';
import { type CostRow, CostTable, INSN_CLASSES, type Span } from '../../../src/cost/table.js';
import type { Program } from '../../../src/object/program.js';
import type { Accepted } from '../../../src/verifier/result.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';

const always = (ns: number): Span => ({ best: ns, usual: ns, worst: ns });

/** A row; one time for all calls, unless told. */
export const row = (
  kind: CostRow['kind'],
  name: string,
  span: number | Span,
  more: Partial<CostRow> = {},
): CostRow => ({
  kind,
  name,
  per: 'call',
  contention: 1,
  source: 'measured',
  ...(typeof span === 'number' ? always(span) : span),
  ...more,
});

/** Every insn takes 1 ns, entering a program 100, a function 1000 that has no row of its own, the kill 5. */
export function plainCosts(...more: readonly CostRow[]): CostOptions {
  const costs = new CostTable([
    ...INSN_CLASSES.map((name) => row('insn', name, 1)),
    row('event', 'run', 100),
    row('event', 'kill', 5),
    row('class', 'plain', 1000),
    row('class', 'blocks', { best: 1000, usual: 1000, worst: Number.POSITIVE_INFINITY }),
    row('class', 'sleeps', { best: 1000, usual: 1000, worst: Number.POSITIVE_INFINITY }),
  ]);
  return { costs: costs.with(more) };
}

export interface Accepting {
  readonly program: Program;
  readonly verified: Accepted;
}

/** A program that our verifier accepts, from the text of a case. */
export function accepted(text: string, head = '.type tc'): Accepting {
  const { program } = parseCase(`${head}\n.license GPL\n${text}`, 'timed.bpf');
  const verified = verify(program);
  if (!verified.ok) throw new Error(`insn ${verified.slot}: ${verified.message}`);
  return { program, verified };
}

/** What is estimated of the text of a program. */
export function estimateOf(text: string, options: CostOptions, head?: string): Estimate {
  const { program, verified } = accepted(text, head);
  return estimate(program, verified, options);
}
