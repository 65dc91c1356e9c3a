/** The entry of a worker thread that compares. */
import { workerData } from 'node:worker_threads';
import { serve } from '../pool.js';
import { type AgreementSetting, Comparer } from './comparer.js';

serve(() => Comparer.open(workerData as AgreementSetting));
