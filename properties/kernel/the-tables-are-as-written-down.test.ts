/**
 * Every field of every contract, program type, map type and struct is as written down in properties/support/contracts, in full. Other
 * properties hold the tables against the kernel; this one notices a change of what no kernel can be asked about (which outcome blocks,
 * which is usual, in which order outcomes are listed). After a wanted change: `npx vitest run -u` on this file, and read the difference.
 */
import { describe, expect, it } from 'vitest';
import { symbols, unmodelled } from '../../src/kernel/catalog.js';
import { ATTACH } from '../../src/kernel/contexts/attach.js';
import { LEFT_OUT } from '../../src/kernel/leftout.js';
import { MAP_FLAGS } from '../../src/kernel/maptypes.js';
import * as structs from '../../src/kernel/structs.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';
import { catalogText, mapTypesText, progTypesText, typesText, words } from '../support/contracts/written.js';

const lines = (table: Readonly<Record<string, unknown>>): string =>
  Object.entries(table)
    .map(([name, value]) => `  ${name}: ${words(value)}\n`)
    .join('');

const SOCKS = ['sock_common', 'sock', 'tcp_sock', 'xdp_sock'] as const;

describe('as written down:', () => {
  it.each<[string, () => string]>([
    ['contracts', catalogText],
    ['program-types', progTypesText],
    ['map-types', mapTypesText],
    [
      'structs',
      () =>
        [
          `iterators, in words:\n${lines(structs.ITER_WORDS)}`,
          `sizes:\n  dynptr: ${structs.DYNPTR_SIZE}\n  irq flags: ${structs.IRQ_FLAG_SIZE}\n  tuple: ${words(structs.SOCK_TUPLE_SIZE)}\n`,
          `fields of map values:\n${lines(structs.FIELD_LAYOUT)}`,
          ...SOCKS.map(
            (type) =>
              `${type}:\n${structs
                .sockMembers(type)
                .map((m) => `  ${words(m)}\n`)
                .join('')}`,
          ),
          `attach types:\n${lines(ATTACH)}`,
          `map flags:\n${lines(MAP_FLAGS)}`,
        ].join('\n'),
    ],
    [
      'left-out',
      () =>
        Object.keys(LEFT_OUT)
          .map((name) => `${unmodelled(name)}\n`)
          .join(''),
    ],
    [
      'rows',
      () =>
        [...HELPERS, ...KFUNCS]
          .map(({ name, types, ...row }) =>
            [name, ...Object.values(row).map(words), types.length === 0 ? 'none' : typesText(types)].join(
              ' | ',
            ),
          )
          .join('\n'),
    ],
  ])('%s', async (name, text) => {
    await expect(text()).toMatchFileSnapshot(`../support/contracts/${name}.txt`);
  });
});

describe('helpers', () => {
  it('have one number each, from 1 on without a gap', () => {
    expect(symbols.helpers.map(({ id }) => id)).toEqual(HELPERS.map((_, i) => i + 1));
    expect(new Set(symbols.helpers.map(({ name }) => name)).size).toBe(HELPERS.length);
  });
});
