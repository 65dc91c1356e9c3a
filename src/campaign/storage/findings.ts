/** The findings of a campaign as files: which folder they go to, and one file for each cause. */
import { join } from 'node:path';
import { InputError } from '../../isa/errors.js';
import type { KernelProfile } from '../../kernel/profile.js';
import { parseCase } from '../../vm/case.js';
import { replayText } from '../replay.js';
import { insnCount } from '../shrink/size.js';
import { type CampaignState, findings } from '../state.js';
import { storeCase } from './corpus.js';

/** Where findings go when neither a corpus nor a campaign's folder is named. */
export const FINDINGS = join('reports', 'findings');

/** The folder of a campaign's findings: the corpus that was asked for, else `findings` in the campaign's own folder. */
export function findingsFolder(corpus: string | undefined, campaign: string | undefined): string {
  return corpus ?? (campaign === undefined ? FINDINGS : join(campaign, 'findings'));
}

/** A finding with the file that its case is in. */
export interface SavedFinding {
  readonly file: string;
  /** Insns of the case; a 64-bit immediate counts once. */
  readonly insns: number;
}

/**
 * Saves the findings of a campaign, one file for each cause: the shrunk case, or the one that was found where shrinking was interrupted.
 * Answers the files in the order of `findings`. Throws the file system's errors; files that were written before stay.
 */
export async function saveFindings(state: CampaignState, folder: string): Promise<readonly SavedFinding[]> {
  const saved: SavedFinding[] = [];
  const replays = (text: string, file: string): Promise<boolean> =>
    isReplayed(text, file, state.setting.kernelProfile);
  for (const { cause, small, text } of findings(state)) {
    const stored = await storeCase(folder, cause, small?.text ?? text, replays);
    saved.push({ file: stored.file, insns: insnCount(parseCase(stored.text, stored.file).program) });
  }
  return saved;
}

/** Whether a case replays; one that cannot be read does not. */
async function isReplayed(text: string, file: string, kernel?: KernelProfile): Promise<boolean> {
  try {
    return (await replayText(text, file, { kernel })).ok;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
