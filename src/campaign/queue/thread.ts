/** The entry of a thread that computes shards. */
import { serve } from '../threads/pool.js';
import { ShardRunner } from './runner.js';

serve(async () => new ShardRunner());
