/** `prune PATH...`: cases that show the same cause leave, but for the shortest. */
import { unlinkSync } from 'node:fs';
import {
  prune as pruneCases,
  type ShownByCase,
  shownBy,
  type UnclearCase,
} from '../../campaign/check/prune.js';
import { pruningInWords } from '../../report/campaign/pruning.js';
import type { PruneDocument } from '../../report/documents.js';
import { type Define, withCommon } from '../command.js';
import { readText } from '../input/files.js';
import { filesBelow } from '../input/paths.js';
import type { Common, Outcome } from '../output/outcome.js';
import { countBar } from '../output/progress.js';

interface Options {
  readonly dryRun?: true;
}

/** Adds `prune` to the command line. It removes files, unless it is only to say which; cases that do not replay stay, and it exits with 1. */
export const prune: Define = (program, act) => {
  withCommon(program.command('prune'))
    .description('remove cases that show the same cause as a shorter one')
    .argument('PATH...', 'cases, or folders of them')
    .option('--dry-run', 'only say which would be removed')
    .action((paths: string[], options: Options) =>
      act(options, (common) => prunePaths(paths, options, common)),
    );
};

async function prunePaths(paths: readonly string[], { dryRun }: Options, common: Common): Promise<Outcome> {
  const files = [...new Set(filesBelow(paths, ['.bpf']))];
  const shown: ShownByCase[] = [];
  const unclear: UnclearCase[] = [];
  const bar = countBar(common, 'cases', files.length);
  try {
    for (const [i, file] of files.entries()) {
      const one = await shownBy(readText(file), file);
      if ('reason' in one) unclear.push(one);
      else shown.push(one);
      bar.show(i + 1);
    }
  } finally {
    bar.close();
  }
  const pruned = pruneCases(shown);
  if (dryRun !== true) for (const { file } of pruned.dropped) unlinkSync(file);
  const json = { ...pruned, unclear, removed: dryRun !== true } satisfies PruneDocument;
  return { exit: unclear.length > 0 ? 1 : 0, json, text: pruningInWords(json) };
}
