/** A Redis of its own for the properties of queues. Where there is no `redis-server` they are skipped, and say so. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe } from 'vitest';
import { type QueueAddress, queueAddress } from '../../../src/campaign/queue/address.js';

let known: string | undefined;

/** Why there is no Redis here; empty where there is one. */
export function withoutRedis(): string {
  known ??=
    spawnSync('redis-server', ['--version']).status === 0
      ? ''
      : 'redis-server is not installed: no queue here';
  return known;
}

/** `describe`, or where no Redis can be started a skipped one. */
export function describeRedis(name: string, body: () => void): void {
  const unless = withoutRedis();
  describe.skipIf(unless !== '')(name, unless === '' ? {} : { meta: { unless } }, body);
}

/** A Redis that runs. */
export interface TestRedis {
  readonly port: number;
  readonly address: QueueAddress;
  /** A connection for the test's own questions. */
  readonly client: Redis;
  /** Ends it and starts it anew; it has kept all that it was told. */
  restart(): Promise<void>;
  /** Ends it, and takes its files away. */
  stop(): Promise<void>;
}

/** Starts a Redis that writes to disk before it answers. `more`: further options of `redis-server`. */
export async function startRedis(more: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'swansong-redis-'));
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const args = [...options, '--appendonly', 'yes', '--appendfsync', 'always', ...more];
  let server: ChildProcess;
  const client = new Redis({ port, maxRetriesPerRequest: null, retryStrategy: () => 20, lazyConnect: true });
  client.on('error', () => {});
  const start = (): void => {
    server = spawn('redis-server', args, { stdio: 'ignore' });
  };
  const end = async (): Promise<void> => {
    const gone = new Promise((done) => server.once('exit', done));
    server.kill('SIGTERM');
    await gone;
  };
  start();
  await client.connect().catch(() => {});
  if (!more.includes('--requirepass')) await client.ping();
  return {
    port,
    address: queueAddress(`redis://127.0.0.1:${port}`),
    client,
    async restart() {
      await end();
      start();
    },
    async stop() {
      client.disconnect();
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A port of this machine that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
