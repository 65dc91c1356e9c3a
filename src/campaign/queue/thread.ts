/** The entry of a thread that computes shards. */
import { serve } from '../pool.js';
import { ShardRunner } from './runner.js';

serve(async () => new ShardRunner());
