/** The entry of a worker thread that compares. */
import { workerData } from 'node:worker_threads';
import { serve } from '../threads/pool.js';
import { ComparisonRunner, type ComparisonSetting } from './comparison-runner.js';

serve(() => ComparisonRunner.open(workerData as ComparisonSetting));
