/** The names under which things are in Redis. */

/** Prefix of all keys in Redis that are swansong's. */
export const PREFIX = 'swansong';

/** The queue of the shards that one build makes: workers of another build never see them. */
export function queueName(code: string): string {
  return `shards-${code}`;
}

/**
 * The sorted set of builds that shards were made by, each by the digest of its code, with the time (seconds, by the clock of Redis) at which a
 * campaign last waited for some.
 */
export const BUILDS = `${PREFIX}:builds`;
