/** The folder of a campaign: `campaign.json`, from which it can be taken up again. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../isa/errors.js';
import { BUILT_IN, profileName } from '../../kernel/profile.js';
import { shippedRuleSet } from '../../patch/sets/index.js';
import type { CampaignSetting } from '../job.js';
import type { CampaignState } from '../state.js';
import { readJsonFile, writeJsonFile } from './json-file.js';

export const STATE_FILE = 'campaign.json';

/** Digests of the rule files among these names. Throws the file system's error for one that cannot be read. */
export function digestsOf(rules: readonly string[]): Record<string, string> {
  const files = rules.filter((name) => shippedRuleSet(name) === undefined);
  return Object.fromEntries(
    files.map((name) => [name, createHash('sha256').update(readFileSync(name)).digest('hex')]),
  );
}

/** The campaign that a folder holds, if it holds one. Throws InputError for a file that is none. */
export function readState(folder: string): CampaignState | undefined {
  return readJsonFile(join(folder, STATE_FILE), 'a campaign', isState);
}

function isState(value: unknown): value is CampaignState {
  if (typeof value !== 'object' || value === null) return false;
  const state = value as Partial<CampaignState>;
  return (
    typeof state.version === 'string' &&
    typeof state.done === 'number' &&
    typeof state.setting === 'object' &&
    Array.isArray(state.found) &&
    Array.isArray(state.disagreements) &&
    typeof state.coverage === 'object'
  );
}

/** Writes the state, whole or not at all. */
export function writeState(folder: string, state: CampaignState): void {
  writeJsonFile(join(folder, STATE_FILE), state);
}

/** Throws InputError unless the state is of this campaign. */
export function mustMatch(
  folder: string,
  state: CampaignState,
  version: string,
  setting: CampaignSetting,
  digests: CampaignState['digests'],
): void {
  const file = join(folder, STATE_FILE);
  const keys = [...new Set([...Object.keys(setting), ...Object.keys(state.setting)])];
  const differs = (keys as (keyof CampaignSetting)[]).find(
    (key) => JSON.stringify(setting[key]) !== JSON.stringify(state.setting[key]),
  );
  if (differs === 'kernelProfile') {
    const [there, here] = [state.setting, setting].map((one) => profileName(one.kernelProfile ?? BUILT_IN));
    const what = there === here ? `${there}, and says something else` : `${there}, not ${here}`;
    throw new InputError(`another campaign is kept here: its kernel profile is ${what}`, { file });
  }
  if (differs !== undefined) {
    const [there, here] = [state.setting[differs], setting[differs]].map((value) => JSON.stringify(value));
    throw new InputError(`another campaign is kept here: its ${differs} is ${there}, not ${here}`, { file });
  }
  if (state.version !== version)
    throw new InputError(`this campaign was made by version ${state.version}`, { file });
  if (JSON.stringify(state.digests) !== JSON.stringify(digests)) {
    throw new InputError('a rule file has changed since this campaign was begun', { file });
  }
}
