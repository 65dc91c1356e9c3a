/** Where a queue is: `redis://user:password@host:port/database`, or `rediss://` for TLS. */
import { InputError } from '../../isa/errors.js';

/** A queue's address, read. */
export interface QueueAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** Number of the database. */
  readonly db: number;
  readonly tls: boolean;
}

const FORM = 'redis://[user:password@]host[:port][/database], or rediss:// for TLS';
/** The variable that holds the password where the address has none: other users of a machine can read command lines. */
export const PASSWORD_VARIABLE = 'SWANSONG_QUEUE_PASSWORD';

/**
 * Reads an address. `password`: the one to take where the address has none. Throws InputError for what is no such address; the message never shows
 * a password.
 */
export function queueAddress(text: string, password?: string): QueueAddress {
  const url = parsed(text);
  const tls = url?.protocol === 'rediss:';
  if (url === undefined || (!tls && url.protocol !== 'redis:'))
    throw new InputError(`this is not the address of a queue: expected ${FORM}`);
  if (url.hostname === '') throw new InputError(`the address of the queue names no host: expected ${FORM}`);
  if (url.search !== '' || url.hash !== '')
    throw new InputError(`the address of the queue has something behind the database: expected ${FORM}`);
  const database = /^\/?(\d{1,4})?$/.exec(url.pathname);
  if (database === null)
    throw new InputError(`the database in the address of the queue is not a number: expected ${FORM}`);
  const secret = url.password === '' ? password : decoded(url.password);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    ...(url.username === '' ? {} : { username: decoded(url.username) }),
    ...(secret === undefined || secret === '' ? {} : { password: secret }),
    db: Number(database[1] ?? 0),
    tls,
  };
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new InputError('user and password in the address of the queue must be URL-encoded: % is %25');
  }
}

/** The address as people are told it, without user and password. */
export function shownAddress({ host, port, db, tls }: QueueAddress): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${tls ? 'rediss' : 'redis'}://${name}:${port}${db === 0 ? '' : `/${db}`}`;
}
