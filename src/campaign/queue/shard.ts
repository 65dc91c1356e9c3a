/**
 * A shard as it travels: a piece of work of a campaign with all that its result depends on, and a name made of that. Two shards of one name
 * have one result, so that it does not matter how often and where it is computed.
 */
import { createHash } from 'node:crypto';
import { InputError } from '../../isa/errors.js';
import { bundleDigest, type RuleBundle } from '../../patch/bundle.js';
import type { CampaignSetting, Job } from '../threads/job.js';

/** What all shards of a campaign have in common. */
export interface ShardedCampaign {
  /** Digest of the code that made it: results are the same only under the same code. */
  readonly code: string;
  readonly setting: CampaignSetting;
  /** The rule files among `setting.rules`. */
  readonly bundles: readonly RuleBundle[];
  /** Digest of each bundle, by its name. */
  readonly rules: Readonly<Record<string, string>>;
}

/** A piece of work that is sent: plain data. */
export interface Shard {
  readonly campaign: ShardedCampaign;
  readonly job: Job;
}

/** What comes back for a shard: the result, or what is wrong with the input. */
export type Answer =
  | { readonly ok: true; readonly result: unknown }
  /** `badInput`: a person can mend it; otherwise swansong is at fault. */
  | { readonly ok: false; readonly message: string; readonly badInput: boolean };

/** What the shards of a campaign have in common. */
export function shardedCampaign(
  code: string,
  setting: CampaignSetting,
  bundles: readonly RuleBundle[],
): ShardedCampaign {
  const rules = Object.fromEntries(bundles.map((bundle) => [bundle.name, bundleDigest(bundle)]));
  return { code, setting, bundles, rules };
}

const LENGTH = 24;
const digest = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(ordered(value)))
    .digest('hex')
    .slice(0, LENGTH);

/** The same data with the names in order, so that equal data have equal text. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, ordered(one)]),
  );
}

/** The name of a campaign: equal for campaigns that have equal results. */
export function campaignId({ code, setting, rules }: ShardedCampaign): string {
  return digest({ code, setting, rules });
}

/** The name of a shard: that of its campaign and of its work, by which its result is stored. */
export function shardId({ campaign, job }: Shard): string {
  const work = job.kind === 'check' ? `check-${job.from}-${job.to}` : `${job.kind}-${digest(job)}`;
  return `${campaignId(campaign)}-${work}`;
}

/** What a shard is, for people. */
export function shownShard({ job }: Shard): string {
  if (job.kind === 'check') return `programs ${job.from} to ${job.to - 1}`;
  return job.kind === 'shrink' ? `the case of program ${job.index}` : 'a replay';
}

/**
 * Throws InputError unless a worker with this code may compute the shard that has come under this name: it must be of the same code, and all of it
 * must be what its digests say.
 */
export function mustBeWhole(shard: Shard, id: string, code: string): void {
  const { campaign } = shard;
  const what = shownShard(shard);
  if (campaign.code !== code)
    throw new InputError(`${what}: made by another build (code ${campaign.code}, this is ${code})`);
  for (const bundle of campaign.bundles)
    if (bundleDigest(bundle) !== campaign.rules[bundle.name])
      throw new InputError(`${what}: the text of the rules did not arrive as it was sent`, {
        file: bundle.name,
      });
  if (shardId(shard) !== id) throw new InputError(`${what}: it is not the shard that its name says`);
}
