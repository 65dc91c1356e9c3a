/** `report DIR`: the page of a campaign that was kept with `fuzz --out DIR`. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isShrunk } from '../../campaign/state.js';
import { findingsFolder, saveFindings } from '../../campaign/storage/findings.js';
import { readState, STATE_FILE } from '../../campaign/storage/state-file.js';
import { InputError } from '../../isa/errors.js';
import { page } from '../../report/page.js';
import { summarize } from '../../report/summary.js';
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
  const summary = summarize(
    state,
    isShrunk(state),
    await saveFindings(state, findingsFolder(undefined, folder)),
  );
  const file = join(folder, 'index.html');
  // The page and its cases are one folder, that may be moved.
  const cases = {
    text: (path: string) => readFileSync(path, 'utf8'),
    name: (path: string) => relative(folder, path),
  };
  writeFileSync(file, page(summary, cases));
  return {
    exit: 0,
    json: { file, findings: summary.findings.length, programs: summary.programs },
    text: `${file}\n`,
  };
}
