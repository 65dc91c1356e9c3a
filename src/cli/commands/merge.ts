/** `merge`: joins the folders of campaigns that have checked parts of one. */
import { gaps } from '../../campaign/shards/merge.js';
import { isShrunk } from '../../campaign/shards/state.js';
import { findingsFolder } from '../../campaign/storage/findings.js';
import { joinFolders } from '../../campaign/storage/join-folders.js';
import { summarize } from '../../report/campaign/summary.js';
import { inWords } from '../../report/campaign/summary-words.js';
import { campaignExit } from '../../report/exit.js';
import { type Define, withCommon } from '../command.js';
import type { Outcome } from '../output/outcome.js';
import { withRulePlaces } from '../output/rule-places.js';

interface Options {
  readonly out: string;
  readonly corpus?: string;
}

/** Adds `merge` to the command line. It exits as `fuzz` does; with 3 where programs between those that were checked are missing. */
export const merge: Define = (program, act) => {
  withCommon(program.command('merge'))
    .description('join the folders of one campaign that was checked in parts')
    .argument('<DIR...>', 'folders that fuzz --out has kept, of one campaign')
    .requiredOption('--out <DIR>', 'folder of the whole campaign, which fuzz --out can continue')
    .option('--corpus <DIR>', 'where findings are saved; findings in --out unless told')
    .action((folders: string[], options: Options) => act(options, () => runMerge(folders, options)));
};

async function runMerge(folders: readonly string[], { out, corpus }: Options): Promise<Outcome> {
  const { state, saved } = await joinFolders(folders, out, findingsFolder(corpus, out));
  const missing = gaps(state);
  const counted = summarize(state, missing.length === 0 && isShrunk(state), saved);
  const summary = { ...counted, findings: await withRulePlaces(counted.findings, state.identity.rules) };
  const told = missing.map(([from, to]) => (to - from === 1 ? `${from}` : `${from} to ${to - 1}`));
  return {
    exit: campaignExit(summary),
    json: { ...summary, missing },
    text: `${inWords(summary)}${told.length === 0 ? '' : `not checked: programs ${told.join(', ')}\n`}`,
  };
}
