/** The main program of a thread that compares strategies. */
import { workerData } from 'node:worker_threads';
import { serve } from '../campaign/threads/pool.js';
import { type DesignSetting, DesignWorker } from './job.js';

serve(() => DesignWorker.open(workerData as DesignSetting));
