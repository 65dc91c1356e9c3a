/**
 * The state of a campaign as its folder keeps it: `campaign.json`, written whole now and then, and `campaign.journal`, to which everything is
 * added that came since.
 */

import { join } from 'node:path';
import { InputError } from '../../isa/errors.js';
import { BUILT_IN, profileName } from '../../kernel/profile.js';
import { CHECKS } from '../../vm/state/trap.js';
import type { ProgramReport } from '../check/check.js';
import { DIVERSITY } from '../kill/diversity.js';
import type { Identity } from '../shards/identity.js';
import { areRanges, count, holds } from '../shards/ranges.js';
import { add, type CampaignState, type Found, foundBy, keepSmall } from '../shards/state.js';
import type { SmallCase } from '../shrink/shrink.js';
import type { CampaignSetting } from '../threads/job.js';
import { readJournal } from './journal.js';
import { readJsonFile } from './json-file.js';
import { aCount, aFlag, aNumber, aText, having, listOf, type Shape, such, valuesOf } from './shape.js';

export const STATE_FILE = 'campaign.json';
export const JOURNAL_FILE = 'campaign.journal';

/** What a campaign learns: the reports on some programs, and the time that it took so far; or the smallest case of a cause. */
export type Entry =
  | { readonly reports: readonly ProgramReport[]; readonly ms: number }
  | { readonly small: SmallCase; readonly key: string; readonly index: number };

/** Takes an entry of a journal into the state it is of; one that is in the state already changes nothing. Answers what was found. */
export function apply(state: CampaignState, entry: Entry): readonly Found[] {
  if ('reports' in entry) {
    state.ms = Math.max(state.ms, entry.ms);
    return entry.reports.flatMap((report) => (holds(state.ranges, report.index) ? [] : add(state, report)));
  }
  const found = foundBy(state, entry.key);
  if (found?.index === entry.index) keepSmall(state, found, entry.small);
  return [];
}

/** The state of the campaign that a folder holds, if it holds one. Throws InputError for one that is damaged. */
export function readState(folder: string): CampaignState | undefined {
  const state = readSnapshot(folder);
  const entries = readJournal(join(folder, JOURNAL_FILE), isEntry);
  if (state === undefined) {
    if (entries.length === 0) return undefined;
    throw new InputError(`it is missing, but ${JOURNAL_FILE} is there`, { file: join(folder, STATE_FILE) });
  }
  for (const entry of entries) apply(state, entry);
  return state;
}

/** `campaign.json` by itself. Throws InputError for what is no state, and says what is wrong with it. */
export function readSnapshot(folder: string): CampaignState | undefined {
  const file = join(folder, STATE_FILE);
  const state = readJsonFile(file, 'a campaign', (value): value is CampaignState => isOfACampaign(value, ''));
  if (state === undefined) return undefined;
  // What another build wrote is not looked at: it may have other fields.
  const wrong = STATE(state, '') ?? inconsistent(state);
  if (wrong !== undefined) throw new InputError(`this state of a campaign is damaged: ${wrong}`, { file });
  return state;
}

/** Throws InputError unless the folder's campaign, if there is one, is this one. Says what is different. */
export function mustMatch(folder: string, identity: Identity, setting: CampaignSetting): void {
  const file = join(folder, STATE_FILE);
  const kept = readJsonFile(
    file,
    'a campaign',
    (value): value is Partial<CampaignState> =>
      typeof value === 'object' && value !== null && 'setting' in value,
  );
  if (kept === undefined) return;
  const wrong = IDENTITY(kept.identity, 'identity') ?? having({})(kept.setting, 'setting');
  if (wrong !== undefined) {
    // Versions before this one kept no digest of their code.
    const old = (kept as { version?: unknown }).version;
    if (typeof old === 'string' && kept.identity === undefined)
      throw new InputError(`this campaign was made by another build, version ${old}; ${WAY_ON}`, { file });
    throw new InputError(`this state of a campaign is damaged: ${wrong}`, { file });
  }
  const differs = otherSetting(kept.setting!, setting) ?? otherRules(kept.identity!, identity);
  if (differs !== undefined)
    throw new InputError(`another campaign is kept here: ${differs}; ${WAY_ON}`, { file });
  const build = otherBuild(kept.identity!, identity);
  if (build !== undefined)
    throw new InputError(`this campaign was made by another build (${build}); ${WAY_ON}`, { file });
}

/** What makes a state one of another campaign than this, in words; undefined where it is of this one. */
export function differenceOf(
  state: CampaignState,
  identity: Identity,
  setting: CampaignSetting,
): string | undefined {
  const build = otherBuild(state.identity, identity);
  return (
    otherSetting(state.setting, setting) ??
    otherRules(state.identity, identity) ??
    (build && `it was made by another build (${build})`)
  );
}

function otherBuild(there: Identity, here: Identity): string | undefined {
  if (there.code === here.code) return undefined;
  const told = ({ version, code }: Identity): string => `${version}, code ${code}`;
  return `${told(there)}; this is ${told(here)}`;
}

const WAY_ON = '--restart begins anew and keeps its findings';

/** The first part of the setting that differs, in words. Names of rule sets are compared by what they decide. */
function otherSetting(there: CampaignSetting, here: CampaignSetting): string | undefined {
  const keys = [...new Set([...Object.keys(here), ...Object.keys(there)])] as (keyof CampaignSetting)[];
  const differs = keys.find(
    (key) => key !== 'rules' && JSON.stringify(here[key]) !== JSON.stringify(there[key]),
  );
  if (differs === undefined) return undefined;
  if (differs === 'kernelProfile') {
    const [a, b] = [there, here].map((one) => profileName(one.kernelProfile ?? BUILT_IN));
    return `its kernel profile is ${a}${a === b ? ', and says something else' : `, not ${b}`}`;
  }
  if (differs === 'given') return 'its programs are others';
  if (differs === 'invariants' && there.invariants?.file === here.invariants?.file)
    return `its invariants, ${here.invariants?.file}, said something else`;
  const [a, b] = [there[differs], here[differs]].map((value) => JSON.stringify(value));
  return `its ${differs} is ${a}, not ${b}`;
}

function otherRules({ rules: there }: Identity, { rules: here }: Identity): string | undefined {
  const sets = (all: Identity['rules']): string => all.map(({ set }) => set).join(', ');
  if (sets(there) !== sets(here)) return `its rules are ${sets(there)}, not ${sets(here)}`;
  const changed = here.find(({ digest }, i) => there[i]!.digest !== digest);
  return changed && `the rule set '${changed.set}' decided otherwise when it was begun`;
}

/** What is told apart before anything else: whether it is a campaign at all. */
const isOfACampaign = (value: unknown, at: string): boolean =>
  having({ identity: having({}), setting: having({}) })(value, at) === undefined;

const IDENTITY: Shape = having({
  version: aText,
  code: aText,
  rules: listOf(having({ name: aText, set: aText, digest: aText })),
});
const CAUSE: Shape = having({
  rules: aText,
  check: such('the name of a check', (value) => (CHECKS as readonly unknown[]).includes(value)),
  rule: aText,
  function: aText,
  kind: aText,
});
const SMALL: Shape = having({ text: aText, insns: aCount, cause: CAUSE });
const FIGURES: Shape = having({ proven: aCount, refuted: aCount, unknown: aCount, broken: valuesOf(aCount) });
const COUNTS = Object.fromEntries(
  [
    ...['done', 'accepted', 'points', 'killedEverywhere', 'worst', 'proven', 'refuted', 'unknown'],
    ...['kernelAccepted', 'kernelRejected', 'kernelUnjudged', 'disagreementCount', 'ms'],
  ].map((name) => [name, aCount]),
);
const DIVERSE = Object.fromEntries(DIVERSITY.map((kind) => [kind, valuesOf(aCount)]));
const STATE: Shape = having({
  ...COUNTS,
  identity: IDENTITY,
  setting: having({ seed: aCount, rules: listOf(aText), worlds: aCount, prove: aFlag, kernel: aFlag }),
  ranges: such('ranges of programs', areRanges),
  byRules: valuesOf(FIGURES),
  unknowns: listOf(having({ program: aCount, rules: aText, reason: aText })),
  found: listOf(
    having({
      cause: CAUSE,
      index: aCount,
      world: aNumber,
      text: aText,
      insns: aCount,
      hits: aCount,
      'small?': SMALL,
    }),
  ),
  disagreements: listOf(having({ program: aCount, between: aText, message: aText })),
  coverage: having({
    types: valuesOf(aCount),
    functions: valuesOf(aCount),
    held: valuesOf(aCount),
    checks: valuesOf(aCount),
    ...DIVERSE,
  }),
});
const REPORT: Shape = having({
  index: aCount,
  type: aText,
  insns: aCount,
  accepted: aFlag,
  points: aCount,
  everywhere: aFlag,
  worst: aCount,
  proofs: listOf(having({ rules: aText, verdict: aText })),
  broken: valuesOf(aCount),
  brokenUnder: valuesOf(valuesOf(aCount)),
  suspects: listOf(having({ cause: CAUSE, world: aNumber, text: aText, insns: aCount })),
  disagreements: listOf(having({ between: aText, message: aText })),
  calls: valuesOf(aCount),
  held: valuesOf(aCount),
  diversity: having(DIVERSE),
});

/** Whether a line of a journal is an entry. */
export function isEntry(value: unknown): value is Entry {
  const shapes = [
    having({ reports: listOf(REPORT), ms: aCount }),
    having({ small: SMALL, key: aText, index: aCount }),
  ];
  return shapes.some((shape) => shape(value, '') === undefined);
}

function inconsistent({ done, ranges, byRules, identity }: CampaignState): string | undefined {
  if (count(ranges) !== done) return `done is ${done}, but ranges hold ${count(ranges)} programs`;
  const missing = identity.rules.find(({ set }) => byRules[set] === undefined);
  return missing && `byRules.${missing.set} is missing`;
}
