/** `agree`: generated programs through swansong and Linux, and where the two differ. */

import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { COMPARISONS } from '../../campaign/agreement/comparisons.js';
import { runAgreement } from '../../campaign/agreement/run.js';
import { InputError } from '../../isa/errors.js';
import { kernelAvailable } from '../../oracle/available.js';
import { openBpfFiles } from '../../oracle/files.js';
import { type Agreement, comparisonInWords } from '../../report/campaign/comparison.js';
import type { AgreeDocument } from '../../report/documents.js';
import { comparisonExit, worst } from '../../report/exit.js';
import { type Define, withCommon } from '../command.js';
import {
  type JudgedProfile,
  judgedProfile,
  type ProfileChoice,
  profileChoice,
  profileHelp,
} from '../input/kernel-profile.js';
import { integer } from '../input/options.js';
import { onInterrupt } from '../output/interrupt.js';
import type { Common, Outcome } from '../output/outcome.js';
import { countBar } from '../output/progress.js';

interface Options {
  readonly seed: number;
  readonly programs: number;
  readonly workers?: number;
  readonly profile?: ProfileChoice;
  readonly out: string;
}

/** Adds `agree` to the command line. It compares swansong with Linux on generated programs and exits with 1 if they differ. */
export const agree: Define = (program, act) => {
  const names = Object.keys(COMPARISONS);
  withCommon(program.command('agree'))
    .description('compare the verifier, the VM and the proofs with Linux on generated programs')
    .argument('[COMPARISON...]', `any of ${names.join(', ')}; all of them unless told`)
    .option('--seed <N>', 'seed of the programs', integer(0, 0xffff_ffff), 1)
    .option('--programs <N>', 'generated programs that each comparison goes through', integer(1), 200)
    .option('--profile <PROFILE>', profileHelp('running'), profileChoice)
    .option('--workers <N>', 'threads; one for each processor unless told', integer(1, 256))
    .option(
      '--out <DIR>',
      'where what was seen is kept, and taken up again from',
      join('reports', 'agreement'),
    )
    .action((asked: string[], options: Options) =>
      act(options, (common) => run(asked.length > 0 ? asked : names, options, common)),
    );
};

async function run(names: readonly string[], options: Options, common: Common): Promise<Outcome> {
  const kernel = kernelAvailable();
  if (!kernel.ok) throw new InputError(`there is no Linux to compare with: ${kernel.reason}`);
  const judged = judgedProfile(options.profile ?? {}, 'running');
  const stop = new AbortController();
  const release = onInterrupt(() => stop.abort());
  const runs: Agreement[] = [];
  try {
    for (const comparison of names) {
      if (!stop.signal.aborted) runs.push(await compare(comparison, options, judged, stop.signal, common));
    }
  } finally {
    release();
  }
  return {
    exit: worst(runs.map(comparisonExit)),
    json: { profile: judged.json, comparisons: runs } satisfies AgreeDocument,
    text: runs.map(comparisonInWords).join('\n'),
  };
}

async function compare(
  comparison: string,
  { seed, programs, out, ...options }: Options,
  { loader, kernel }: JudgedProfile,
  stop: AbortSignal,
  common: Common,
): Promise<Agreement> {
  const before = openBpfFiles();
  const path = join(out, `${comparison}-${seed}`);
  const bar = countBar(common, comparison, programs);
  try {
    const { kernelProfile: _, ...state } = await runAgreement({
      comparison,
      seed,
      ...(loader === undefined ? {} : { loader }),
      kernelProfile: kernel,
      programs,
      workers: options.workers ?? availableParallelism(),
      file: `${path}.json`,
      stop,
      progress: ({ done, differences }) =>
        bar.show(done, `${Object.keys(differences).length} kinds of difference`),
    });
    const openFiles = { before, after: openBpfFiles() };
    const result = { ...state, finished: state.done >= programs, openFiles };
    writeFileSync(`${path}.txt`, comparisonInWords(result));
    return result;
  } finally {
    bar.close();
  }
}
