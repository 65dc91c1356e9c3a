/** `policy check | simulate`: limits on the time of programs, held against objects, and simulated under load. */
import { writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Command } from 'commander';
import { givenFunctions, loadRuleSets } from '../../campaign/naming/rules.js';
import type { CostOptions } from '../../cost/span.js';
import { InputError } from '../../isa/errors.js';
import { checkProgram } from '../../policy/check.js';
import type { Load } from '../../policy/load.js';
import { type Policy, parsePolicy } from '../../policy/policy.js';
import { type HookProgram, sweep } from '../../policy/simulate/sweep.js';
import {
  MEASURES,
  type Measure,
  type PolicyRow,
  pointsInCsv,
  pointsInSvg,
  pointsInWords,
  policyInWords,
  policyRow,
} from '../../report/design/policies.js';
import type { PolicyCheckDocument, PolicySimulateDocument } from '../../report/documents.js';
import { worst } from '../../report/exit.js';
import { verify } from '../../verifier/verify.js';
import { type Act, commandOfCommands, type Define, withCommon } from '../command.js';
import { COSTS_HELP, costsNamed } from '../input/costs-file.js';
import { leftOut, loadPrograms, readText } from '../input/files.js';
import { type JudgeOptions, PROGRAM_FILES, withPrograms } from '../input/judging.js';
import { judgedFor, judgedProfile, profileChoice, profileHelp } from '../input/kernel-profile.js';
import { integer, oneOf } from '../input/options.js';
import { filesBelow } from '../input/paths.js';
import type { Common, Outcome } from '../output/outcome.js';
import { countBar } from '../output/progress.js';

/** Declares `policy` with the commands below it. */
export const policy: Define = (program, act) => {
  const command = commandOfCommands(program, 'policy', 'limits on the time that programs may take');
  defineCheck(command, act);
  defineSimulate(command, act);
};

interface CheckOptions extends JudgeOptions {
  readonly costs?: string;
}

function defineCheck(command: Command, act: Act): void {
  const check = withCommon(command.command('check'))
    .description('hold programs against the limits of a policy')
    .argument('POLICY', 'a policy file (TOML)')
    .argument('FILE...', 'objects, cases, raw insns, folders of them, or - for standard input')
    .option('--profile <PROFILE>', profileHelp('built-in'), profileChoice)
    .option('--costs <FILE>', COSTS_HELP);
  withPrograms(check).action((file: string, paths: string[], options: CheckOptions) =>
    act(options, (common) => checkFiles(file, paths, options, common)),
  );
}

const howOf = ({ contended, scale }: Policy, costs: string | undefined): CostOptions => ({
  costs: scale === 1 ? costsNamed(costs) : costsNamed(costs).scaled(scale),
  contended,
});

/** A path that stands in a file is taken from the folder of the file. */
const besideFile = (file: string, path: string): string =>
  isAbsolute(path) ? path : join(dirname(file), path);

/** A rule set of a policy: a name, or a file beside the policy. */
const rulesOf = async ({ rules, file }: Policy) => {
  const named = /\.[cm]?[jt]s$/.test(rules) ? besideFile(file, rules) : rules;
  const [found] = await loadRuleSets([named]);
  return found!;
};

const EXIT = { within: 0, killable: 0, over: 1, unknown: 3 } as const;

async function checkFiles(
  file: string,
  paths: readonly string[],
  options: CheckOptions,
  _common: Common,
): Promise<Outcome> {
  const read = parsePolicy(readText(file), file);
  const rules = await rulesOf(read);
  const declared = await givenFunctions(options.functions, rules);
  const loaded = loadPrograms(filesBelow(paths, PROGRAM_FILES), { ...options, declared });
  const judged = judgedProfile(options.profile ?? {}, 'built-in');
  const costs = howOf(read, options.costs);
  const rows: PolicyRow[] = [];
  for (const one of loaded.programs) {
    const { profile, kernel } = judgedFor(judged, one.case);
    const checked = await checkProgram(read, one.program, { profile, kernel, costs, rules: rules.rules });
    rows.push(policyRow(one.file, one.program.name, checked));
  }
  for (const one of leftOut(loaded, options)) {
    const reason = `left out: ${one.reason}`;
    const unknown = {
      limit: undefined,
      estimate: undefined,
      dies: undefined,
      verdict: 'unknown',
      reason,
    } as const;
    rows.push(policyRow(one.file, one.name, unknown));
  }
  return {
    exit: worst(rows.map(({ verdict }) => EXIT[verdict])),
    json: {
      policy: file,
      rules: rules.name,
      profile: judged.json,
      contended: read.contended,
      programs: rows,
      skipped: loaded.skipped,
    } satisfies PolicyCheckDocument,
    text: policyInWords(rows),
  };
}

interface SimulateOptions {
  readonly costs?: string;
  readonly seed?: number;
  readonly csv?: string;
  readonly chart?: string;
  readonly y?: Measure;
}

function defineSimulate(command: Command, act: Act): void {
  withCommon(command.command('simulate'))
    .description('simulate the hooks of a policy under load')
    .argument('POLICY', 'a policy file (TOML) with a table [simulate]')
    .option('--costs <FILE>', COSTS_HELP)
    .option('--seed <N>', "in place of the file's", integer(0, 0xffff_ffff))
    .option('--csv <FILE>', 'write a line for each hook and combination there')
    .option('--chart <FILE>', 'draw a chart there (SVG)')
    .option(
      '--y <FIGURE>',
      `what the chart shows (throughput): ${MEASURES.join(', ')}`,
      oneOf<Measure>(MEASURES),
    )
    .action((file: string, options: SimulateOptions) =>
      act(options, (common) => simulateFile(file, options, common)),
    );
}

async function simulateFile(file: string, options: SimulateOptions, common: Common): Promise<Outcome> {
  const read = parsePolicy(readText(file), file);
  if (read.load === undefined)
    throw new InputError('expected a table [simulate], which says what is simulated', { file });
  const load: Load = { ...read.load, ...(options.seed === undefined ? {} : { seed: options.seed }) };
  const rules = await rulesOf(read);
  const programs = load.hooks.map(({ object, program }) =>
    object === undefined ? undefined : hookProgram(besideFile(file, object), program),
  );
  const bar = countBar(
    common,
    'points',
    [...load.sweep.values()].reduce((all, one) => all * one.length, 1),
  );
  let points: ReturnType<typeof sweep>;
  try {
    const subjects = { programs, rules: rules.rules, costs: howOf(read, options.costs) };
    points = sweep(read, load, subjects, (done) => bar.show(done));
  } finally {
    bar.close();
  }
  const written: string[] = [];
  const write = (path: string | undefined, text: string): void => {
    if (path === undefined) return;
    writeFileSync(path, text);
    written.push(path);
  };
  write(options.csv, pointsInCsv(points));
  write(options.chart, pointsInSvg(points, options.y ?? 'throughput', load.x));
  return {
    exit: 0,
    json: {
      policy: file,
      rules: rules.name,
      seed: load.seed,
      duration: load.duration,
      series: points,
      files: written,
    } satisfies PolicySimulateDocument,
    text: `${pointsInWords(points)}${written.map((path) => `written: ${path}\n`).join('')}`,
  };
}

/** The program of a hook, which our verifier must accept. Throws InputError. */
function hookProgram(file: string, name: string | undefined): HookProgram {
  const { programs } = loadPrograms([file], name === undefined ? {} : { prog: name });
  const [one] = programs;
  if (one === undefined || programs.length > 1) {
    const names = programs.map(({ program }) => program.name).join(', ');
    throw new InputError(`choose one of its programs (program = "..."): ${names}`, { file });
  }
  const { program } = one;
  const verified = verify(program, { profile: one.case?.profile ?? 'privileged' });
  if (!verified.ok)
    throw new InputError(`our verifier refuses ${program.name}: ${verified.message}`, { file });
  return { program, verified };
}
