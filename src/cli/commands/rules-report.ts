/** `rules report`: what is wrong with a rule set, as a text that can be sent to a mailing list. */

import { type Command, Option } from 'commander';
import { contractOf } from '../../kernel/catalog.js';
import type { DeclaredFunction } from '../../object/program.js';
import type { Action } from '../../patch/rule.js';
import sound from '../../patch/sets/sound.js';
import { decideIn, situationsOf } from '../../patch/situations.js';
import type { RulesReportDocument } from '../../report/documents.js';
import { rulesExit } from '../../report/exit.js';
import { describeStub } from '../../report/rules/rules.js';
import { type Refutation, type ReportForm, rulesReport } from '../../report/rules/rules-report.js';
import { type Act, withCommon } from '../command.js';
import { FUNCTIONS_HELP, integer, list } from '../input/options.js';
import type { Common, Outcome } from '../output/outcome.js';
import { type CheckOptions, checkedSet } from './rules-check.js';

interface ReportOptions extends CheckOptions {
  readonly format: ReportForm;
}

/** Adds `report` to the command `rules`. */
export function defineReport(command: Command, act: Act): void {
  withCommon(command.command('report'))
    .description('what is wrong with a rule set, as a text for a mailing list')
    .argument('SET', 'rule set, by name or file')
    .addOption(
      new Option('--format <FORM>', 'plain text of 72 columns, or Markdown')
        .choices(['text', 'markdown'])
        .default('text'),
    )
    .option('--function <NAME>', 'only this function')
    .option('--functions <FILES>', FUNCTIONS_HELP, list)
    .option('--workers <N>', 'threads; one for each processor unless told', integer(1, 256))
    .action((name: string, options: ReportOptions) =>
      act(options, (common) => reportSet(name, options, common)),
    );
}

async function reportSet(name: string, options: ReportOptions, common: Common): Promise<Outcome> {
  const { set, declared, functions, summary } = await checkedSet(name, options, common);
  const refuted = functions.filter(({ verdict }) => verdict === 'refuted');
  const right = (one: Refutation): string => rightFor(one, declared);
  const rows = refuted.map((one) => ({ ...one, right: right(one) }));
  const report = { rules: set.rules.name, refuted, proven: summary.proven, unknown: summary.unknown, right };
  return {
    exit: rulesExit(summary),
    json: { rules: set.rules.name, functions: rows, summary } satisfies RulesReportDocument,
    text: rulesReport(report, options.format),
  };
}

/** What `sound`, which is proven for every function, does in the situation in which a rule was refuted. */
export function rightFor({ name, witness }: Refutation, declared: readonly DeclaredFunction[]): string {
  const contract = contractOf(name, declared)!;
  const actions = situationsOf(contract)
    .filter(({ guards }) =>
      Object.entries(witness?.guards ?? {}).every(([guard, is]) => guards.get(guard) === is),
    )
    .map((situation) => inWords(decideIn(sound, contract, situation).action));
  const [first = 'keep the call', ...others] = [...new Set(actions)];
  return others.length === 0
    ? `${first}.`
    : `it depends on the call site: ${[first, ...others].join('; or ')}.`;
}

function inWords(action: Action): string {
  switch (action.kind) {
    case 'keep':
      return 'keep the call: no stub leaves what one of its outcomes leaves';
    case 'stub':
      return describeStub(action.stub).replace(/^stub: /, 'a stub that leaves ');
    case 'unwind':
      return 'let the call end in its landing pad';
  }
}
