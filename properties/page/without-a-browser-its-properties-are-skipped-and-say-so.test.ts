/** Where there is no browser, the properties that need one are skipped, each with the reason, and nothing fails. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

it('with a path at which there is none', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', 'properties/page/a-finding-is-stepped-through-by-keys.test.ts'],
    {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, SWANSONG_BROWSER: '/no/such/browser', NO_COLOR: '1', VITEST_POOL_ID: undefined },
    },
  );
  expect(status).toBe(0);
  expect(stdout).toMatch(/^skipped 8: no Chromium in the PATH \(.*\), and none in SWANSONG_BROWSER$/m);
  expect(stdout).toMatch(/Tests +8 skipped/);
});
