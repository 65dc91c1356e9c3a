/**
 * Two shards have the same name exactly if they are the same: code, setting, texts of the rules and work. A worker computes a shard only if it is
 * of its own code, and what came is what was sent.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  campaignId,
  mustBeWhole,
  type Shard,
  shardedCampaign,
  shardId,
  shownShard,
} from '../../../src/campaign/queue/shard.js';
import type { CampaignSetting, Job } from '../../../src/campaign/threads/job.js';
import type { RuleBundle } from '../../../src/patch/bundle.js';
import { causes } from '../../support/campaign/reports.js';
import { seeded } from '../../support/seed.js';

const settings: fc.Arbitrary<CampaignSetting> = fc.record(
  {
    seed: fc.nat({ max: 2 }),
    rules: fc.constantFrom(['sound'], ['mine.ts'], ['sound', 'mine.ts']),
    worlds: fc.integer({ min: 1, max: 2 }),
    prove: fc.boolean(),
    kernel: fc.constant(false),
    loader: fc.constantFrom('privileged' as const, 'strict' as const),
    aim: fc.constantFrom('bpf_loop', 'bpf_throw'),
  },
  { requiredKeys: ['seed', 'rules', 'worlds', 'prove', 'kernel'] },
);
const bundles: fc.Arbitrary<RuleBundle> = fc.record({
  name: fc.constant('mine.ts'),
  entry: fc.constantFrom('mine.ts', 'other.ts'),
  files: fc.record({ 'mine.ts': fc.constantFrom('a', 'b'), 'other.ts': fc.constantFrom('a', 'b', 'a\0b') }),
  language: fc.constantFrom([], ['define.js']),
});
const jobs: fc.Arbitrary<Job> = fc.oneof(
  fc.record({
    kind: fc.constant('check' as const),
    from: fc.nat({ max: 3 }),
    to: fc.integer({ min: 4, max: 6 }),
  }),
  fc.record({
    kind: fc.constant('shrink' as const),
    text: fc.constantFrom('x', 'y'),
    cause: causes,
    index: fc.nat({ max: 2 }),
    world: fc.integer({ min: -1, max: 1 }),
  }),
);
const shards: fc.Arbitrary<Shard> = fc
  .tuple(fc.constantFrom('code1', 'code2'), settings, fc.option(bundles, { nil: undefined }), jobs)
  .map(([code, setting, bundle, job]) => ({
    campaign: shardedCampaign(code, setting, bundle === undefined ? [] : [bundle]),
    job,
  }));

/** All that a result depends on, as text. */
const content = ({ campaign: { code, setting, bundles: all }, job }: Shard): string => {
  const sorted = (value: object): unknown => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([code, sorted(setting), all.map(sorted), sorted(job)]);
};

it('equal shards have equal names, and different ones different names', () => {
  const names = new Map<string, string>();
  fc.assert(
    fc.property(shards, (shard) => {
      const id = shardId(shard);
      const known = names.get(id) ?? content(shard);
      names.set(id, content(shard));
      expect(content(shard)).toBe(known);
      expect(id.startsWith(campaignId(shard.campaign))).toBe(true);
      // Nothing that BullMQ does not take as the name of a job.
      expect(id).toMatch(/^[0-9a-f]{24}-(check-\d+-\d+|shrink-[0-9a-f]{24})$/);
    }),
    seeded(3000),
  );
  expect(new Set(names.values()).size).toBe(names.size);
});

it('the name does not depend on the order of names in the setting, and not on how it travelled', () => {
  fc.assert(
    fc.property(shards, (shard) => {
      const sent = JSON.parse(JSON.stringify(shard)) as Shard;
      expect(shardId(sent)).toBe(shardId(shard));
      mustBeWhole(sent, shardId(shard), shard.campaign.code);
      const setting = Object.fromEntries(Object.entries(shard.campaign.setting).reverse());
      const turned = { ...shard, campaign: { ...shard.campaign, setting } } as unknown as Shard;
      expect(shardId(turned)).toBe(shardId(shard));
    }),
    seeded(300),
  );
});

it('whatever is changed on the way, the shard is refused in one line that says what it is', () => {
  fc.assert(
    fc.property(shards, shards, (shard, other) => {
      const id = shardId(shard);
      const { code } = shard.campaign;
      const refused = (changed: Shard, why: RegExp): void => {
        expect(() => mustBeWhole(changed, id, code)).toThrow(why);
        expect(() => mustBeWhole(changed, id, code)).toThrow(shownShard(changed));
      };
      if (content(other) !== content(shard)) refused(other, /another build|not the shard that its name says/);
      const [bundle] = shard.campaign.bundles;
      if (bundle === undefined) return;
      const files = { ...bundle.files, 'mine.ts': `${bundle.files['mine.ts']} ` };
      refused(
        { ...shard, campaign: { ...shard.campaign, bundles: [{ ...bundle, files }] } },
        /the text of the rules did not arrive as it was sent/,
      );
    }),
    seeded(500),
  );
});

it('a shard of another build is refused, and both builds are named', () => {
  const [shard] = fc.sample(shards, { seed: 1, numRuns: 1 }) as [Shard];
  const here = `${shard.campaign.code}-of-today`;
  expect(() => mustBeWhole(shard, shardId(shard), here)).toThrow(
    `made by another build (code ${shard.campaign.code}, this is ${here})`,
  );
});
