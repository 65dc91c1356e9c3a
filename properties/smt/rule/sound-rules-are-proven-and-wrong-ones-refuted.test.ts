/** Rule proof: `sound` holds for every function, the posted rule sets fail where they are known to. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contracts } from '../../../src/kernel/catalog.js';
import type { Contract, Outcome } from '../../../src/kernel/contract.js';
import { firstImitable } from '../../../src/kernel/describe.js';
import { rule, ruleSet } from '../../../src/patch/define.js';
import type { RuleSet, Stub } from '../../../src/patch/rule.js';
import naive from '../../../src/patch/sets/naive.js';
import v1 from '../../../src/patch/sets/rfc-v1.js';
import v2 from '../../../src/patch/sets/rfc-v2.js';
import v3 from '../../../src/patch/sets/rfc-v3.js';
import sound from '../../../src/patch/sets/sound.js';
import { proveRules, type RuleProof } from '../../../src/smt/rule-proof.js';
import { seeded } from '../../support/seed.js';
import { WRONG_RULES } from '../../support/wrong-rules.js';

const ALL = contracts();
const named = (name: string): Contract => {
  const found = ALL.find((contract) => contract.name === name);
  if (found === undefined) throw new Error(`no contract for ${name}`);
  return found;
};

async function proofs(rules: RuleSet, of = ALL): Promise<readonly RuleProof[]> {
  return (await proveRules(rules, of)).functions;
}

test('sound is proven for every function', async () => {
  const all = await proofs(sound);
  expect(all.filter((one) => one.verdict !== 'proven')).toEqual([]);
  expect(new Set(all.map((one) => one.name)).size).toBe(ALL.length);
});

test('sound keeps a call only where nothing could be refused', async () => {
  for (const { name, action } of await proofs(sound)) {
    const contract = named(name);
    const guarded = contract.outcomes.some((outcome) => outcome.guard !== undefined);
    const open = contract.outcomes
      .filter((outcome) => outcome.guard === undefined)
      .map((outcome) => outcome.name);
    if (action === 'keep') expect([name, firstImitable(contract, open)]).toEqual([name, undefined]);
    else if (!guarded) expect([name, firstImitable(contract)]).not.toEqual([name, undefined]);
  }
});

const KNOWN: readonly (readonly [RuleSet, string, string, RegExp])[] = [
  [v1, 'bpf_spin_lock', 'misuse', /spin_lock in argument 0 is taken/],
  [v1, 'bpf_sk_release', 'leak', /argument 0 is given back/],
  [v1, 'bpf_ringbuf_reserve_dynptr', 'misuse', /null dynptr/],
  [v1, 'bpf_ringbuf_submit_dynptr', 'leak', /given back/],
  [v1, 'bpf_probe_read_kernel', 'fault', /memory of argument 0 is written/],
  [v1, 'bpf_ringbuf_reserve', 'acquire', /'reserved' acquires/],
  [v1, 'bpf_map_lookup_elem', 'acquire', /'socket' acquires/],
  [v2, 'bpf_res_spin_lock', 'misuse', /res_spin_lock in argument 0 is taken/],
  [v2, 'bpf_map_lookup_elem', 'fault', /r0 points to an object/],
  [v2, 'bpf_refcount_acquire_impl', 'misuse', /r0 points to an object/],
  [v2, 'bpf_for_each_map_elem', 'bound', /any number of times/],
  [v2, 'bpf_tail_call', 'bound', /another program/],
  [v3, 'bpf_res_spin_lock', 'misuse', /res_spin_lock in argument 0 is taken/],
  [v3, 'bpf_map_lookup_elem', 'fault', /r0 points to an object/],
  [naive, 'bpf_spin_lock', 'misuse', /is taken/],
  [naive, 'bpf_spin_unlock', 'leak', /given back/],
  [naive, 'bpf_rcu_read_unlock', 'leak', /given back/],
  [naive, 'bpf_res_spin_lock', 'misuse', /is taken/],
  [naive, 'bpf_local_irq_save', 'misuse', /saved IRQ state/],
  [naive, 'bpf_iter_num_new', 'misuse', /iterator/],
  [naive, 'bpf_iter_num_destroy', 'leak', /given back/],
];

test.each(KNOWN.map(([rules, name, check, why]) => [rules.name, name, check, why, rules] as const))(
  '%s is refuted for %s: %s',
  async (_set, name, check, why, rules) => {
    const refuted = (await proofs(rules, [named(name)])).find((one) => one.verdict === 'refuted');
    expect(refuted?.witness?.check).toBe(check);
    const said = [...refuted!.witness!.state, ...refuted!.witness!.missed.flatMap((miss) => miss.why)];
    expect(said.join('; ')).toMatch(why);
  },
);

test('what a posted set gets right is proven', async () => {
  for (const [rules, name] of [
    [v1, 'bpf_map_lookup_percpu_elem'],
    [v1, 'bpf_ringbuf_submit'],
    [v2, 'bpf_ringbuf_reserve'],
    [v2, 'bpf_spin_lock'],
    [v2, 'bpf_kptr_xchg'],
    [v3, 'bpf_loop'],
    [v3, 'bpf_iter_num_next'],
    [naive, 'bpf_sk_release'],
    [naive, 'bpf_sk_lookup_tcp'],
  ] as const) {
    const all = await proofs(rules, [named(name)]);
    expect(all.map((one) => [one.name, one.verdict])).toEqual([[name, 'proven']]);
  }
});

test('there are at least twenty wrong rules, of different functions', () => {
  expect(WRONG_RULES.length).toBeGreaterThanOrEqual(20);
  expect(new Set(WRONG_RULES.map((wrong) => wrong.rules.name)).size).toBe(WRONG_RULES.length);
});

/** The verdict on the wrong rule itself, which is the first of its set. */
async function verdictOn(wrong: (typeof WRONG_RULES)[number]): Promise<RuleProof> {
  const all = await proofs(wrong.rules, [named(wrong.function)]);
  return all.find((one) => one.rule === wrong.rules.rules[0]!.name)!;
}

test.each(WRONG_RULES.map((wrong) => [wrong.rules.name, wrong] as const))(
  '%s is refuted',
  async (_name, wrong) => {
    const found = await verdictOn(wrong);
    expect([found.verdict, found.witness?.check]).toEqual(['refuted', wrong.check]);
  },
);

/** The same question answered without formulas: is this stub inside this outcome? */
function inside(stub: Stub, outcome: Outcome): boolean {
  const { r0, effects } = outcome;
  if (outcome.blocks || r0.kind === 'pointer') return false;
  if (r0.kind !== 'void') {
    if (stub.r0 === 'void') return false;
    const [min, max] = r0.kind === 'null' ? [0n, 0n] : [r0.min, r0.max];
    // A size argument may be 0.
    const top = r0.kind === 'scalar' && r0.upTo !== undefined ? 0n : max;
    if (stub.r0 < min || stub.r0 > top) return false;
  }
  const writes = effects.flatMap((effect) => (effect.kind === 'write' ? [effect.arg] : []));
  const cleared = effects.flatMap((effect) =>
    effect.kind === 'init_dynptr' && effect.null ? [effect.arg] : [],
  );
  const same = (a: readonly number[], b: readonly number[]): boolean =>
    [...a].sort().join() === [...b].sort().join();
  if (!same(writes, stub.writes)) return false;
  if (
    !same(
      cleared,
      stub.slots.map((slot) => slot.arg),
    )
  )
    return false;
  return effects.every(
    (effect) =>
      ['write', 'invalidate_packet', 'arm'].includes(effect.kind) ||
      (effect.kind === 'init_dynptr' && effect.null === true) ||
      effect.kind === 'callback' ||
      (effect.kind === 'iter_next' && effect.to === 'drained' && stub.r0 === 0n),
  );
}

test('the formula agrees with a direct look at each stub', async () => {
  const stubOf = (contract: Contract): fc.Arbitrary<Stub> => {
    const outputs = contract.args.flatMap((arg, index) =>
      (arg.kind === 'mem' && arg.access !== 'read') || (arg.kind === 'map_value' && arg.uninit)
        ? [index]
        : [],
    );
    const slots = contract.args.flatMap((arg, index) =>
      arg.kind === 'dynptr' && arg.state === 'uninit' ? [{ arg: index, as: 'null_dynptr' as const }] : [],
    );
    return fc.record({
      r0: fc.oneof(fc.constantFrom<bigint | 'void'>('void', 0n, -1n, -12n, 1n, -4095n, -4096n, 8191n, 8192n)),
      writes: fc.subarray(outputs),
      slots: fc.subarray(slots),
    });
  };
  const example = fc
    .constantFrom(...ALL)
    .chain((contract) => stubOf(contract).map((stub) => ({ contract, stub })));
  await fc.assert(
    fc.asyncProperty(example, async ({ contract, stub }) => {
      const rules = ruleSet('any', [rule('always').stub(stub)]);
      const [proof] = await proofs(rules, [contract]);
      const always = contract.outcomes.filter((outcome) => outcome.guard === undefined);
      expect(proof!.verdict).toBe(always.some((outcome) => inside(stub, outcome)) ? 'proven' : 'refuted');
    }),
    seeded(300),
  );
});
