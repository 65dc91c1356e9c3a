/** The entry of a campaign's worker thread. */
import { workerData } from 'node:worker_threads';
import { type CampaignSetting, Worker } from './job.js';
import { serve } from './pool.js';

serve(() => Worker.open(workerData as CampaignSetting));
