/** `npm run guidance`: how many programs it takes until wrong rules are found, guided against unguided. */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { type GuidanceResult, measureGuidance, type WayResult } from '../../campaign/guidance/measure.js';
import { toJson } from '../../report/document.js';
import { table } from '../../report/text/table.js';
import { integer } from '../input/options.js';

interface Options {
  readonly rules: number;
  readonly seeds: number;
  readonly programs: number;
  readonly json?: string;
}

const shown = (count: number): string => (Number.isFinite(count) ? `${count}` : 'not found');

function rowOf(name: string, one: WayResult): readonly string[] {
  const all = one.programsUntilFound.length;
  return [name, `${one.found} of ${all}`, shown(one.median), shown(one.upperQuartile), `${one.insns}`];
}

/** As JSON: rules that were not found have `null` programs. */
function documentOf({ rules, guided, unguided }: GuidanceResult, options: Options): unknown {
  const way = (one: WayResult) => ({
    ...one,
    median: finite(one.median),
    upperQuartile: finite(one.upperQuartile),
    programsUntilFound: one.programsUntilFound.map(finite),
  });
  const { seeds, programs } = options;
  return {
    seeds,
    programs,
    rules,
    guided: way(guided),
    unguided: way(unguided),
    ratio: guided.median / unguided.median,
  };
}

const finite = (count: number): number | null => (Number.isFinite(count) ? count : null);

new Command('guidance')
  .description(
    'programs until wrong rules are found: median over rules that are drawn from the table, and over seeds',
  )
  .option('--rules <N>', 'wrong rules', integer(1), 80)
  .option('--seeds <N>', 'campaigns of each kind', integer(1), 3)
  .option('--programs <N>', 'programs of a campaign', integer(1), 300)
  .option('--json <FILE>', 'write the figures there as well')
  .action((options: Options) => {
    const seeds = Array.from({ length: options.seeds }, (_, i) => i + 1);
    const result = measureGuidance({ rules: options.rules, seeds, programs: options.programs });
    const head = ['programs', 'rules found', 'median until found', 'upper quartile', 'insns'];
    const rows = [rowOf('guided', result.guided), rowOf('unguided', result.unguided)];
    process.stdout.write(table(head, rows));
    const ratio = result.guided.median / result.unguided.median;
    process.stdout.write(
      `guided needs ${ratio.toFixed(2)} of the programs, in the median, that unguided needs\n`,
    );
    if (options.json !== undefined) writeFileSync(options.json, toJson(documentOf(result, options)));
  })
  .parse();
