/**
 * What test runs begin with: packets that Linux takes in one piece and whose headers say how long they are, no special field set, no key twice, nothing in
 * maps that user space may not write, tail calls to programs that are there. And all that is possible comes: shortest and longest, empty and full.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  drawInputs,
  type Inputs,
  LONGEST_PACKET,
  RandomStream,
} from '../../../src/campaign/agreement/values/inputs.js';
import type { MapDef, Program } from '../../../src/object/program.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { seeded } from '../../support/seed.js';

const ETH = 14;
const map = (name: string, type: MapDef['type'], more: Partial<MapDef> = {}): MapDef => ({
  name,
  type,
  keySize: 4,
  valueSize: 16,
  maxEntries: 8,
  flags: 0,
  fields: [],
  ...more,
});

const MAPS: readonly MapDef[] = [
  map('plain', 'hash'),
  map('small', 'hash', { maxEntries: 3 }),
  map('large', 'hash', { maxEntries: 100 }),
  map('lru', 'lru_hash', { maxEntries: 16 }),
  map('frozen', 'array', { frozen: true }),
  map('data', 'array', { initial: new Uint8Array(16) }),
  map('queue', 'queue', { keySize: 0 }),
  map('timed', 'hash', { fields: [{ kind: 'spin_lock', offset: 4, size: 4 }] }),
  map('tails', 'prog_array', { valueSize: 4, maxEntries: 5 }),
];
/** The most entries that each of them begins with; the key has one byte that counts, and 16 are enough. */
const MOST: readonly number[] = [8, 3, 16, 4, 0, 0, 0, 8, 0];
const TARGETS = 3;
const TYPES = ['xdp', 'tc', 'cgroup_skb', 'syscall', 'raw_tracepoint', 'tracepoint'] as const;

const programOf = (type: string): Program => ({
  ...parseCase(`.type ${type}\nr0 = 0\nexit\n`).program,
  maps: MAPS,
});
const PROGRAMS = TYPES.map(programOf);

function expectFit({ packet, maps, budget, jumps }: Inputs): void {
  expect(packet.length).toBeGreaterThanOrEqual(ETH);
  expect(packet.length).toBeLessThanOrEqual(LONGEST_PACKET);
  maps.forEach((entries, i) => {
    expect(entries.length).toBeLessThanOrEqual(MOST[i]!);
    const keys = entries.map(({ key }) => Buffer.from(key).toString('hex'));
    expect(new Set(keys).size).toBe(keys.length);
    for (const { key, value } of entries) {
      expect([key.length, value.length]).toEqual([4, 16]);
      for (const { offset, size } of MAPS[i]!.fields)
        expect([...value.subarray(offset, offset + size)]).toEqual(Array(size).fill(0));
    }
  });
  expect(budget).toBeGreaterThanOrEqual(0);
  expect(jumps.map((targets) => targets.length)).toEqual(
    MAPS.map(({ type }) => (type === 'prog_array' ? 5 : 0)),
  );
  for (const target of jumps.flat())
    if (target !== undefined) expect(target >= 0 && target < TARGETS).toBe(true);
}

/** The headers of a packet, where it has some. */
function headers(
  packet: Uint8Array,
): { readonly ip: 4 | 6; readonly protocol: number; readonly length: number } | undefined {
  const view = new DataView(packet.buffer);
  if (packet.length >= ETH + 20 && view.getUint16(12) === 0x800)
    return { ip: 4, protocol: packet[ETH + 9]!, length: view.getUint16(ETH + 2) };
  if (packet.length >= ETH + 40 && view.getUint16(12) === 0x86dd)
    return { ip: 6, protocol: packet[ETH + 6]!, length: view.getUint16(ETH + 4) + 40 };
  return undefined;
}

it('every input fits', () => {
  const seen = {
    lengths: new Set<string>(),
    protocols: new Set<string>(),
    entries: MAPS.map(() => new Set<number>()),
  };
  const budgets = new Set<number>();
  const targets = new Set<number | undefined>();
  const settable = new Set<number>();
  fc.assert(
    fc.property(fc.integer(), fc.constantFrom(...PROGRAMS), (seed, program) => {
      const inputs = drawInputs(program, new RandomStream(seed), TARGETS);
      expectFit(inputs);
      const { packet, maps, ctx } = inputs;
      seen.lengths.add(packet.length < ETH + 8 ? `${packet.length}` : packet.length < 124 ? 'short' : 'long');
      const found = headers(packet);
      if (found !== undefined) {
        expect(found.length).toBe(packet.length - ETH);
        seen.protocols.add(`${found.ip} ${found.protocol}`);
      }
      for (const [i, entries] of maps.entries()) seen.entries[i]!.add(entries.length);
      budgets.add(inputs.budget);
      for (const target of inputs.jumps.flat()) targets.add(target);
      const size = { xdp: 0, tc: 192, cgroup_skb: 192, syscall: 65_535, raw_tracepoint: 96, tracepoint: 0 }[
        program.type as 'xdp'
      ];
      expect(ctx.length).toBe(size);
      if (size === 192) for (const [i, byte] of ctx.entries()) if (byte !== 0) settable.add(i);
    }),
    seeded(700),
  );
  expect([...seen.lengths].sort()).toEqual(['14', '15', '16', '17', '18', '19', '20', '21', 'long', 'short']);
  expect([...seen.protocols].sort()).toEqual(['4 1', '4 17', '4 6', '6 17', '6 58', '6 6']);
  expect(seen.entries.map((sizes) => Math.max(...sizes))).toEqual(MOST);
  expect(seen.entries.map((sizes) => Math.min(...sizes))).toEqual(MOST.map(() => 0));
  expect([...budgets].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i));
  expect([...targets].sort()).toEqual([0, 1, 2, undefined]);
  // mark, priority, ingress_ifindex to cb's end, tstamp (convert___skb_to_skb of Linux).
  const places = [...settable].sort((a, b) => a - b);
  const range = (from: number, size: number): number[] => Array.from({ length: size }, (_, i) => from + i);
  expect(places).toEqual([...range(8, 4), ...range(32, 4), ...range(48, 20), ...range(152, 8)]);
});

it('numbers of the stream fill their range', () => {
  const random = new RandomStream(7);
  const seen = new Set(Array.from({ length: 200 }, () => random.below(5)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4]);
  const once = Array.from({ length: 3000 }, () => random.oneIn(3)).filter(Boolean).length;
  expect(once).toBeGreaterThan(850);
  expect(once).toBeLessThan(1150);
});

it('headers come in every packet that is long enough for them', () => {
  const program = { ...programOf('xdp'), maps: [] };
  const shortest = { 4: Number.POSITIVE_INFINITY, 6: Number.POSITIVE_INFINITY };
  for (let seed = 0; seed < 12_000; seed++) {
    const { packet } = drawInputs(program, new RandomStream(seed), 1);
    const found = headers(packet);
    if (found !== undefined) shortest[found.ip] = Math.min(shortest[found.ip], packet.length);
  }
  expect(shortest).toEqual({ 4: ETH + 20, 6: ETH + 40 });
});
