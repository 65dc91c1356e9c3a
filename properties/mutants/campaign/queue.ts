/** Mutants of campaigns on many machines: rule texts, shards, the queue. */
import { type Mutant, mutantsOf } from '../mutant.js';

const QUEUE = 'campaign/threads/a-queue-gives-what-one-machine-gives';
const PARTS = 'campaign/shards/parts-of-a-campaign-join-to-the-whole';
const NAMES = 'campaign/shards/a-shard-is-named-by-all-that-its-result-depends-on';

export const QUEUE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/patch/bundle.ts',
    ['patch/a-rule-file-decides-the-same-from-its-text'],
    [
      {
        name: 'digest-of-the-rule-file-alone',
        inside: 'bundleDigest',
        node: 'Object.entries(files)',
        becomes: 'Object.entries(files).filter(([path]) => path === entry)',
        wrong: 'The digest of a rule file does not count what it imports.',
      },
      {
        name: 'language-is-taken-along',
        inside: 'bundleRules',
        node: 'isOwnLanguage(path)',
        becomes: 'false',
        wrong: 'The text of the rule language itself is taken along with rules that import it by its path.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/queue/shard.ts',
    [NAMES],
    [
      {
        name: 'text-of-rules-is-not-compared-with-its-digest',
        inside: 'mustBeWhole',
        node: 'bundleDigest(bundle) !== campaign.rules[bundle.name]',
        becomes: 'false',
        wrong: 'A worker computes with a rule text that is not the one that was sent.',
      },
      {
        name: 'shards-of-any-build-are-computed',
        inside: 'mustBeWhole',
        node: 'campaign.code !== code',
        becomes: 'false',
        wrong: 'A worker computes shards that another build made.',
      },
      {
        name: 'name-without-the-code',
        inside: 'campaignId',
        node: 'digest({ code, setting, rules })',
        becomes: 'digest({ setting, rules })',
        wrong: 'Shards of two builds have one name, and with it one result.',
      },
      {
        name: 'name-without-the-end',
        inside: 'shardId',
        node: '`check-${job.from}-${job.to}`',
        becomes: '`check-${job.from}-${job.from}`',
        wrong: 'A short shard and a long one that begin together have one name.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/queue/publish.ts',
    [QUEUE],
    [
      {
        name: 'what-redis-forgot-is-not-published-again',
        inside: 'Publisher.compare',
        node: 'if (lost.length > 0) await this.publish(lost);',
        becomes: '',
        wrong: 'A campaign waits for ever for shards that Redis has lost.',
      },
      {
        name: 'results-stay-on-the-queue',
        inside: 'Publisher.take',
        node: 'await job.remove();',
        becomes: '',
        wrong: 'Results that the campaign has stay in Redis.',
      },
      {
        name: 'shards-are-left-behind-at-the-end',
        inside: 'Publisher.leave',
        node: 'for (const id of this.awaited.keys()) await this.queue.remove(id).catch(() => {});',
        becomes: '',
        wrong: 'Workers go on with shards of a campaign whose time is over.',
      },
      {
        name: 'shards-are-taken-off-when-it-is-stopped',
        inside: 'Publisher.leave',
        node: 'this.options.stop?.aborted === true',
        becomes: 'false',
        wrong: 'A campaign that is stopped takes its shards off the queue.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/queue/work.ts',
    [QUEUE],
    [
      {
        name: 'shard-is-counted-when-it-is-computed',
        inside: 'QueueWork.compute',
        node: 'return { ok: true, result: await this.pool.run(job.data) };',
        becomes: 'this.count(job.data);\n      return { ok: true, result: await this.pool.run(job.data) };',
        wrong: 'A worker counts its shards twice.',
      },
      {
        name: 'another-build-is-not-told-of',
        inside: 'QueueWork.lookForOtherBuilds',
        node: 'build === this.options.code || this.otherBuilds.has(build)',
        becomes: 'true',
        wrong: 'A worker says nothing of shards that it cannot compute.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/shards/merge.ts',
    [PARTS],
    [
      {
        name: 'programs-of-two-folders-count-twice',
        inside: 'withoutOverlap',
        node: 'if (overlap === undefined) return withRange(ranges, range);',
        becomes:
          'if (overlap !== undefined) return ranges;\n  if (overlap === undefined) return withRange(ranges, range);',
        wrong: 'A program that is in two folders counts twice.',
      },
      {
        name: 'cause-is-that-of-the-folder-named-first',
        inside: 'joinFound',
        node: 'inOrder([...a, ...b], ({ index }) => index)',
        becomes: '[...a, ...b]',
        wrong:
          'Of a cause that two parts show the case of the folder that is named first is kept, not that of the first program.',
      },
      {
        name: 'hits-of-other-parts-are-lost',
        inside: 'joinFound',
        node: 'known.hits += one.hits',
        becomes: 'known.hits += 0',
        wrong: 'Only the programs of one part that show a cause are counted.',
      },
      {
        name: 'gap-at-the-start-is-not-seen',
        inside: 'gaps',
        node: 'ranges[i - 1]?.[1] ?? 0',
        becomes: 'ranges[i - 1]?.[1] ?? from',
        wrong: 'A joined campaign is held to be whole though its first part is missing.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/shards/schedule.ts',
    [PARTS],
    [
      {
        name: 'shards-are-half-blocks',
        inside: 'SHARD',
        node: 'BLOCK',
        becomes: 'BLOCK / 2',
        wrong: 'Two workers make the programs of one block, the second all those of the first once more.',
      },
      {
        name: 'parts-leave-a-shard-out',
        inside: 'Schedule.peek',
        node: 'shard % this.part.of === this.part.nth',
        becomes: 'shard % (this.part.of + 1) === this.part.nth',
        wrong: 'Some shards are in no part.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/queue/address.ts',
    ['campaign/threads/the-address-of-a-queue-is-read-as-it-is-written'],
    [
      {
        name: 'password-is-taken-as-it-is-encoded',
        inside: 'queueAddress',
        node: 'decoded(url.password)',
        becomes: 'url.password',
        wrong: 'A password with a character that must be encoded is refused by Redis.',
      },
      {
        name: 'tls-is-forgotten',
        inside: 'queueAddress',
        node: "url?.protocol === 'rediss:'",
        becomes: 'false',
        wrong: 'An address with rediss:// is refused.',
      },
    ],
  ),
];
