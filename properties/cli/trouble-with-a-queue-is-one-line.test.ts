/** Whatever is wrong with a queue is one line that says so, and exit 2: at once where it is wrong from the start, after a while where Redis goes away. */
import { expect, it, vi } from 'vitest';
import { connect, queueLibraries } from '../../src/campaign/queue/connection.js';
import { describeRedis, freePort, startRedis } from '../support/campaign/redis.js';
import { here, type Ran } from '../support/cli.js';

vi.setConfig({ testTimeout: 30_000 });

const commands = [
  ['worker', '--workers', '1', '--idle', '1s'],
  ['fuzz', '--programs', '4', '--no-proofs', '--worlds', '1'],
];
const at = (url: string, ...more: readonly string[]): Promise<readonly Ran[]> =>
  Promise.all(commands.map((command) => here([...command, '--queue', url, ...more])));

/** One line on standard error that begins with this, exit 2, and nothing else. */
const oneLine = (text: string): Ran => ({
  exit: 2,
  out: '',
  err: expect.stringMatching(new RegExp(`^swansong: [^\n]*${text.replace(/[[\]().?:/]/g, '\\$&')}[^\n]*\n$`)),
});

it('no address, no host of this name, nobody who listens', async () => {
  const port = await freePort();
  for (const [url, said] of [
    ['http://localhost', 'this is not the address of a queue: expected redis://'],
    ['redis://localhost/one', 'the database in the address of the queue is not a number'],
    [
      `redis://user:geheim@127.0.0.1:${port}`,
      `the queue at redis://127.0.0.1:${port} refuses the connection`,
    ],
  ] as const)
    for (const ran of await at(url)) {
      expect(ran).toEqual(oneLine(said));
      expect(ran.err).not.toContain('geheim');
    }
});

it('a worker without a queue, and what no other machine can do', async () => {
  expect(await here(['worker'])).toEqual(oneLine("required option '--queue <URL>' not specified"));
  const kernel = await here([
    'fuzz',
    '--kernel',
    '--programs',
    '1',
    '--profile',
    'built-in',
    '--queue',
    'redis://x',
  ]);
  expect(kernel.exit).toBe(2);
  expect(kernel.err).toMatch(/^swansong: [^\n]*kernel[^\n]*\n$/);
});

it('a library that is not installed is named with the command that installs it', async () => {
  const missing = (name: string) => () =>
    Promise.reject(
      Object.assign(new Error(`Cannot find package '${name}' imported from swansong`), {
        code: 'ERR_MODULE_NOT_FOUND',
      }),
    );
  const there = () => Promise.resolve({});
  const trials = [
    [
      { bullmq: missing('bullmq'), ioredis: there },
      'a queue needs bullmq, which is not installed: npm install bullmq ioredis',
    ],
    [
      { bullmq: there, ioredis: missing('ioredis') },
      'a queue needs ioredis, which is not installed: npm install bullmq ioredis',
    ],
    [
      { bullmq: missing('bullmq'), ioredis: missing('ioredis') },
      'a queue needs bullmq and ioredis, which are not installed: npm install bullmq ioredis',
    ],
  ] as const;
  for (const [loaders, said] of trials) await expect(queueLibraries(loaders)).rejects.toThrow(said);
  // Another error of a library is not a missing one.
  const broken = { bullmq: () => Promise.reject(new Error('broken')), ioredis: there };
  await expect(queueLibraries(broken)).rejects.toThrow('broken');
});

describeRedis('a Redis', () => {
  it('that wants a password, and has no such database', async () => {
    const redis = await startRedis(['--requirepass', 'geheim']);
    try {
      const host = `127.0.0.1:${redis.port}`;
      for (const [url, said] of [
        [`redis://${host}`, 'wants a password'],
        [`redis://:falsch@${host}`, 'refuses the user or the password'],
        [`redis://nobody:geheim@${host}`, 'refuses the user or the password'],
        [`redis://:geheim@${host}/77`, 'has no database of this number'],
      ] as const)
        for (const ran of await at(url)) {
          expect(ran).toEqual(oneLine(said));
          expect(ran.err).not.toMatch(/geheim|falsch/);
        }
      const idle = await here([
        'worker',
        '--queue',
        `redis://:geheim@${host}/3`,
        '--workers',
        '1',
        '--idle',
        '100ms',
      ]);
      expect(idle).toEqual({ exit: 0, out: '0 shards computed, with 0 programs\n', err: '' });
    } finally {
      await redis.stop();
    }
  });

  it('that goes away for longer than patience lasts', async () => {
    const redis = await startRedis();
    const url = `redis://127.0.0.1:${redis.port}`;
    const running = at(url, '--patience', '500ms', '--quiet');
    // Both are there when they have a connection.
    while (((await redis.client.client('LIST')) as string).trim().split('\n').length < 4)
      await new Promise((done) => setTimeout(done, 50));
    await redis.stop();
    for (const ran of await running) expect(ran).toEqual(oneLine(`the queue at ${url} is gone for 0.5 s`));
  });

  it('that comes back in time is no trouble', async () => {
    const redis = await startRedis();
    const connection = await connect({ address: redis.address, patience: 2_000 });
    let lost = false;
    connection.lost.catch(() => {
      lost = true;
    });
    await redis.restart();
    expect(await connection.redis.ping()).toBe('PONG');
    await new Promise((done) => setTimeout(done, 2_200));
    expect(lost).toBe(false);
    connection.close();
    await redis.stop();
  });
});
