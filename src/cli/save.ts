/** Findings as files. */
import { replayText } from '../campaign/replay.js';
import { insnCount } from '../campaign/shrink/size.js';
import { type CampaignState, findings } from '../campaign/state.js';
import { storeCase } from '../campaign/storage/corpus.js';
import { InputError } from '../isa/errors.js';
import type { Filed } from '../report/summary.js';
import { parseCase } from '../vm/case.js';

/** Saves the findings of a campaign, one file for each cause; answers where, in the order of `findings`. */
export async function saveFindings(state: CampaignState, folder: string): Promise<readonly Filed[]> {
  const filed: Filed[] = [];
  for (const { cause, small, text } of findings(state)) {
    const stored = await storeCase(folder, cause, small?.text ?? text, stillHolds);
    filed.push({ file: stored.file, insns: insnCount(parseCase(stored.text, stored.file).program) });
  }
  return filed;
}

/** Whether a case that is there replays; one that cannot be read does not. */
async function stillHolds(text: string, file: string): Promise<boolean> {
  try {
    return (await replayText(text, file)).ok;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
