/**
 * The connection to Redis, and BullMQ over it. Both libraries are optional: they are loaded when a queue is named. A Redis that goes away for a
 * while is waited for; whatever else is wrong is one clear line.
 */
import type * as BullMQ from 'bullmq';
import type { Redis, RedisOptions } from 'ioredis';
import { InputError } from '../../isa/errors.js';
import { type QueueAddress, shownAddress } from './address.js';

/** Milliseconds that a Redis that went away is waited for. */
export const PATIENCE = 60_000;
/** Milliseconds until a first connection is given up, and between two attempts at the most. */
const CONNECT_MS = 10_000;
const RETRY_MS = 1_000;

/** BullMQ, which keeps jobs in Redis, and the client that it speaks to Redis with. */
export interface QueueLibraries {
  readonly bullmq: typeof BullMQ;
  readonly Redis: typeof Redis;
}

/** How each is loaded. */
export type Loaders = Readonly<Record<'bullmq' | 'ioredis', () => Promise<unknown>>>;
const LOADERS: Loaders = { bullmq: () => import('bullmq'), ioredis: () => import('ioredis') };

/** Loads them. Throws InputError, with the command that installs them, where one is missing. */
export async function queueLibraries(loaders: Loaders = LOADERS): Promise<QueueLibraries> {
  const missing: string[] = [];
  const get = async (name: keyof Loaders): Promise<unknown> => {
    try {
      return await loaders[name]();
    } catch (error) {
      if (!isMissing(error, name)) throw error;
      missing.push(name);
      return undefined;
    }
  };
  const bullmq = (await get('bullmq')) as typeof BullMQ;
  const ioredis = (await get('ioredis')) as { readonly Redis: typeof Redis };
  if (missing.length === 0) return { bullmq, Redis: ioredis.Redis };
  const are = missing.length === 1 ? 'is' : 'are';
  throw new InputError(
    `a queue needs ${missing.join(' and ')}, which ${are} not installed: npm install bullmq ioredis`,
  );
}

const isMissing = (error: unknown, name: string): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND') &&
  error.message.includes(name);

/** An open connection to the Redis of a queue. */
export interface QueueConnection extends QueueLibraries {
  readonly redis: Redis;
  readonly address: QueueAddress;
  /** Rejects with an InputError once the connection was lost for longer than the patience; never resolves. */
  readonly lost: Promise<never>;
  close(): void;
}

/** How a queue is reached. */
export interface ConnectOptions {
  readonly address: QueueAddress;
  /** Milliseconds that a Redis that went away is waited for. */
  readonly patience?: number;
}

/** Connects. Throws InputError where that is not possible, for each of the usual reasons in its own words. */
export async function connect({ address, patience = PATIENCE }: ConnectOptions): Promise<QueueConnection> {
  const libraries = await queueLibraries();
  let connected = false;
  let trouble: Error | undefined;
  const redis = new libraries.Redis({
    ...redisOptions(address),
    // A first connection that fails is an error at once; later ones are tried again until patience ends.
    retryStrategy: (times) => (connected ? Math.min(50 * times, RETRY_MS) : null),
  });
  redis.on('error', (error: Error) => {
    trouble = error;
  });
  const where = shownAddress(address);
  try {
    await redis.connect();
    await mustBeNewEnough(redis);
    // The library goes on in database 0 where there is no such database.
    if (address.db !== 0) await redis.select(address.db);
  } catch (error) {
    redis.disconnect();
    throw new InputError(`the queue at ${where} ${inWords(trouble ?? (error as Error), address.tls)}`);
  }
  connected = true;
  let waiting: NodeJS.Timeout | undefined;
  const lost = new Promise<never>((_, reject) => {
    redis.on('close', () => {
      waiting ??= setTimeout(() => {
        const why = trouble === undefined ? '' : `: it ${inWords(trouble, address.tls)}`;
        reject(new InputError(`the queue at ${where} is gone for ${patience / 1000} s${why}`));
      }, patience);
    });
    redis.on('ready', () => {
      clearTimeout(waiting);
      waiting = undefined;
      trouble = undefined;
    });
  });
  // Who does not wait for it does not have to hear of it.
  lost.catch(() => {});
  const close = (): void => {
    redis.removeAllListeners('close');
    clearTimeout(waiting);
    redis.disconnect();
  };
  return { ...libraries, redis, address, lost, close };
}

function redisOptions({ host, port, username, password, db, tls }: QueueAddress): RedisOptions {
  return {
    host,
    port,
    db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: { servername: host } } : {}),
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: null,
  };
}

async function mustBeNewEnough(redis: Redis): Promise<void> {
  const told = /^redis_version:(\d+)\.(\d+)/m.exec(await redis.info('server'));
  if (told === null) return;
  const [, major, minor] = told;
  if (Number(major) > 6 || (Number(major) === 6 && Number(minor) >= 2)) return;
  throw new Error(`TOO_OLD ${major}.${minor}`);
}

/** What is wrong with a connection, as the end of a sentence about the queue. */
function inWords(error: Error, tls: boolean): string {
  const { message } = error;
  const code = 'code' in error ? String(error.code) : '';
  const words: readonly (readonly [RegExp, string])[] = [
    [/ECONNREFUSED/, 'refuses the connection: no Redis listens there'],
    [/ENOTFOUND|EAI_AGAIN/, 'cannot be found: there is no host of this name'],
    [/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/, `cannot be reached${tls ? ', or does not speak TLS' : ''}`],
    [/NOAUTH/, 'wants a password: redis://user:password@host, or the variable SWANSONG_QUEUE_PASSWORD'],
    [/without any password configured/, 'does not take a password: it has none'],
    [/WRONGPASS|invalid password|invalid username/, 'refuses the user or the password'],
    [/NOPERM/, `does not allow this user to do what a queue needs: ${message}`],
    [/DB index is out of range|invalid DB index/, 'has no database of this number'],
    [/ERR_SSL|EPROTO|wrong version number/, 'does not speak TLS: redis:// is for that'],
    [
      /CERT|certificate|self-signed|altname/i,
      `has a certificate that is not trusted (NODE_EXTRA_CA_CERTS names more): ${message}`,
    ],
    [/TOO_OLD/, `is too old: Redis ${message.replace('TOO_OLD ', '')}, and 6.2 is needed`],
    [
      /ECONNRESET|EPIPE|Connection is closed/,
      `ends the connection${tls ? '' : ' (is it TLS? then rediss://)'}`,
    ],
  ];
  const found = words.find(([pattern]) => pattern.test(`${code} ${message}`));
  return found?.[1] ?? `cannot be used: ${message}`;
}
