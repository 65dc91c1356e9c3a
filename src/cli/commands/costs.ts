/** `costs measure | show | estimate`: what insns and functions cost in time, and what that makes of programs. */
import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import type { Command } from 'commander';
import { givenFunctions } from '../../campaign/naming/rules.js';
import { defaultCosts } from '../../cost/default-costs.js';
import { estimate } from '../../cost/estimate.js';
import { measureCosts } from '../../cost/measure/measure.js';
import { PROBES } from '../../cost/measure/probes.js';
import { EFFORT } from '../../cost/measure/rounds.js';
import { kernelTime } from '../../cost/measure/timing.js';
import type { CostOptions } from '../../cost/span.js';
import { printCosts } from '../../cost/table.js';
import { vmTime } from '../../cost/vm-time.js';
import { InputError } from '../../isa/errors.js';
import { kernelAvailable } from '../../oracle/available.js';
import {
  costInDocument,
  costsInWords,
  type EstimateRow,
  estimateFields,
  estimatesInWords,
  leftOutOfCosts,
} from '../../report/design/costs.js';
import type {
  CostsEstimateDocument,
  CostsMeasureDocument,
  CostsShowDocument,
} from '../../report/documents.js';
import { verify } from '../../verifier/verify.js';
import { parseHex } from '../../vm/state/environment.js';
import { type Act, commandOfCommands, type Define, since, withCommon } from '../command.js';
import { COSTS_HELP, costsNamed } from '../input/costs-file.js';
import { type LoadedProgram, leftOut, loadPrograms } from '../input/files.js';
import { type JudgeOptions, PROGRAM_FILES, withJudged } from '../input/judging.js';
import { judgedFor, judgedProfile } from '../input/kernel-profile.js';
import { integer } from '../input/options.js';
import { filesBelow } from '../input/paths.js';
import type { Common, Outcome } from '../output/outcome.js';
import { countBar } from '../output/progress.js';

/** Declares `costs` with the commands below it. */
export const costs: Define = (program, act) => {
  const command = commandOfCommands(program, 'costs', 'what insns and functions cost in time');
  defineMeasure(command, act);
  defineShow(command, act);
  defineEstimate(command, act);
};

interface MeasureOptions {
  readonly rounds?: number;
  readonly out?: string;
}

function defineMeasure(command: Command, act: Act): void {
  withCommon(command.command('measure'))
    .description('measure them on the running kernel, by test runs')
    .option('--rounds <N>', `rounds of each function (${EFFORT.rounds})`, integer(3, 1000))
    .option('--out <FILE>', 'write the table there, with what cannot be measured from the shipped one')
    .action((options: MeasureOptions) => act(options, (common) => measured(options, common)));
}

function measured({ rounds, out }: MeasureOptions, common: Common): Outcome {
  const kernel = kernelAvailable();
  if (!kernel.ok) throw new InputError(`costs are measured in the running kernel: ${kernel.reason}`);
  const start = performance.now();
  const bar = countBar(common, 'functions', PROBES.length);
  let found: ReturnType<typeof measureCosts>;
  try {
    found = measureCosts(defaultCosts(), { ...EFFORT, ...(rounds === undefined ? {} : { rounds }) }, (done) =>
      bar.show(done),
    );
  } finally {
    bar.close();
  }
  if (out !== undefined) {
    const comments = [`Measured on Linux ${release()}. Nanoseconds; see docs/costs.md.`];
    writeFileSync(out, printCosts(defaultCosts().with(found.rows), comments));
  }
  const rows = found.rows.map(costInDocument);
  const json: CostsMeasureDocument = {
    kernel: kernel.release,
    costs: rows,
    outliers: found.outliers,
    left: found.left,
    ms: since(start),
    ...(out === undefined ? {} : { file: out }),
  };
  const written = out === undefined ? '' : `written: ${out}\n`;
  return {
    exit: 0,
    json,
    text: `${costsInWords(rows)}${leftOutOfCosts(found.outliers, found.left)}${written}`,
  };
}

function defineShow(command: Command, act: Act): void {
  withCommon(command.command('show'))
    .description('print the table of costs')
    .option('--costs <FILE>', COSTS_HELP)
    .action((options: { readonly costs?: string }) =>
      act(options, () => {
        const rows = costsNamed(options.costs).rows.map(costInDocument);
        return { exit: 0, json: { costs: rows } satisfies CostsShowDocument, text: costsInWords(rows) };
      }),
    );
}

interface EstimateOptions extends JudgeOptions {
  readonly costs?: string;
  readonly contended?: true;
  readonly kernel?: true;
  readonly mem?: string;
}

function defineEstimate(command: Command, act: Act): void {
  const estimated = withCommon(command.command('estimate'))
    .description('how long programs may run, and what makes the worst of each')
    .option('--costs <FILE>', COSTS_HELP)
    .option('--contended', 'other CPUs use the same maps and locks at the same time')
    .option('--kernel', 'also run each in the running kernel, and see whether its time lies within')
    .option('--mem <HEX>', 'the packet that it runs on');
  withJudged(estimated, 'built-in').action((files: string[], options: EstimateOptions) =>
    act(options, (common) => estimateFiles(files, options, common)),
  );
}

async function estimateFiles(
  paths: readonly string[],
  options: EstimateOptions,
  { complain }: Common,
): Promise<Outcome> {
  const declared = await givenFunctions(options.functions);
  const loaded = loadPrograms(filesBelow(paths, PROGRAM_FILES), { ...options, declared });
  const judged = judgedProfile(options.profile ?? {}, 'built-in');
  const kernel = kernelAvailable();
  if (options.kernel === true && !kernel.ok) complain(new InputError(`--kernel: ${kernel.reason}`));
  const how = { costs: costsNamed(options.costs), contended: options.contended === true };
  const asks = options.kernel === true && kernel.ok;
  const programs = loaded.programs.map((one) =>
    estimateOne(one, judgedFor(judged, one.case), how, { ...options, asks }),
  );
  for (const { file, name, reason } of leftOut(loaded, options))
    programs.push({ file, name, ...NO_ESTIMATE, reason: `left out: ${reason}` });
  const outside = programs.some((row) => row.kernel?.inside === false);
  const without = programs.some((row) => row.best === null);
  return {
    exit: outside ? 1 : without ? 3 : 0,
    json: {
      profile: judged.json,
      contended: how.contended,
      programs,
      skipped: loaded.skipped,
    } satisfies CostsEstimateDocument,
    text: estimatesInWords(programs),
  };
}

const NO_ESTIMATE = {
  best: null,
  worst: null,
  ratio: null,
  actual: null,
  makes: [],
  path: [],
  assumed: [],
} as const;

function estimateOne(
  { file, program, case: one }: LoadedProgram,
  judged: ReturnType<typeof judgedFor>,
  how: CostOptions,
  { mem, asks }: { readonly mem?: string; readonly asks: boolean },
): EstimateRow {
  const { profile, kernel } = judged;
  const { name } = program;
  const verified = verify(program, { profile, kernel });
  if (!verified.ok) return { file, name, ...NO_ESTIMATE, reason: `not verified: ${verified.message}` };
  const packet = mem === undefined ? one?.env?.packet : parseHex(mem.replace(/^0x/, ''));
  const found = estimate(program, verified, how);
  const actual = vmTime(program, verified, profile, how, { ...one?.env, ...(packet && { packet }) });
  const row = { file, name, ...estimateFields(found), actual };
  if (!asks) return row;
  const time = kernelTime(program, packet === undefined ? {} : { data: packet });
  const none = { median: null, least: null, most: null, outliers: 0, inside: null };
  if (typeof time === 'string') return { ...row, kernel: { ...none, reason: time } };
  const { median, least, most, outliers } = time;
  const inside = median >= found.best && median <= found.worst;
  return { ...row, kernel: { median, least, most, outliers: outliers.length, inside, reason: '' } };
}
