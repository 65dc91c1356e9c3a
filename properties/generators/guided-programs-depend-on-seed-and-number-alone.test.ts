/**
 * Guided programs: the same for the same seed, number and constraints, whatever was made before, so that shards and resumed campaigns make
 * what one machine makes in one go; no two alike; within the slots that they were given; and more is reached by them than without guidance.
 */
import { describe, expect, it } from 'vitest';
import { countFragments, outline } from '../../generators/fragment.js';
import { BLOCK, Block } from '../../generators/guide/block.js';
import { reachOf } from '../../generators/guide/reach.js';
import { guided, guidedTree } from '../../generators/guided.js';
import { DEFAULT_MAX_INSNS, GENERATED_TYPES } from '../../generators/program.js';
import { sample } from '../../generators/sample.js';
import { coverageOf } from '../../generators/smallest-call.js';
import type { Program } from '../../src/object/program.js';
import { verify } from '../../src/verifier/verify.js';
import { seeded } from '../support/seed.js';

const SEED = seeded(1).seed ?? 0;
const text = (program: Program): string => JSON.stringify(program);

describe('guided programs', () => {
  it('are the same whatever was made before', () => {
    const wanted = [3, BLOCK + 5, 11, 4 * BLOCK, BLOCK - 1];
    const inOrder = Array.from({ length: BLOCK }, (_, index) => text(guided(SEED, index).program));
    const first = wanted.map((index) => text(guided(SEED, index).program));
    // Other campaigns push the blocks out.
    for (const seed of [SEED + 1, SEED + 2]) for (const number of [0, 1, 2]) guided(seed, number * BLOCK);
    const again = [...wanted].reverse().map((index) => text(guided(SEED, index).program));
    expect(again.reverse()).toEqual(first);
    expect([inOrder[3], inOrder[11], inOrder[BLOCK - 1]]).toEqual([first[0], first[2], first[4]]);
    // A block that is made anew, from its end.
    expect(text(new Block(SEED, 0, {}).program(11).program)).toBe(first[2]);
  });

  it('differ between numbers and seeds', () => {
    const texts = [SEED, SEED + 1].flatMap((seed) =>
      Array.from({ length: BLOCK }, (_, index) => text(guided(seed, index).program)),
    );
    expect(new Set(texts).size).toBeGreaterThan(texts.length - 3);
  });

  it('are accepted by our verifier, in the slots that they were given', () => {
    for (const index of Array.from({ length: 3 * BLOCK }, (_, i) => i)) {
      const { program, tree } = guided(SEED, index);
      expect(program.insns.length).toBeLessThanOrEqual(DEFAULT_MAX_INSNS);
      expect(GENERATED_TYPES).toContain(program.type);
      const verdict = verify(program, { facts: false, budget: 40_000 });
      if (!verdict.ok)
        expect.fail(
          `${index}, ${program.type}, at ${verdict.slot}: ${verdict.message}\n${outline(tree.body)}`,
        );
    }
  });

  it('keep to the types and functions that they may have', () => {
    for (let index = 0; index < 12; index++) {
      const { program } = guided(SEED, index, { types: ['xdp'], aim: 'bpf_sk_lookup_tcp', maxInsns: 60 });
      expect([program.type, program.insns.length <= 60]).toEqual(['xdp', true]);
      expect(coverageOf(program)).toContain('bpf_sk_lookup_tcp');
    }
  });

  it('give other functions their turns in the next block', () => {
    const called = [0, 1].map((number) => {
      const all = Array.from({ length: BLOCK }, (_, nth) => guided(SEED, number * BLOCK + nth).program);
      return new Set(all.flatMap((program) => [...coverageOf(program)]));
    });
    const [first, second] = called as [Set<string>, Set<string>];
    const fresh = [...second].filter((name) => !first.has(name)).length;
    expect(fresh).toBeGreaterThan(second.size / 2);
  });

  it('shrink to smaller trees', () => {
    for (const index of [0, 7, 19]) {
      const { value, shrinks } = guidedTree(SEED, index);
      const sizes = [...shrinks()].map((one) => countFragments(one.value.tree.body));
      expect(sizes.length).toBeGreaterThan(0);
      expect(Math.max(...sizes)).toBeLessThan(countFragments(value.tree.body));
    }
  });

  it('reach more than as many that are not guided', () => {
    const reached = (make: typeof sample, seed: number): number => {
      const all = new Set<string>();
      for (let index = 0; index < BLOCK; index++)
        for (const feature of reachOf(make(seed, index).program, 0)) all.add(feature);
      return all.size;
    };
    const seeds = [SEED, SEED + 1, SEED + 2];
    const sum = (make: typeof sample): number =>
      seeds.map((seed) => reached(make, seed)).reduce((a, b) => a + b);
    expect(sum(guided) / sum(sample)).toBeGreaterThan(1.15);
  });
});

it('blocks give every function a turn, in rounds', () => {
  const called = new Set<string>();
  const turns = Math.ceil(500 / (BLOCK * 4));
  for (let index = 0; index < turns * BLOCK; index++)
    for (const name of coverageOf(guided(SEED, index).program)) called.add(name);
  const unguided = new Set<string>();
  for (let index = 0; index < turns * BLOCK; index++)
    for (const name of coverageOf(sample(SEED, index).program)) unguided.add(name);
  expect(called.size).toBeGreaterThan(unguided.size);
});
