/** The clock of a run: each call is charged for the map that it is called on, its keys, values and sizes, as the run has them in its registers. */
import { expect, it } from 'vitest';
import { actualTime, TimedRun } from '../../src/cost/actual.js';
import type { CostRow } from '../../src/cost/table.js';
import { EMPTY } from '../../src/vm/state/environment.js';
import { Vm } from '../../src/vm/vm.js';
import { accepted, plainCosts, row } from '../support/cost/plain.js';

const RUN = 100;
const MAPS = `.map a array key=4 value=24 entries=7
.map h hash key=16 value=40 entries=11
`;
const HEAD = `.type tc\n${MAPS}`;

/** The time of a run whose one call is of this function. */
function timeOf(text: string, ...rows: readonly CostRow[]): number {
  const { program, verified } = accepted(text, HEAD);
  const run = new TimedRun(new Vm(program, { env: EMPTY, facts: verified.facts }), plainCosts(...rows));
  const time = actualTime(run, 1000)!;
  expect(time.best).toBe(time.worst);
  return time.usual - RUN;
}

const key = ' *(u64 *)(r10 -8) = 0\n *(u64 *)(r10 -16) = 0\n';
const lookup = (map: string): string =>
  `main:\n${key} r2 = r10\n r2 += -16\n r1 = map ${map}\n call bpf_map_lookup_elem\n r0 = 0\n exit\n`;
/** Insns of `lookup` besides the call: two stores, two for r2, one for r1, r0, exit. */
const BESIDES = 7;
const LOOKUP = 'bpf_map_lookup_elem';

it('for the type of the map', () => {
  const rows = [row('helper', LOOKUP, 10), row('helper', `${LOOKUP}@hash`, 50)];
  expect(timeOf(lookup('a'), ...rows)).toBe(BESIDES + 10);
  expect(timeOf(lookup('h'), ...rows)).toBe(BESIDES + 50);
});

it('for each byte of the key, and each entry of the map', () => {
  expect(timeOf(lookup('a'), row('helper', LOOKUP, 3, { per: 'byte' }))).toBe(BESIDES + 3 * 4);
  expect(timeOf(lookup('h'), row('helper', LOOKUP, 3, { per: 'byte' }))).toBe(BESIDES + 3 * 16);
  expect(timeOf(lookup('a'), row('helper', LOOKUP, 3, { per: 'entry' }))).toBe(BESIDES + 3 * 7);
  expect(timeOf(lookup('h'), row('helper', LOOKUP, 3, { per: 'entry' }))).toBe(BESIDES + 3 * 11);
});

it('for keys and values together, and for a size in a register', () => {
  const update = (map: string): string =>
    `main:\n${[-8, -16, -24, -32, -40].map((at) => ` *(u64 *)(r10 ${at}) = 0\n`).join('')} r2 = r10\n r2 += -16\n r3 = r10\n r3 += -40\n r4 = 0\n r1 = map ${map}\n call bpf_map_update_elem\n r0 = 0\n exit\n`;
  const bytes = row('helper', 'bpf_map_update_elem', 2, { per: 'byte' });
  expect(timeOf(update('a'), bytes)).toBe(5 + 6 + 2 + 2 * (4 + 24));
  expect(timeOf(update('h'), bytes)).toBe(5 + 6 + 2 + 2 * (16 + 40));
  const read = (size: number): string =>
    `main:\n r1 = r10\n r1 += -64\n r2 = ${size}\n r3 = 0\n call bpf_probe_read_kernel\n r0 = 0\n exit\n`;
  for (const size of [1, 8, 64])
    expect(timeOf(read(size), row('helper', 'bpf_probe_read_kernel', 2, { per: 'byte' }))).toBe(6 + 2 * size);
});
