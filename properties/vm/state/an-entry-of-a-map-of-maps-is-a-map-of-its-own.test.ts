/**
 * An entry of a map of maps is a map made as its template says: entries that user space gave the same map share its contents, other
 * entries do not, and the template's own contents are no entry's. Locks in different inner maps are different locks.
 */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fastPath } from '../../../src/patch/fast-path.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { replay } from '../../../src/vm/replay.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { EMPTY, type Environment } from '../../../src/vm/state/environment.js';
import { filled } from '../../../src/vm/state/fill.js';
import { indexKey } from '../../../src/vm/state/maps.js';
import { Vm } from '../../../src/vm/vm.js';
import { seeded } from '../../support/seed.js';

/** The entry of `out` with this key, in r0; the program ends with `returned` where there is none. */
const outer = (key: number, returned: number): string => `
    *(u32 *)(r10 -4) = ${key}
    r2 = r10
    r2 += -4
    r1 = map out
    call bpf_map_lookup_elem#1
    if r0 != 0x0 goto +2
    r0 = ${returned}
    exit`;

/** Writes 7 under key 1 of the inner map of entry `first`; returns what key 1 of that of `second` holds, 9 for nothing. */
const passes = (kind: string, inner: string, first: number, second: number): string => `.type tc
.license GPL
.map in ${inner} key=4 value=8 entries=2
.map out ${kind} key=4 value=4 entries=4 inner=in
main:${outer(first, 100)}
    *(u32 *)(r10 -4) = 1
    *(u64 *)(r10 -16) = 7
    r1 = r0
    r2 = r10
    r2 += -4
    r3 = r10
    r3 += -16
    r4 = 0
    call bpf_map_update_elem#2${outer(second, 101)}
    *(u32 *)(r10 -4) = 1
    r1 = r0
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem#1
    if r0 == 0x0 goto none
    r0 = *(u64 *)(r0 +0)
    exit
none:
    r0 = 9
    exit
`;

const withEntries = (ids: readonly number[]): Environment => ({
  ...EMPTY,
  maps: new Map([['out', new Map(ids.map((id, i) => [indexKey(i), indexKey(id)]))]]),
});

describe.each(['array_of_maps', 'hash_of_maps'])('%s', (kind) => {
  it.each(['array', 'hash', 'lru_hash', 'percpu_array'])('of %s: contents are shared by number', (inner) => {
    const id = fc.integer({ min: 0, max: 2 });
    fc.assert(
      fc.property(fc.array(id, { maxLength: 4 }), fc.nat(4), fc.nat(4), (ids, first, second) => {
        const { program } = parseCase(passes(kind, inner, first, second));
        const run = new Vm(program, { env: withEntries(ids) }).run();
        const nothing = inner.endsWith('array') ? 0 : 9;
        const expected =
          ids[first] === undefined
            ? 100
            : ids[second] === undefined
              ? 101
              : ids[first] === ids[second]
                ? 7
                : nothing;
        expect(run).toMatchObject({ end: 'exit', r0: BigInt(expected), violations: [] });
      }),
      seeded(60),
    );
  });

  it('entries that come and go are recorded: the text runs alike, with the facts of the verifier', () => {
    const seen = new Set<bigint>();
    const { program } = parseCase(passes(kind, 'hash', 1, 1));
    const verified = verify(program);
    if (!verified.ok) throw new Error(verified.message);
    for (let seed = 0; seed < 150; seed++) {
      const run = new Vm(program, {
        chooser: seededChooser(seed),
        facts: verified.facts,
        checkFacts: true,
      }).run();
      expect(run).toMatchObject({ end: 'exit', violations: [], disagreement: undefined });
      seen.add(run.r0);
      const text = printCase({ program, env: run.env, profile: 'privileged', comments: [] });
      const again = parseCase(text);
      expect(new Vm(again.program, { env: again.env ?? EMPTY }).run().r0).toBe(run.r0);
    }
    expect([...seen]).toEqual(expect.arrayContaining([100n, 101n, 7n]));
  });

  it('a fork has inner maps of its own', () => {
    const { program } = parseCase(passes(kind, 'array', 0, 0));
    const parent = new Vm(program, { env: withEntries([5]) });
    const fork = parent.fork();
    expect([parent.run().r0, fork.run().r0]).toEqual([7n, 7n]);
  });

  it('full maps have an entry each, all different', () => {
    const { program } = parseCase(passes(kind, 'hash', 1, 2));
    const env = filled(program, EMPTY, 3);
    expect(new Set(env.maps?.get('out')?.values()).size).toBe(3);
    expect(new Vm(program, { env }).run().r0).toBe(9n);
  });
});

const locks = `.type tc
.license GPL
.map in array key=4 value=16 entries=1 res_spin_lock@0
.map out array_of_maps key=4 value=4 entries=4 inner=in
main:${outer(0, 0)}
    r6 = r0${outer(1, 0)}
    r7 = r0
    *(u32 *)(r10 -4) = 0
    r1 = r6
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem#1
    if r0 == 0x0 goto none
    r6 = r0
    r1 = r7
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem#1
    if r0 == 0x0 goto none
    r7 = r0
    r1 = r6
    call bpf_res_spin_lock
    if r0 != 0x0 goto none
    r1 = r7
    call bpf_res_spin_lock
    if r0 != 0x0 goto one
    r1 = r7
    call bpf_res_spin_unlock
one:
    r1 = r6
    call bpf_res_spin_unlock
none:
    r0 = 0
    exit
`;

it('locks in two inner maps are two locks', () => {
  const { program } = parseCase(locks);
  const run = new Vm(program, { env: withEntries([0, 1]) });
  let most = 0;
  while (run.step()) {
    const places = run.machine.ledger.holds.map(({ region }) => region);
    expect(new Set(places).size).toBe(places.length);
    most = Math.max(most, places.length);
  }
  expect(most).toBe(2);
  expect(run.result()).toMatchObject({ end: 'exit', violations: [], held: [] });
});

it('a stub that forgets an inner lock gets a witness, and it replays from its text', async () => {
  const { program } = parseCase(locks);
  const rules = shippedRuleSet('naive')!;
  const proof = await proveProgram(program, rules);
  expect([proof.verdict, proof.witness?.expect]).toEqual([
    'refuted',
    expect.objectContaining({ check: 'leak' }),
  ]);
  const verified = verify(program);
  if (!verified.ok) throw new Error(verified.message);
  const path = fastPath(program, verified.facts, rules);
  expect(replay(parseCase(printCase(proof.witness!)), path, { facts: verified.facts }).ok).toBe(true);
});

it('one whose template is no map of the program is refused, with the reason', () => {
  const text = locks.replace('.map in ', '.inner_map in ');
  expect(() => new Vm(parseCase(text).program)).toThrow("map 'out': a map of maps cannot be run here where");
});
