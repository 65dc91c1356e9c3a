/** The entry of a worker thread that checks rules. */
import { workerData } from 'node:worker_threads';
import { serve } from '../threads/pool.js';
import { RuleChecker, type RuleCheckSetting } from './rule-checker.js';

serve(() => RuleChecker.open(workerData as RuleCheckSetting));
