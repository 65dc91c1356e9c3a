/**
 * The environments that a campaign runs a program in: number 0 is the one in which everything goes well, every other one is drawn from the
 * campaign's seed, the program's index and its own number, and from nothing else. Each part of it varies, within its bounds.
 */
import { describe, expect, it } from 'vitest';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import { progType } from '../../../src/kernel/progtypes.js';
import { type MapDef, PROG_TYPES, type Program } from '../../../src/object/program.js';
import { defaultChooser } from '../../../src/vm/state/chooser.js';
import { EMPTY } from '../../../src/vm/state/environment.js';

const map = (name: string, more: Partial<MapDef>): MapDef => ({
  name,
  type: 'array',
  keySize: 4,
  valueSize: 16,
  maxEntries: 8,
  flags: 0,
  fields: [],
  ...more,
});

/** Those that may be filled, and those that may not. */
const FILLED: readonly MapDef[] = [
  map('array', {}),
  map('one', { maxEntries: 1 }),
  map('two', { type: 'percpu_array', maxEntries: 2 }),
  map('hash', { type: 'hash', keySize: 8 }),
  map('lru', { type: 'lru_hash', keySize: 2, valueSize: 3 }),
];
const EMPTY_ONES: readonly MapDef[] = [
  map('locked', { fields: [{ kind: 'spin_lock', offset: 0, size: 4 }] as unknown as MapDef['fields'] }),
  map('frozen', { frozen: true }),
  map('data', { initial: new Uint8Array(16) } as Partial<MapDef>),
  map('ring', { type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096 }),
  map('trie', { type: 'lpm_trie' }),
  map('queue', { type: 'queue', keySize: 0 }),
];

const program: Program = {
  name: 'main',
  type: 'xdp',
  insns: [],
  maps: [...FILLED, ...EMPTY_ONES],
  kfuncs: [],
  subprogs: [],
  localTypes: [],
};

const DRAWS = 400;
const drawn = Array.from({ length: DRAWS }, (_, k) => runEnvironment(program, 1, 2, k + 1).env);
/** An environment as text, so that two can be compared. */
const spell = (seed: number, index: number, k: number): string => {
  const { env, chooser } = runEnvironment(program, seed, index, k);
  const { packet, ctx, maps } = env;
  const choices = ['a#1', 'b#2'].map((key) => `${chooser.index(key, 1000)} ${chooser.number(key, 0n, 999n)}`);
  return JSON.stringify([
    packet && [...packet],
    ctx && [...ctx],
    [...(maps ?? [])].flat().map(String),
    choices,
  ]);
};

describe('an environment', () => {
  it('of number 0 gives nothing and lets everything go well, whatever the seed', () => {
    for (const seed of [0, 1, 0xffff_ffff]) {
      const { env, chooser } = runEnvironment(program, seed, seed % 7, 0);
      expect(env).toBe(EMPTY);
      expect(chooser).toBe(defaultChooser);
    }
  });

  it('is the same for the same seed, index and number, and another one if any of them is another', () => {
    for (const [seed, index, k] of [
      [1, 2, 3],
      [0, 0, 1],
      [0xffff_ffff, 999, 63],
    ] as const) {
      const here = spell(seed, index, k);
      expect(spell(seed, index, k)).toBe(here);
      const others = [spell(seed + 1, index, k), spell(seed, index + 1, k), spell(seed, index, k + 1)];
      expect(new Set([here, ...others]).size).toBe(4);
    }
    // Number and index are not mixed up.
    expect(spell(1, 2, 3)).not.toBe(spell(1, 3, 2));
  });

  it('has a packet of every length from the shortest that Linux hands out to 150 bytes more', () => {
    const lengths = drawn.map(({ packet }) => packet!.length);
    expect(Math.min(...lengths)).toBe(14);
    expect(Math.max(...lengths)).toBe(14 + 150);
    expect(new Set(lengths).size).toBeGreaterThan(60);
    expect(new Set(drawn.map(({ packet }) => packet![0])).size).toBeGreaterThan(100);
  });

  it('has a context as large as that of its type', () => {
    for (const type of PROG_TYPES) {
      const contexts = [1, 2, 3].map((k) => runEnvironment({ ...program, type }, 1, 2, k).env.ctx!);
      for (const ctx of contexts) expect(ctx.length, type).toBe(progType(type).size);
      if (contexts[0]!.length > 8) expect(new Set(contexts.map(String)).size, type).toBe(3);
    }
  });

  it('settles no choice: its chooser makes them all', () => {
    for (const { choices, ctxFields, cpu } of drawn)
      expect([choices.size, ctxFields, cpu]).toEqual([0, undefined, undefined]);
  });

  it('fills only maps that user space may fill with plain bytes', () => {
    for (const { maps } of drawn) expect([...maps!.keys()]).toEqual(FILLED.map(({ name }) => name));
  });

  it.each(FILLED)('has no to three entries in $name, as many as it takes, with keys of any kind', (def) => {
    const all = drawn.map(({ maps }) => maps!.get(def.name)!);
    const sizes = new Set(all.map(({ size }) => size));
    const most = Math.min(3, def.maxEntries);
    expect(Math.max(...sizes)).toBe(most);
    expect(sizes).toContain(0);
    if (most > 1) expect(sizes).toContain(most - 1);
    const entries = all.flatMap((one) => [...one]);
    for (const [key, value] of entries) {
      expect(key.length).toBe(2 * def.keySize);
      expect(value.length).toBe(2 * def.valueSize);
      if (!def.type.endsWith('array')) continue;
      const index = Buffer.from(key, 'hex').readUInt32LE();
      expect(index).toBeLessThan(most);
    }
    const keys = new Set(entries.map(([key]) => key));
    // Of an array the first few; of a hash those as well, and others besides.
    const small = Array.from({ length: most }, (_, i) => `0${i}${'00'.repeat(def.keySize - 1)}`);
    for (const key of small) expect(keys).toContain(key);
    if (def.type.endsWith('array')) expect(keys.size).toBe(most);
    else expect(keys.size).toBeGreaterThan(50);
    expect(new Set(entries.map(([, value]) => value)).size).toBeGreaterThan(50);
  });
});
