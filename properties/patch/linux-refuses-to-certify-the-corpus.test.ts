/**
 * What the corpus holds against the shipped rule sets, Linux's own verifier holds against them too: it refuses to certify every case
 * that breaks a check which it makes, and takes it under the sound rules. For each function that a rule set breaks there is such a case,
 * in which the stub of that function alone is reason enough.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeAll } from '../../src/isa/decode.js';
import { contractOf, contracts } from '../../src/kernel/catalog.js';
import { certify } from '../../src/oracle/certify.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import sound from '../../src/patch/sets/sound.js';
import { proveRules } from '../../src/smt/rule-proof.js';
import { type Case, parseCase } from '../../src/vm/case/case.js';
import { LOADABLE } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

/** Checks that Linux makes as well. It does not ask whether an acquirer could have been refused, nor how long a program goes on. */
const SEEN = ['leak', 'misuse', 'fault', 'return'];

/**
 * Stubs that are wrong, but that no program under the same rule set notices: what could use the dynptr that they leave unmade is stubbed
 * as well.
 */
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  naive: [
    'bpf_dynptr_from_mem',
    'bpf_dynptr_from_skb',
    'bpf_dynptr_from_skb_meta',
    'bpf_dynptr_from_xdp',
    'bpf_dynptr_clone',
  ],
};

/** What they return has no model in the VM, so that no run shows what Linux refuses. */
const NO_RUN: readonly string[] = ['bpf_get_local_storage', 'bpf_this_cpu_ptr'];

const folder = new URL('../../corpus/', import.meta.url);
const cases: readonly (readonly [name: string, one: Case, rules: RuleSet])[] = readdirSync(folder)
  .filter((name) => name.endsWith('.bpf'))
  .flatMap((name) => {
    const one = parseCase(readFileSync(new URL(name, folder), 'utf8'), name);
    const rules = shippedRuleSet(one.rules ?? '');
    return rules === undefined ? [] : [[name, one, rules] as const];
  });
const seen = cases.filter(([, { expect }]) => expect?.kind === 'breaks' && SEEN.includes(expect.check));

/** The rules of a set, for one function only. */
function only(set: RuleSet, name: string): RuleSet {
  const rules = set.rules.map((rule) => ({
    ...rule,
    matches: (f: Parameters<typeof rule.matches>[0]) => f.name === name && rule.matches(f),
  }));
  return { name: set.name, rules };
}

function functionsOf({ program }: Case): readonly string[] {
  const ops = decodeAll(program.insns);
  return [...new Set(ops.flatMap((op) => (op && contractOf(program, op)?.name) ?? []))];
}

const verdict = ({ program, profile }: Case, rules: RuleSet): string =>
  certify(program, rules, { profile }).verdict;

describeKnownKernel('linux refuses to certify the corpus', () => {
  it('which has something to refuse', () => {
    expect(seen.length).toBeGreaterThan(80);
  });

  it.each(seen)('%s', (name, one, rules) => {
    expect([name, verdict(one, rules)]).toEqual([name, 'refused']);
  });

  it.each(cases)('%s is certified under the sound rules', (name, one) => {
    expect([name, verdict(one, sound)]).toEqual([name, 'certified']);
  });

  describe.each(['rfc-v1', 'rfc-v2', 'rfc-v3', 'naive'])('for each function that %s breaks', (set) => {
    it('there is a case', async () => {
      const rules = shippedRuleSet(set)!;
      // Only of functions that programs of a type that Linux loads here may call, whatever they stand in for.
      const callable = contracts().filter(({ types }) =>
        types.some((type) => type !== 'struct_ops' && LOADABLE.includes(type)),
      );
      const { functions } = await proveRules(rules, callable);
      const broken = functions
        .filter(({ witness }) => witness !== undefined && SEEN.includes(witness.check))
        .map(({ name }) => name)
        .filter((name) => HARMLESS[set]?.includes(name) !== true && !NO_RUN.includes(name));
      expect(broken.length).toBeGreaterThan(3);
      const missing = broken.filter((name) => {
        const of = cases.filter(
          ([, one, { name: under }]) => under === set && functionsOf(one).includes(name),
        );
        return !of.some(
          ([, one]) => verdict(one, rules) === 'refused' && verdict(one, only(rules, name)) === 'refused',
        );
      });
      expect(missing).toEqual([]);
    });
  });
});
