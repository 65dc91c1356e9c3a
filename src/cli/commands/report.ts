/** `report DIR`: the page of a campaign that was kept with `fuzz --out DIR`. */
import { statSync } from 'node:fs';
import { isShrunk } from '../../campaign/state.js';
import { findingsFolder, saveFindings } from '../../campaign/storage/findings.js';
import { readHistory } from '../../campaign/storage/history.js';
import { readState, STATE_FILE } from '../../campaign/storage/state-file.js';
import { InputError } from '../../isa/errors.js';
import type { ReportDocument } from '../../report/documents.js';
import { summarize } from '../../report/summary.js';
import { writeCampaignPage } from '../campaign-page.js';
import { type Define, withCommon } from '../command.js';
import type { Outcome } from '../outcome.js';

/** Adds `report` to the command line. It reads what `fuzz --out DIR` kept and writes the HTML page into the same folder. */
export const report: Define = (program, act) => {
  withCommon(program.command('report'))
    .description('write the page of a campaign')
    .argument('DIR', 'folder of a campaign (fuzz --out)')
    .action((folder: string, options) => act(options, () => writePage(folder)));
};

async function writePage(folder: string): Promise<Outcome> {
  if (!statSync(folder).isDirectory()) throw new InputError('this is no directory', { file: folder });
  const state = readState(folder);
  if (state === undefined) throw new InputError(`there is no ${STATE_FILE} in it`, { file: folder });
  const history = readHistory(folder);
  const how = history?.runs.at(-1)?.how;
  const finished = history === undefined ? isShrunk(state) : how === 'finished' || how === 'time over';
  const saved = await saveFindings(state, findingsFolder(undefined, folder));
  const summary = summarize(state, finished, saved);
  const file = writeCampaignPage(folder, summary);
  return {
    exit: 0,
    json: { file, findings: summary.findings.length, programs: summary.programs } satisfies ReportDocument,
    text: `${file}\n`,
  };
}
