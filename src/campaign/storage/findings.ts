/** The findings of a campaign as files: which folder they go to, and one file for each cause. */
import { join } from 'node:path';
import { InputError } from '../../isa/errors.js';
import type { KernelProfile } from '../../kernel/profile.js';
import { parseCase } from '../../vm/case/case.js';
import { CHECKS, type Check, gravity } from '../../vm/state/trap.js';
import { replayText } from '../check/replay.js';
import { type Cause, causeKey } from '../kill/cause.js';
import { type CampaignState, type Found, findings } from '../shards/state.js';
import { sizeMark } from '../shrink/marks.js';
import { insnCount } from '../shrink/size.js';
import { dropCase, originalsOf, storeCase } from './corpus.js';

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
  /** It was shrunk until nothing smaller was left to try. */
  readonly minimal: boolean;
  /** The checks that its run breaks, the gravest first. */
  readonly checks: readonly Check[];
}

/**
 * Saves the findings of a campaign, one file for each cause: the shrunk case, or the one that was found where shrinking was interrupted.
 * Answers the files in the order of `findings`. Throws InputError where nothing can be written; files that were written before stay.
 */
export async function saveFindings(state: CampaignState, folder: string): Promise<readonly SavedFinding[]> {
  const saved: SavedFinding[] = [];
  for (const one of findings(state)) saved.push(await saveFinding(state, one, folder));
  for (const one of state.found) await keepOriginal(state, one, folder);
  return saved;
}

/** Saves one of the `findings` of a campaign. */
export async function saveFinding(
  state: CampaignState,
  { cause, small, text }: Found,
  folder: string,
): Promise<SavedFinding> {
  const { kernelProfile } = state.setting;
  const holds = (there: string, file: string): Promise<boolean> => isReplayed(there, file, kernelProfile);
  const stored = await storeCase(folder, cause, small?.text ?? text, holds, textsOf(state, cause));
  return {
    file: stored.file,
    insns: insnCount(parseCase(stored.text, stored.file).program),
    minimal: sizeMark(stored.text) === 'minimal',
    checks: [...new Set([...checksToldBy(stored.text), cause.check])].sort((a, b) => gravity(a) - gravity(b)),
  };
}

/** All that this campaign may have written into the file of a cause. */
function textsOf(state: CampaignState, cause: Cause): readonly string[] {
  const key = causeKey(cause);
  return state.found
    .filter((one) => [one.cause, one.small?.cause].some((of) => of !== undefined && causeKey(of) === key))
    .flatMap(({ text, small }) => (small === undefined ? [text] : [text, small.text]));
}

/**
 * A finding that was shrunk to a part of its cause is another finding now; the case as it was met is kept by the side, for it may show more.
 * Its own file goes, if it was this campaign that wrote it.
 */
async function keepOriginal(
  state: CampaignState,
  { cause, small, text }: Found,
  folder: string,
): Promise<void> {
  if (small === undefined || causeKey(small.cause) === causeKey(cause)) return;
  await storeCase(originalsOf(folder), cause, text, async () => true, textsOf(state, cause));
  if (!findings(state).some((one) => causeKey(one.cause) === causeKey(cause)))
    dropCase(folder, cause, [text]);
}

/** The checks that break in the run of a case, as the lines at its head say, see `brokenLines`. */
function checksToldBy(text: string): readonly Check[] {
  return CHECKS.filter((check) => text.includes(`\n# ${check}: `) || text.startsWith(`# ${check}: `));
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
