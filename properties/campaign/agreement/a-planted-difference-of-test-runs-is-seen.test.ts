/** A comparison of two test runs, the kernel's and the VM's, sees a difference in every part that it compares, and says in which. */
import { describe, expect, it } from 'vitest';
import { isLostPrecision } from '../../../src/campaign/agreement/counts.js';
import { firstDifference } from '../../../src/campaign/agreement/values/compare.js';
import { LOG, LOG_BYTES, LOG_HEADER, type Site } from '../../../src/campaign/agreement/values/log.js';
import type { Observation } from '../../../src/campaign/agreement/values/observation.js';
import { kindOfComplaint } from '../../../src/campaign/agreement/verdicts.js';

import { program } from '../../support/campaign/compared.js';

describe('two test runs', () => {
  const site = (more: Partial<Site>): Site => ({
    slot: 1,
    kind: 'call',
    name: 'bpf_f',
    value: 'number',
    size: 24,
    copied: [{ arg: 0, at: 16, size: 8 }],
    unseen: [],
    ...more,
  });

  /** A log of one entry, of site 0. */
  function logOf(value: bigint, bytes: readonly number[], index = 0n, size = 24n): Uint8Array {
    const log = new Uint8Array(LOG.valueSize);
    const view = new DataView(log.buffer);
    view.setBigUint64(0, size, true);
    view.setBigUint64(LOG_HEADER, index, true);
    view.setBigInt64(LOG_HEADER + 8, value, true);
    log.set(bytes, LOG_HEADER + 16);
    return log;
  }

  const run = (more: Partial<Observation> = {}): Observation => ({
    r0: 1,
    packet: Uint8Array.of(1, 2, 3),
    ctx: new Map([
      ['mark', Uint8Array.of(1)],
      ['cb', Uint8Array.of(2)],
    ]),
    maps: [new Map([['00', '01']]), new Map(), new Map([['00', '01']])],
    records: [[], ['aa', 'bb'], []],
    log: logOf(5n, [1, 2, 3, 4, 5, 6, 7, 8]),
    ...more,
  });
  const kindOf = (vm: Partial<Observation>, of: Partial<Site> = {}, kernel: Partial<Observation> = {}) =>
    firstDifference(program, [site(of), site({ name: 'bpf_g' })], run(kernel), run(vm))?.kind;

  it.each<[string, Partial<Observation>]>([
    ['r0', { r0: 2 }],
    ['packet', { packet: Uint8Array.of(1, 2, 4) }],
    ['length of the packet', { packet: Uint8Array.of(1, 2) }],
    [
      'ctx.mark',
      {
        ctx: new Map([
          ['mark', Uint8Array.of(2)],
          ['cb', Uint8Array.of(2)],
        ]),
      },
    ],
    [
      'ctx.cb',
      {
        ctx: new Map([
          ['mark', Uint8Array.of(1)],
          ['cb', Uint8Array.of(3)],
        ]),
      },
    ],
    ['length of the ctx.cb', { ctx: new Map([['mark', Uint8Array.of(1)]]) }],
    ['array map', { maps: [new Map([['00', '02']]), new Map(), new Map([['00', '01']])] }],
    ['array map', { maps: [new Map(), new Map(), new Map([['00', '01']])] }],
    [
      'array map',
      {
        maps: [
          new Map([
            ['00', '01'],
            ['01', '01'],
          ]),
          new Map(),
          new Map([['00', '01']]),
        ],
      },
    ],
    ['lru_hash map', { maps: [new Map([['00', '01']]), new Map(), new Map([['00', '02']])] }],
    ['ring buffer', { records: [[], ['aa', 'bc'], []] }],
    ['ring buffer', { records: [[], ['bb', 'aa'], []] }],
    ['ring buffer', { records: [[], ['aa'], []] }],
    ['r0 of bpf_f', { log: logOf(6n, [1, 2, 3, 4, 5, 6, 7, 8]) }],
    ['buffer of bpf_f', { log: logOf(5n, [1, 2, 3, 4, 5, 6, 7, 9]) }],
    ['buffer of bpf_f', { log: logOf(5n, [9, 2, 3, 4, 5, 6, 7, 8]) }],
    ['path', { log: logOf(5n, [1, 2, 3, 4, 5, 6, 7, 8], 1n) }],
    ['path', { log: logOf(5n, [1, 2, 3, 4, 5, 6, 7, 8], 0n, 48n) }],
    ['path', { log: logOf(5n, [1, 2, 3, 4, 5, 6, 7, 8], 0n, 0n) }],
  ])('differ in %s', (kind, vm) => {
    expect(kindOf(vm)).toBe(kind);
  });

  it('are the same where nothing differs, or only what nobody can compare', () => {
    expect(kindOf({})).toBeUndefined();
    // An LRU map may have thrown out what is there in the VM; not the other way round.
    const empty = [new Map([['00', '01']]), new Map(), new Map<string, string>()];
    expect(kindOf({}, {}, { maps: empty })).toBeUndefined();
    expect(kindOf({ maps: empty })).toBe('lru_hash map');
    const other = { log: logOf(6n, [1, 2, 3, 4, 5, 6, 7, 8]) };
    expect(kindOf(other, { value: 'none' })).toBeUndefined();
    expect(kindOf(other, { value: 'pointer' })).toBeUndefined();
    expect(kindOf({ log: logOf(0n, [1, 2, 3, 4, 5, 6, 7, 8]) }, { value: 'pointer' })).toBe('r0 of bpf_f');
    const high = { log: logOf(5n + (1n << 32n), [1, 2, 3, 4, 5, 6, 7, 8]) };
    expect([kindOf(high), kindOf(high, { value: 'half' }), kindOf(other, { value: 'half' })]).toEqual([
      'r0 of bpf_f',
      undefined,
      'r0 of bpf_f',
    ]);
  });

  it('differ where the log differs first, whatever comes of it', () => {
    expect(kindOf({ r0: 2, packet: new Uint8Array(0), log: logOf(6n, [1]) })).toBe('r0 of bpf_f');
    expect(kindOf({ r0: 2, packet: new Uint8Array(0) })).toBe('r0');
    expect(LOG_BYTES & (LOG_BYTES - 1)).toBe(0);
  });
});

describe('the names of differences', () => {
  it('only those that say stricter are a loss of precision', () => {
    for (const [kind, lost] of [
      ['stricter: x', true],
      ['looser: stricter', false],
      ['value: r0', false],
      ['held: kinds', false],
    ] as const)
      expect(isLostPrecision(kind)).toBe(lost);
  });

  it('are without what varies from program to program', () => {
    expect(kindOfComplaint('R1 off=-8 var_off=(0x0; 0xff) size 16')).toBe('RN off=N var_off=T size N');
    expect(kindOfComplaint('x'.repeat(500))).toHaveLength(160);
  });
});
