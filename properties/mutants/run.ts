/** `npm run mutants`: tries mutants on all cores and prints which property noticed each. A survivor is a failure. */
import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import Table from 'cli-table3';
import { Command } from 'commander';
import type { Mutant } from './mutant.js';
import { MUTANTS } from './registry.js';
import { type Trial, tryMutant } from './trial.js';

const PROPERTIES = resolve(import.meta.dirname, '..');

interface Options {
  readonly spread?: string;
  readonly drawnFrom: string;
  readonly every?: true;
  readonly patience: string;
  readonly report?: string;
  readonly list?: true;
}

/** Tries the mutants that the arguments name; answers the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const command = new Command('mutants')
    .description('Tries mutants of the source: each is wrong in one way, and a property has to notice.')
    .argument('[names...]', 'mutants, or words that their names or files contain; all unless told')
    .option('--spread <n>', 'only so many, drawn at random but the same for the same --drawn-from')
    .option('--drawn-from <text>', 'what a spread is drawn from, such as a commit', 'swansong')
    .option('--every', 'run every property, not only those that ought to notice')
    .option('--patience <seconds>', 'after so long the properties are taken to hang', '120')
    .option('--report <file>', 'also write the table as Markdown')
    .option('--list', 'only say which mutants there are')
    .parse([...args], { from: 'user' });
  const options = command.opts<Options>();
  const chosen = spread(MUTANTS.filter(matching(command.args)), options);
  if (chosen.length === 0) {
    console.error(`no mutant is called ${command.args.join(' or ')}`);
    return 2;
  }
  if (options.list) {
    for (const { name, file, wrong } of chosen) console.log(`${name}  ${file}: ${wrong}`);
    return 0;
  }
  const trials = await tryAll(chosen, options);
  const table = new Table({ head: ['mutant', 'noticed by', 's'], style: { head: [], border: [] } });
  for (const trial of trials) table.push([trial.mutant.name, told(trial), trial.seconds.toFixed(1)]);
  console.log(table.toString());
  const bad = trials.filter(({ fate }) => fate.kind !== 'noticed');
  for (const { mutant, fate } of bad)
    console.log(`${fate.kind}: ${mutant.name} (${mutant.file}): ${mutant.wrong}`);
  if (options.report !== undefined) writeFileSync(options.report, markdown(trials));
  console.log(`mutants: ${trials.length - bad.length} noticed, ${bad.length} not`);
  return bad.length === 0 ? 0 : 1;
}

const matching =
  (words: readonly string[]) =>
  ({ name, file }: Mutant): boolean =>
    words.length === 0 || words.some((word) => name === word || file.includes(word) || name.includes(word));

function spread(mutants: readonly Mutant[], options: Options): readonly Mutant[] {
  if (options.spread === undefined) return mutants;
  const rank = ({ name }: Mutant): string =>
    createHash('sha256').update(`${options.drawnFrom} ${name}`).digest('hex');
  return [...mutants].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, Number(options.spread));
}

async function tryAll(mutants: readonly Mutant[], options: Options): Promise<readonly Trial[]> {
  const every = options.every ? allProperties() : [];
  const trials: Trial[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < mutants.length) {
      const at = next++;
      const mutant = mutants[at]!;
      trials[at] = await tryMutant(mutant, stagesOf(mutant, every), Number(options.patience));
      const done = trials.filter((trial) => trial !== undefined).length;
      console.error(`${done}/${mutants.length} ${mutant.name}: ${told(trials[at])}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return trials;
}

/** Properties that can see a mutant: those of the command line run the built program, those of the house read the source. */
function allProperties(): readonly string[] {
  return readdirSync(PROPERTIES, { recursive: true, encoding: 'utf8' }).flatMap((file) =>
    file.endsWith('.test.ts') && !/^(cli|house)\//.test(file) ? [file.replace(/\.test\.ts$/, '')] : [],
  );
}

/** What is run first, next and last: what ought to notice, then the folder that speaks of the mutant's file, then the rest. */
function stagesOf({ file, noticedBy }: Mutant, every: readonly string[]): readonly (readonly string[])[] {
  const folder = file.split('/')[file.startsWith('src/') ? 1 : 0]!;
  const others = every.filter((name) => !noticedBy.includes(name));
  const near = others.filter((name) => name.startsWith(`${folder}/`));
  const far = others.filter((name) => !near.includes(name));
  return [noticedBy, near, far].filter((stage) => stage.length > 0);
}

function told({ fate }: Trial): string {
  if (fate.kind === 'noticed') return fate.by;
  return fate.kind === 'survived' ? 'NOBODY' : `UNUSABLE: ${fate.message}`;
}

function markdown(trials: readonly Trial[]): string {
  const rows = trials.map(
    ({ mutant, fate, seconds }) =>
      `| ${mutant.name} | ${mutant.file} | ${mutant.wrong} | ${told({ mutant, fate, seconds })} | ${seconds.toFixed(1)} |`,
  );
  return ['| mutant | file | what is wrong | noticed by | s |', '|---|---|---|---|---|', ...rows, ''].join(
    '\n',
  );
}
