/**
 * `.unwind()` is a rule of its own kind: it names the calls and the pads of a fast path, it may ask whether a site has a pad, and all that
 * looks at rules knows it: the proof of rules, the comparison with a revision, the sandbox, the certificate.
 */
import { describe, expect, it } from 'vitest';
import { contractOf } from '../../src/kernel/catalog.js';
import { certify } from '../../src/oracle/certify.js';
import { rule, ruleSet } from '../../src/patch/define.js';
import { callSites, fastPath } from '../../src/patch/fast-path.js';
import { guardedBy } from '../../src/patch/guard.js';
import { rulesThatDecideNothing } from '../../src/patch/lint.js';
import type { SiteView } from '../../src/patch/rule.js';
import { Sandbox } from '../../src/patch/sandbox.js';
import { decide } from '../../src/patch/select.js';
import { decisionsIn, situationsOf } from '../../src/patch/situations.js';
import { functionView, siteView } from '../../src/patch/view.js';
import { proveRules } from '../../src/smt/rule-proof.js';
import { verify } from '../../src/verifier/verify.js';
import { BOTH_WAYS, ONE_WAY, padProgram, WITH_PADS, withPad } from '../support/pads/pads.js';

const contract = (name: string) => contractOf(name)!;
const toPad = rule('to its pad').unwind();
const whereThereIsOne = rule('to its pad, where it has one')
  .at((site) => site.hasPad)
  .unwind();
const all = ruleSet('all', [toPad]);
const some = ruleSet('some', [whereThereIsOne, rule('fails').stub({ r0: 0 })]);

const verified = (text: string) => {
  const program = padProgram(text);
  const verdict = verify(program, { kernel: WITH_PADS });
  if (!verdict.ok) throw new Error(verdict.message);
  return { program, facts: verdict.facts, verified: verdict };
};

describe('a fast path', () => {
  it('names the calls that end in a pad and the calls that have one', () => {
    const { program, facts } = verified(withPad(''));
    const { stubs, unwinds } = fastPath(program, facts, all);
    expect(stubs.size).toBe(0);
    // The call of bpf_get_prandom_u32 is the first insn of the function, the call of the function the third of the program.
    expect([[...unwinds!.calls], [...unwinds!.pads]]).toEqual([[8], [2]]);
  });

  it('leaves out a pad that no ordinary run comes to: Linux takes out code that nothing reaches', () => {
    const helper = 'work:\n    call bpf_get_prandom_u32\n    r0 = 0\n    exit\n';
    const { program, facts } = verified(withPad('', helper));
    expect(fastPath(program, facts, all).unwinds?.pads.size).toBe(0);
    expect(callSites(program, facts, all).map(({ hasPad }) => hasPad)).toEqual([false]);
  });

  it('is told which sites have a pad', () => {
    const { program, facts } = verified(`${withPad('    call bpf_ktime_get_ns')}`);
    const sites = callSites(program, facts, some).map((one) => [
      one.contract.name,
      one.hasPad,
      one.action.kind,
    ]);
    expect(sites).toEqual([
      ['bpf_ktime_get_ns', false, 'stub'],
      ['bpf_get_prandom_u32', true, 'unwind'],
    ]);
  });

  it('has none of it where no rule unwinds', () => {
    const { program, facts } = verified(withPad('', ONE_WAY));
    expect(fastPath(program, facts, ruleSet('none', [])).unwinds).toBeUndefined();
  });
});

describe('a decision', () => {
  it('may depend on the pad alone', () => {
    const lookup = contract('bpf_map_lookup_elem');
    for (const situation of situationsOf(lookup)) {
      const kinds = decisionsIn(some, lookup, situation).map(({ hasPad, action }) => [hasPad, action.kind]);
      expect(kinds).toEqual([
        [false, 'stub'],
        [true, 'unwind'],
      ]);
    }
  });

  it('is not remembered of a site with a pad for one without', () => {
    const guard = guardedBy(new Sandbox());
    const asked = guard('at', (_f, site) => site!.hasPad);
    const f = functionView(contract('bpf_map_lookup_elem'));
    const at = (hasPad: boolean): SiteView => siteView(f.contract, 3, f.contract.outcomes, hasPad);
    expect([true, false, true].map((has) => asked(f, at(has)))).toEqual([true, false, true]);
  });

  it('unwinds also where a site is not asked for', () => {
    const f = functionView(contract('bpf_ktime_get_ns'));
    expect(decide(all, f, siteView(f.contract, 3, f.contract.outcomes)).action).toEqual({ kind: 'unwind' });
  });

  it('by a rule that needs a pad is no rule that decides nothing', async () => {
    expect(await rulesThatDecideNothing(some, [contract('bpf_map_lookup_elem')])).toEqual([]);
  });
});

describe('the proof of a rule that unwinds', () => {
  it('refutes it where the call without a pad, which is kept, could have been refused', async () => {
    const { functions } = await proveRules(all, [
      contract('bpf_sk_lookup_tcp'),
      contract('bpf_ktime_get_ns'),
    ]);
    expect(functions.map(({ action, verdict }) => [action, verdict])).toEqual([
      ['unwind', 'refuted'],
      ['unwind', 'unknown'],
    ]);
    expect(functions[0]!.witness).toMatchObject({ check: 'acquire' });
    expect(functions[0]!.witness!.state[0]).toContain('where it has no landing pad');
    expect(functions[1]!.reason).toContain('depends on the landing pads of a program');
  });

  it('says of one that only unwinds at sites with a pad that it depends on the program, and proves the rest', async () => {
    const { functions } = await proveRules(some, [contract('bpf_map_lookup_elem')]);
    expect(functions.map(({ rule: name, action, verdict }) => [name, action, verdict])).toEqual([
      ['fails', 'stub', 'refuted'],
      ['to its pad, where it has one', 'unwind', 'unknown'],
    ]);
  });
});

describe('a certificate', () => {
  it('cannot be had of a program with landing pads, and says why', () => {
    const { program, verified: verdict } = verified(withPad('', BOTH_WAYS));
    for (const rules of [all, ruleSet('none', [])]) {
      const { verdict: said, message } = certify(program, rules, { kernel: WITH_PADS, verified: verdict });
      expect([said, message]).toEqual([
        'inexpressible',
        'a two-mode program has no words for landing pads, which leave a function early',
      ]);
    }
  });
});
