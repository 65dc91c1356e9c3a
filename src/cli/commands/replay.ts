/** `replay PATH...`: cases, each run again; does it still show what it was written down for? */

import { availableParallelism } from 'node:os';
import { type ReplayedCase, type ReplayedFor, replayFile, replayText } from '../../campaign/check/replay.js';
import { loadDeclared, rulesOfText } from '../../campaign/naming/rules.js';
import { strategyNamed } from '../../campaign/naming/strategies.js';
import { openWorkers } from '../../campaign/threads/job.js';
import type { DeclaredFunction } from '../../object/program.js';
import { replaysInWords } from '../../report/campaign/replays.js';
import type { ReplayDocument } from '../../report/documents.js';
import { parseCase } from '../../vm/case/case.js';
import { type Define, withFormats } from '../command.js';
import { readText } from '../input/files.js';
import {
  CASE_PROFILE_HELP,
  judgedProfile,
  type ProfileChoice,
  profileChoice,
} from '../input/kernel-profile.js';
import { FUNCTIONS_HELP, integer, list, type WithFunctions } from '../input/options.js';
import { foundFiles, STANDARD_INPUT } from '../input/paths.js';
import type { Outcome } from '../output/outcome.js';

interface Options extends WithFunctions {
  readonly strategy?: string;
  readonly workers?: number;
  readonly profile?: ProfileChoice;
}

/** Cases that a thread takes at once; with fewer than a few of those, starting threads costs more than it saves. */
const BATCH = 32;

/** Adds `replay` to the command line. It runs cases again and exits with 1 if one does not show what its `.expect` line says. */
export const replay: Define = (program, act) => {
  withFormats(program.command('replay'))
    .description('replay cases')
    .argument('PATH...', 'cases, folders of them, or - for standard input')
    .option('--profile <PROFILE>', CASE_PROFILE_HELP, profileChoice)
    .option('--strategy <NAME>', 'kill them in this way, in place of what each case says')
    .option('--workers <N>', 'threads', integer(1, 256))
    .option('--functions <FILES>', FUNCTIONS_HELP, list)
    .action((paths: string[], options: Options) => act(options, () => replayPaths(paths, options)));
};

async function replayPaths(paths: readonly string[], options: Options): Promise<Outcome> {
  const found = foundFiles(paths, ['.bpf']);
  // A file that was named itself must be a case; of those in a folder each stands alone.
  const functions = await loadDeclared(options.functions ?? []);
  for (const { path, named } of found) if (named) await mustBeCase(path, functions);
  const files = found.map(({ path }) => path);
  const judged = judgedProfile(options.profile ?? {}, 'built-in');
  const target: ReplayedFor = {
    loader: judged.loader,
    kernel: judged.caseDecides ? undefined : judged.kernel,
    functions,
    ...(options.strategy === undefined ? {} : { strategy: options.strategy }),
  };
  if (options.strategy !== undefined) await strategyNamed(options.strategy);
  const cases = await replayAll(files, target, options.workers ?? availableParallelism());
  return {
    exit: cases.every(({ ok }) => ok) ? 0 : 1,
    json: { profile: judged.json, cases } satisfies ReplayDocument,
    text: replaysInWords(cases),
  };
}

async function mustBeCase(path: string, functions: readonly DeclaredFunction[]): Promise<void> {
  const text = readText(path);
  // A rule file that cannot be had is a failure of the case, not of its text.
  const last = await rulesOfText(text, path).then(
    ({ declared = [] }) => declared,
    () => [],
  );
  parseCase(text, path, { first: functions, last });
}

async function replayAll(
  files: readonly string[],
  target: ReplayedFor,
  workers: number,
): Promise<readonly ReplayedCase[]> {
  if (workers === 1 || files.length < 4 * BATCH) {
    const answers: ReplayedCase[] = [];
    for (const file of files)
      answers.push(
        file === STANDARD_INPUT
          ? await replayText(readText(file), file, target)
          : await replayFile(file, target),
      );
    return answers;
  }
  const { loader, kernel: kernelProfile, functions: declared, strategy } = target;
  const setting = {
    ...{ seed: 0, rules: [], worlds: 1, prove: false, kernel: false },
    ...(declared === undefined ? {} : { declared }),
    ...(loader === undefined ? {} : { loader }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(kernelProfile === undefined ? {} : { kernelProfile }),
  };
  const pool = await openWorkers(setting, workers);
  try {
    const batches = Array.from({ length: Math.ceil(files.length / BATCH) }, (_, i) =>
      files.slice(i * BATCH, (i + 1) * BATCH),
    );
    return (await Promise.all(batches.map((batch) => pool.run({ kind: 'replay', files: batch })))).flat();
  } finally {
    await pool.close();
  }
}
