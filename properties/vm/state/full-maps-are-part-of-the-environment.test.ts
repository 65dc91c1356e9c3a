/** Maps that begin full make callbacks over them run; they are part of the environment, so that a run with them replays from its text. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MapType } from '../../../src/object/program.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { replay } from '../../../src/vm/replay.js';
import { EMPTY } from '../../../src/vm/state/environment.js';
import { filled, isFillable } from '../../../src/vm/state/fill.js';
import { Vm } from '../../../src/vm/vm.js';
import { here, scratch } from '../../support/cli.js';

/** Walks over a map; the callback may take a task. */
const overMap = (map: string): string => `.type syscall
.license GPL
.map h ${map}
main:
    r1 = map h
    r2 = func each
    r3 = 0
    r4 = 0
    call bpf_for_each_map_elem#164
    exit
each:
    r1 = *(u32 *)(r2 +0)
    call bpf_task_from_pid
    if r0 == 0x0 goto none
    r1 = r0
    call bpf_task_release
none:
    r0 = 0
    exit
`;
const HASHES = ['hash', 'lru_hash', 'percpu_hash', 'lru_percpu_hash'] as const;
const rfc = shippedRuleSet('rfc-v1')!;

describe.each(HASHES)('%s', (type) => {
  const { program } = parseCase(overMap(`${type} key=4 value=8 entries=5`));

  it.each([0, 1, 3, 5, 9])('%i entries: the callback runs for each that fits', (entries) => {
    const env = filled(program, EMPTY, entries);
    expect(new Vm(program, { env }).run()).toMatchObject({
      end: 'exit',
      r0: BigInt(Math.min(5, entries)),
      violations: [],
    });
    const text = printCase({ program, env, profile: 'privileged', comments: [] });
    expect(parseCase(text).env?.maps ?? new Map()).toEqual(env.maps ?? new Map());
  });
});

it('what the environment has stays, keys are all different, arrays are left alone', () => {
  const { program } = parseCase(overMap('hash key=1 value=8 entries=600'));
  const given = { ...EMPTY, maps: new Map([['h', new Map([['07', '01']])]]) };
  expect(filled(program, given, 3).maps).toEqual(given.maps);
  expect(filled(program, EMPTY, 3).maps?.get('h')?.size).toBe(3);
  expect(filled(program, EMPTY, 600).maps?.get('h')?.size).toBe(256);
  const array = parseCase(overMap('array key=4 value=8 entries=5')).program;
  expect([isFillable(array), filled(array, EMPTY, 3)]).toEqual([false, EMPTY]);
});

it('what only a callback breaks is found, and replays from its text; without full maps it is not', async () => {
  const { program } = parseCase(overMap('hash key=4 value=8 entries=16'));
  const proof = await proveProgram(program, rfc);
  expect([proof.verdict, proof.witness?.expect]).toEqual([
    'refuted',
    expect.objectContaining({ check: 'acquire' }),
  ]);
  const read = parseCase(printCase(proof.witness!));
  const verified = verify(program);
  if (!verified.ok) throw new Error(verified.message);
  const path = fastPath(program, verified.facts, rfc);
  expect(replay(read, path, { facts: verified.facts }).ok).toBe(true);
  expect((await proveProgram(program, rfc, { fill: 0 })).verdict).toBe('unknown');
});

it('run takes as many entries as it is told', async () => {
  const file = join(folder, 'over.bpf');
  writeFileSync(file, overMap('hash key=4 value=8 entries=16'));
  const killed = (...more: string[]) => here(['run', file, '--kill', 'all', '--rules', 'rfc-v1', ...more]);
  expect((await killed()).exit).toBe(0);
  const full = await killed('--fill', '2');
  expect([full.exit, full.out]).toEqual([1, expect.stringContaining('bpf_task_from_pid acquires')]);
  expect((await killed('--fill', '-1')).exit).toBe(2);
});

const folder = scratch();

it('the n-th entry of each kind of map has the number n as its key, whatever the size of keys', () => {
  const KINDS = { hash: 0, lru_hash: 0, percpu_hash: 0, lru_percpu_hash: 0, lpm_trie: 4 } as const;
  for (const [type, at] of Object.entries(KINDS))
    for (const keySize of [1, 2, 3, 4, 5, 8, 12]) {
      if (keySize <= at) continue;
      const { program } = parseCase(overMap('hash key=4 value=8 entries=5'));
      const [map] = program.maps;
      const own = { ...map!, type: type as MapType, keySize, maxEntries: 700 };
      const entries = filled({ ...program, maps: [own] }, EMPTY, 300).maps!.get('h')!;
      // Later numbers stand for earlier ones again where a key has one byte.
      const bytes = Math.min(4, keySize - at);
      expect(entries.size).toBe(Math.min(300, 256 ** bytes));
      [...entries].slice(0, 255).forEach(([key, value], i) => {
        const given = Buffer.from(key, 'hex');
        expect([type, keySize, given.length]).toEqual([type, keySize, keySize]);
        if (at > 0) expect(given.readUInt32LE()).toBe(8 * (keySize - at));
        expect(given.readUIntLE(at, bytes)).toBe(i + 1);
        expect(given.subarray(at + bytes).every((byte) => byte === 0)).toBe(true);
        expect(value).toBe('00'.repeat(8));
      });
    }
});
