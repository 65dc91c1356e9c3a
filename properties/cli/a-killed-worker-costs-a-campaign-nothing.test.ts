/**
 * With real processes: a campaign over a queue, one of whose workers is killed (kill -9) while it computes, and whose Redis is restarted, has the
 * figures, the findings and the files of one machine. The script does this with 2,000 programs as well; reports/queue holds its log.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it, vi } from 'vitest';
import { describeRedis, freePort } from '../support/campaign/redis.js';
import { MAIN } from '../support/cli.js';

const ROOT = resolve(import.meta.dirname, '../..');
const TOLD = [
  'both ended with a finding or without one',
  'workers were killed while they held shards',
  'Redis was restarted',
  'no shard is left on the queue',
  'all programs are counted, none twice',
  'findings, coverage and all other figures are those of one machine',
  'the files of findings are those of one machine',
];

/** Seven processes start and end: some seconds, and more on a machine that is busy. */
vi.setConfig({ testTimeout: 240_000 });

describeRedis('a killed worker', () => {
  it('costs a small campaign nothing', async () => {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run npm run build first`);
    const options = ['--programs', '8', '--kills', '1', '--kill-every', '0', '--lock', '700ms'];
    const campaign = ['--', '--rules', 'rfc-v1', '--no-proofs', '--worlds', '1', '--workers', '1'];
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'scripts/queue-kill.mjs'), ...options, '--port', `${await freePort()}`, ...campaign],
      { encoding: 'utf8', timeout: 230_000 },
    );
    expect(stderr).toBe('');
    for (const told of TOLD) expect(stdout).toContain(`yes  ${told}`);
    expect(status).toBe(0);
  });
});

it('the log of the full run tells of 2,000 programs, and that all held', () => {
  const log = readFileSync(join(ROOT, 'reports/queue/kills.txt'), 'utf8');
  for (const told of TOLD) expect(log).toContain(`yes  ${told}`);
  expect(log).toMatch(/2000 programs, 3 workers, one killed every 20 s/);
  expect(log.match(/killed a worker/g)!.length).toBeGreaterThan(10);
});
