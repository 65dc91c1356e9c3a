/** `design FILE... | --generated N`: ways to stop programs, side by side. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { givenFunctions, joined } from '../../campaign/naming/rules.js';
import { loadStrategies } from '../../campaign/naming/strategies.js';
import { mustBeWritable, writing } from '../../campaign/storage/writable.js';
import { compareStrategies } from '../../design/design.js';
import type { DesignSetting } from '../../design/job.js';
import { InputError } from '../../isa/errors.js';
import { DIE } from '../../kernel/die.js';
import { type DesignRow, designInWords, designRows } from '../../report/design/design.js';
import type { DesignDocument } from '../../report/documents.js';
import { printCase } from '../../vm/case/print.js';
import { EMPTY } from '../../vm/state/environment.js';
import { type Define, since, withCommon } from '../command.js';
import { type LoadedFiles, type LoadedProgram, loadPrograms } from '../input/files.js';
import { PROGRAM_FILES, type ProgramOptions, withPrograms } from '../input/judging.js';
import {
  CASE_PROFILE_HELP,
  judgedProfile,
  type ProfileChoice,
  profileChoice,
} from '../input/kernel-profile.js';
import { integer, list } from '../input/options.js';
import { filesBelow } from '../input/paths.js';
import { onInterrupt } from '../output/interrupt.js';
import type { Common, Outcome } from '../output/outcome.js';
import { countBar } from '../output/progress.js';

interface Options extends ProgramOptions {
  readonly generated?: number;
  readonly strategies?: readonly string[];
  readonly seed: number;
  readonly worlds: number;
  readonly named?: true;
  readonly workers?: number;
  readonly profile?: ProfileChoice;
  readonly out?: string;
}

/** Adds `design` to the command line. It compares and does not judge: it exits with 1 only where swansong contradicts itself. */
export const design: Define = (program, act) => {
  const command = withCommon(program.command('design'))
    .description('kill programs in every way there is, and compare')
    .argument('[FILE...]', 'objects, cases, raw insns, folders of them, or - for standard input')
    .option('--generated <N>', 'generate so many programs besides', integer(1, 1_000_000))
    .option(
      '--strategies <NAMES>',
      'strategies between commas: names, rule sets, rule files; all that come with swansong unless told',
      list,
    )
    .option('--named', `kill only behind calls of ${DIE}, where programs name points themselves`)
    .option('--seed <N>', 'seed of programs and worlds', integer(0, 0xffff_ffff), 1)
    .option('--worlds <N>', 'environments that each program is run in', integer(1, 64), 2)
    .option('--workers <N>', 'threads; one for each processor unless told', integer(1, 256))
    .option('--profile <PROFILE>', CASE_PROFILE_HELP, profileChoice)
    .option('--out <DIR>', 'write a case for each kind of failure there');
  withPrograms(command).action((paths: string[], options: Options) =>
    act(options, (common) => compare(paths, options, common)),
  );
};

async function compare(paths: readonly string[], options: Options, common: Common): Promise<Outcome> {
  const start = performance.now();
  const { generated = 0, seed, worlds, out } = options;
  if (paths.length === 0 && generated === 0)
    throw new InputError('there is nothing to kill: name a FILE, or --generated N');
  const loaded = await loadStrategies(options.strategies);
  const judged = judgedProfile(options.profile ?? {}, 'built-in');
  const functions = await givenFunctions(options.functions);
  const declared = joined([functions.first, ...loaded.map((one) => one.declared)]);
  const files: LoadedFiles =
    paths.length === 0
      ? { programs: [], skipped: [] }
      : loadPrograms(filesBelow(paths, PROGRAM_FILES), {
          ...options,
          declared: { first: declared, last: [] },
        });
  if (out !== undefined) {
    writing(out, () => mkdirSync(out, { recursive: true }));
    mustBeWritable(out);
  }
  const setting: DesignSetting = {
    given: files.programs.map(given),
    generated,
    seed,
    worlds,
    ...(options.named === undefined ? {} : { named: true }),
    ...(options.strategies === undefined ? {} : { strategies: options.strategies }),
    loader: judged.loader,
    kernelProfile: judged.caseDecides ? undefined : judged.kernel,
    declared,
  };
  const stop = new AbortController();
  const release = onInterrupt(() => stop.abort());
  const bar = countBar(common, 'programs', setting.given.length + generated);
  try {
    const comparison = await compareStrategies(setting, {
      workers: options.workers ?? availableParallelism(),
      stop: stop.signal,
      progress: (done) => bar.show(done),
    });
    const { part, lost, interrupted } = comparison;
    const rows = designRows(comparison).map((row) => (out === undefined ? row : written(row, out)));
    const disagreements = [
      ...part.disagreements,
      ...lost.map(({ strategy, witness, got }) => ({
        from: witness.from,
        message: `under ${strategy} a case of ${witness.check} ${witness.kind} gives ${got}`,
      })),
    ];
    const { programs, runs, points, holdingPoints, leftOut } = part;
    const json = {
      profile: judged.json,
      seed,
      programs,
      generated,
      worlds,
      runs,
      points,
      holdingPoints,
      strategies: rows,
      leftOut,
      skipped: files.skipped,
      disagreements,
      interrupted,
      ms: since(start),
    } satisfies DesignDocument;
    const notes = [
      ...disagreements.map(({ from, message }) => `a disagreement, ${from}: ${message}\n`),
      ...leftOut.map(({ from, message }) => `left out, ${from}: ${message}\n`),
    ];
    const exit = disagreements.length > 0 ? 1 : interrupted || programs === 0 ? 3 : 0;
    return { exit, json, text: `${designInWords(rows, json)}${notes.join('')}` };
  } finally {
    bar.close();
    release();
  }
}

function given({ file, program, case: one }: LoadedProgram): DesignSetting['given'][number] {
  const from = one === undefined ? `${file}, ${program.name}` : file;
  const {
    rules: _,
    strategy: __,
    kill: ___,
    expect: ____,
    ...rest
  } = one ?? {
    program,
    profile: 'privileged' as const,
    env: EMPTY,
    comments: [],
  };
  return { from, text: printCase({ ...rest, comments: [] }) };
}

/** Writes the case of each failure of a strategy: `abandon-leak-socket.bpf`. */
function written(row: DesignRow, out: string): DesignRow {
  return {
    ...row,
    failures: row.failures.map((one) => {
      const name = `${row.name}-${one.check}-${one.kind}`.replace(/[^\w.+-]+/g, '_');
      const file = join(out, `${name}.bpf`);
      writing(file, () => writeFileSync(file, one.case));
      return { ...one, file };
    }),
  };
}
