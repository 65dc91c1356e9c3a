/**
 * A map of sockets gives out what must be released, other maps do not: verifiers, rules, certificates, proofs and runs all say so.
 */
import { describe, expect, it } from 'vitest';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { certify } from '../../src/oracle/certify.js';
import { fastPath } from '../../src/patch/fast-path.js';
import type { RuleSet } from '../../src/patch/rule.js';
import naive from '../../src/patch/sets/naive.js';
import v1 from '../../src/patch/sets/rfc-v1.js';
import v2 from '../../src/patch/sets/rfc-v2.js';
import sound from '../../src/patch/sets/sound.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import type { Accepted } from '../../src/verifier/result.js';
import { verify } from '../../src/verifier/verify.js';
import { type Case, parseCase } from '../../src/vm/case/case.js';
import { type KillReport, killEverywhere } from '../../src/vm/kill.js';
import { seededChooser } from '../../src/vm/state/chooser.js';
import { prepare } from '../../src/vm/state/code.js';
import { EMPTY } from '../../src/vm/state/environment.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const MAPS = {
  sockmap: 'sockmap key=4 value=4 entries=4',
  sockhash: 'sockhash key=4 value=4 entries=4',
  xskmap: 'xskmap key=4 value=4 entries=4',
  devmap: 'devmap key=4 value=4 entries=4',
  devmap_hash: 'devmap_hash key=4 value=4 entries=4',
} as const;

type MapName = keyof typeof MAPS;

const RELEASED = ['if r0 == 0x0 goto out', 'r1 = r0', 'call bpf_sk_release#86'];
const READ = ['if r0 == 0x0 goto out', 'r1 = *(u32 *)(r0 +0)'];

/** A program that looks into a map, and then does `rest`. */
function looking(map: MapName, rest: readonly string[], type = 'xdp', key = 0): Case {
  const lines = [
    `.type ${type}`,
    `.map things ${MAPS[map]}`,
    'main:',
    `*(u32 *)(r10 -4) = ${key}`,
    'r2 = r10',
    'r2 += -4',
    'r1 = map things',
    'call bpf_map_lookup_elem#1',
    ...rest,
    'out:',
    'r0 = 1',
    'exit',
  ];
  return parseCase(`${lines.join('\n')}\n`, 'looking.bpf');
}

function accepted({ program }: Case): Accepted {
  const verified = verify(program);
  if (!verified.ok) throw new Error(verified.message);
  return verified;
}

/** Killed before every insn, in worlds where it finds something and where it does not. */
function kills(one: Case, rules: RuleSet): readonly KillReport[] {
  const { program } = one;
  const { facts } = accepted(one);
  const path = fastPath(program, facts, rules);
  return Array.from({ length: 12 }, (_, seed) =>
    killEverywhere(prepare(program), path, EMPTY, { facts, chooser: seededChooser(seed) }),
  );
}

const broken = (reports: readonly KillReport[]): readonly string[] => [
  ...new Set(reports.flatMap(({ violations }) => violations.map(({ check }) => check))),
];

/** Programs, and whether they are right. */
const PROGRAMS: readonly (readonly [name: string, one: Case, right: boolean])[] = (
  ['sockmap', 'sockhash'] as const
).flatMap((map): (readonly [string, Case, boolean])[] => [
  [`${map}: released`, looking(map, RELEASED), true],
  [`${map}: released by a tc program`, looking(map, RELEASED, 'tc'), true],
  [`${map}: released by an sk_skb program`, looking(map, RELEASED, 'sk_skb'), true],
  [`${map}: nothing there`, looking(map, ['if r0 == 0x0 goto out', ...RELEASED.slice(1)]), true],
  [`${map}: read, and released`, looking(map, [...READ, ...RELEASED.slice(1)]), true],
  [`${map}: not released`, looking(map, []), false],
  [`${map}: read, not released`, looking(map, READ), false],
  [`${map}: released unseen`, looking(map, RELEASED.slice(1)), false],
  [`${map}: released twice`, looking(map, [...RELEASED, ...RELEASED.slice(1)]), false],
  [`${map}: written to`, looking(map, ['if r0 == 0x0 goto out', '*(u32 *)(r0 +0) = r0']), false],
  [`${map}: no release is at hand`, looking(map, RELEASED, 'sk_msg'), false],
]);

const OTHERS: readonly (readonly [name: string, one: Case, right: boolean])[] = [
  ['xskmap: read', looking('xskmap', READ), true],
  ['xskmap: not read', looking('xskmap', []), true],
  ['xskmap: released', looking('xskmap', RELEASED), false],
  ['devmap: read', looking('devmap', READ), true],
  ['devmap_hash: read', looking('devmap_hash', READ), true],
  ['devmap: written', looking('devmap', ['if r0 == 0x0 goto out', '*(u32 *)(r0 +0) = r10']), false],
];

const ALL = [...PROGRAMS, ...OTHERS];
const right = ALL.filter(([, , isRight]) => isRight).map(([name, one]) => [name, one] as const);
const held = PROGRAMS.filter(([, , isRight]) => isRight).map(([name, one]) => [name, one] as const);

describe('our verifier', () => {
  it.each(ALL)('%s', (_, one, isRight) => {
    expect(verify(one.program).ok).toBe(isRight);
  });

  it('knows the reference of what is found', () => {
    const { facts } = accepted(looking('sockmap', RELEASED));
    const at = Array.from({ length: 12 }, (_, slot) => facts.at(slot)).flat();
    expect(at.some(({ state }) => state.refs.length === 1)).toBe(true);
    const others = accepted(looking('xskmap', READ)).facts;
    expect(others.at(6).every(({ state }) => state.refs.length === 0)).toBe(true);
  });
});

describeKnownKernel('Linux says the same', () => {
  it.each(ALL)('%s', (_, one, isRight) => {
    const judge = new KernelJudge({});
    try {
      expect(judge.judge(one.program).accepted).toBe(isRight);
    } finally {
      judge.close();
    }
  });

  it.each(right)('and certifies under the sound rules: %s', (_, one) => {
    expect(certify(one.program, sound)).toMatchObject({ verdict: 'certified', sitesLeftOut: [] });
  });

  it.each(held)('and not where the release is skipped: %s', (_, one) => {
    expect(certify(one.program, v1).verdict).toBe('refused');
  });
});

describe('a proof', () => {
  it.each(right)('under the sound rules: %s', async (_, one) => {
    expect(await proveProgram(one.program, sound)).toMatchObject({ verdict: 'proven' });
  });

  it('is refuted where the look is kept', async () => {
    const proof = await proveProgram(looking('sockmap', RELEASED).program, v1);
    expect(proof.verdict).toBe('refuted');
    expect(proof.sites.find((site) => site.function === 'bpf_map_lookup_elem')?.settled).toBe('refusable');
    const of = await proveProgram(looking('xskmap', READ).program, v1);
    expect(of.sites[0]?.settled).toBe('kept');
  });
});

describe('runs killed before every insn', () => {
  it.each(right)('hold under rules that refuse it: %s', (_, one) => {
    for (const rules of [sound, v2, naive]) expect(broken(kills(one, rules))).toEqual([]);
  });

  it('leak and acquire where only the release is skipped', () => {
    expect(broken(kills(looking('sockmap', RELEASED), v1))).toEqual(
      expect.arrayContaining(['acquire', 'leak']),
    );
    expect(broken(kills(looking('xskmap', READ), v1))).toEqual([]);
  });

  it('find something in some worlds, and nothing in others; nothing beyond the end', () => {
    const found = (one: Case): ReadonlySet<string> =>
      new Set(
        kills(one, sound).flatMap(({ run }) => [
          run.env.choices.get('bpf_map_lookup_elem#1')?.split(':')[0] ?? 'null',
        ]),
      );
    expect(found(looking('sockmap', RELEASED))).toEqual(new Set(['socket', 'null']));
    expect(found(looking('xskmap', READ))).toEqual(new Set(['found', 'null']));
    for (const map of ['sockmap', 'xskmap', 'devmap'] as const) {
      const rest = map === 'sockmap' ? RELEASED : READ;
      expect(found(looking(map, rest, 'xdp', 4))).toEqual(new Set(['null']));
    }
  });
});
