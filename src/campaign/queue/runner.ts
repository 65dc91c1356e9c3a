/** Computes shards of any campaign, one after the other. What a campaign needs is made once and kept for its next shards. */
import { Worker } from '../threads/job.js';
import type { JobRunner } from '../threads/pool.js';
import { campaignId, type Shard } from './shard.js';

/** Campaigns that are kept ready. */
const MOST_OPEN = 4;

/** What computes shards. */
export class ShardRunner implements JobRunner<Shard, unknown> {
  /** Campaigns by name; the one that was used last is the last. */
  private readonly open = new Map<string, Worker>();

  /** The result of a shard, which must be whole (`mustBeWhole`). Throws InputError where its rules cannot be loaded. */
  async do({ campaign, job }: Shard): Promise<unknown> {
    const id = campaignId(campaign);
    const worker = this.open.get(id) ?? (await Worker.open(campaign.setting, campaign.bundles));
    this.open.delete(id);
    this.open.set(id, worker);
    for (const [old, unused] of this.open) {
      if (this.open.size <= MOST_OPEN) break;
      unused.close();
      this.open.delete(old);
    }
    return worker.do(job);
  }

  close(): void {
    for (const worker of this.open.values()) worker.close();
    this.open.clear();
  }
}
