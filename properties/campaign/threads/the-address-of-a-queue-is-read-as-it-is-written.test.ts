/** The address of a queue is read as it was written, whatever is in the password, and is shown without it; what is no address is one line. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type QueueAddress, queueAddress, shownAddress } from '../../../src/campaign/queue/address.js';
import { InputError } from '../../../src/isa/errors.js';
import { seeded } from '../../support/seed.js';

const secrets = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((text) => {
  try {
    return encodeURIComponent(text) !== '';
  } catch {
    return false;
  }
});
const addresses: fc.Arbitrary<QueueAddress> = fc.record(
  {
    host: fc.constantFrom('localhost', '10.0.0.7', 'redis.example.org', '::1', 'fd00::2'),
    port: fc.integer({ min: 1, max: 65_535 }),
    db: fc.nat({ max: 99 }),
    tls: fc.boolean(),
    username: secrets,
    password: secrets,
  },
  { requiredKeys: ['host', 'port', 'db', 'tls'] },
);

function written({ host, port, db, tls, username = '', password }: QueueAddress): string {
  const user = `${encodeURIComponent(username)}${password === undefined ? '' : `:${encodeURIComponent(password)}`}`;
  const name = host.includes(':') ? `[${host}]` : host;
  return `${tls ? 'rediss' : 'redis'}://${user === '' ? '' : `${user}@`}${name}:${port}/${db}`;
}

it('it reads back', () => {
  fc.assert(
    fc.property(addresses, (address) => {
      expect(queueAddress(written(address))).toEqual(address);
    }),
    seeded(500),
  );
});

it('a password that is given apart is taken where the address has none', () => {
  fc.assert(
    fc.property(addresses, secrets, (address, secret) => {
      expect(queueAddress(written(address), secret)).toEqual({ password: secret, ...address });
    }),
    seeded(200),
  );
  expect(queueAddress('redis://localhost', '')).toEqual({ host: 'localhost', port: 6379, db: 0, tls: false });
});

it('it is shown without user and password', () => {
  fc.assert(
    fc.property(addresses, (address) => {
      const { username: _, password: __, ...open } = address;
      expect(queueAddress(shownAddress(address))).toEqual(open);
    }),
    seeded(200),
  );
});

it('what is no address is refused in one line, which never shows a password', () => {
  const wrong = [
    '',
    'localhost:6379',
    'http://user:geheim@localhost',
    'redis://',
    'redis://:geheim@',
    'redis://u:geheim@localhost/first',
    'redis://u:geheim@localhost/1/2',
    'redis://u:geheim@localhost?db=1',
    'redis://u:geheim@localhost#1',
    'redis://u:geheim@localhost:99999',
    'redis://u:geheim%@localhost',
    'unix:///run/redis.sock',
  ];
  for (const text of wrong) {
    const read = (): QueueAddress => queueAddress(text);
    expect(read).toThrow(InputError);
    expect(read).not.toThrow(/geheim|\n/);
    expect(read).toThrow(/queue/);
  }
});
