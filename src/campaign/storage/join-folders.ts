/** Joins the folders of campaigns that have checked parts of one campaign into a folder of its own. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError } from '../../isa/errors.js';
import { joinStates } from '../shards/merge.js';
import type { CampaignState } from '../shards/state.js';
import { type SavedFinding, saveFindings } from './findings.js';
import { writeJsonFile } from './json-file.js';
import { lockFolder } from './lock.js';
import { differenceOf, readState, STATE_FILE } from './state-file.js';
import { makeFolder, mustBeWritable, writing } from './writable.js';

/** A joined campaign, and the files of its findings. */
export interface JoinedFolders {
  readonly state: CampaignState;
  readonly saved: readonly SavedFinding[];
}

/**
 * Joins these folders into `out`, with the findings in `cases`; what is in them stays. `out` can be continued as any campaign. Throws InputError
 * where one holds no campaign or another one, where two have a program in common, and where `out` holds a campaign already.
 */
export async function joinFolders(
  folders: readonly string[],
  out: string,
  cases: string,
): Promise<JoinedFolders> {
  if (folders.some((folder) => resolve(folder) === resolve(out)))
    throw new InputError('--out is one of the folders that are to be joined', { file: out });
  if (existsSync(join(out, STATE_FILE)))
    throw new InputError('a campaign is kept here already: choose another folder', { file: out });
  const state = joined(folders.map((folder) => ({ folder, state: stateOf(folder) })));
  mustBeWritable(out);
  mustBeWritable(cases);
  writing(out, () => makeFolder(out));
  const lock = lockFolder(out);
  try {
    const saved = await saveFindings(state, cases);
    writeJsonFile(join(out, STATE_FILE), state);
    return { state, saved };
  } finally {
    lock.release();
  }
}

interface Part {
  readonly folder: string;
  readonly state: CampaignState;
}

function joined(parts: readonly Part[]): CampaignState {
  const [first, ...others] = parts as readonly [Part, ...Part[]];
  let { state } = first;
  for (const { folder, state: other } of others) {
    const differs = differenceOf(other, state.identity, state.setting);
    if (differs !== undefined)
      throw new InputError(`this is no part of the campaign in ${first.folder}: ${differs}`, {
        file: folder,
      });
    try {
      state = joinStates(state, other);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(error.message, { file: folder });
    }
  }
  return state;
}

function stateOf(folder: string): CampaignState {
  const state = readState(folder);
  if (state === undefined) throw new InputError('no campaign is kept here', { file: folder });
  return state;
}
